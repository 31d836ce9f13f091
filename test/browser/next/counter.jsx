'use client';
import { useState } from 'react';

export function Counter({ id }) {
  const [count, setCount] = useState(0);
  return (
    <section>
      <p id={id}>{`(202) 555-0199, ${count}`}</p>
      <button id={`${id}-more`} onClick={() => setCount(count + 1)}>
        {id}
      </button>
    </section>
  );
}
