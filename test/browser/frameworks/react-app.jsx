'use client';
// A page of React: the number in text that changes, in lists, in what comes and goes.
import { useState } from 'react';

const SAYINGS = ['Call (202) 555-0199', 'Ring (202) 555-0199', 'Write to us'];

export function App() {
  const [count, setCount] = useState(0);
  const [items, setItems] = useState(['one', 'two', 'three']);
  const [saying, setSaying] = useState(0);
  const [route, setRoute] = useState('/');
  return (
    <main>
      <p id="pieces">
        Call {'(202) 555-0199'} today, as {count} did
      </p>
      <p id="text">{`(202) 555-0199 was called ${count} times`}</p>
      <a id="tel" href="tel:+12025550199" title={`202-555-0199, ${count}`}>
        202-555-0199
      </a>
      <p id="saying">{SAYINGS[saying]}</p>
      <ul>
        {items.map((item) => (
          <li key={item}>{item}: (202) 555-0199</li>
        ))}
      </ul>
      {route === '/' ? <p id="home">Home: 202.555.0199</p> : <h2 id="away">Away: 202.555.0199</h2>}
      <button id="more" onClick={() => setCount(count + 1)}>
        more {count}
      </button>
      <button id="shrink" onClick={() => setItems(items.slice(1))}>
        shrink
      </button>
      <button id="say" onClick={() => setSaying((saying + 1) % 3)}>
        say
      </button>
      <button
        id="go"
        onClick={() => {
          const next = route === '/' ? '/away' : '/';
          history.pushState(null, '', `?at=${next}`);
          setRoute(next);
        }}
      >
        go
      </button>
    </main>
  );
}
