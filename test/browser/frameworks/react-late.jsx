// A page whose second half is taken over later than its first: its code is on its way for longer.
import { lazy, Suspense, useState } from 'react';
import { App } from './react-app.jsx';

function Late() {
  const [count, setCount] = useState(0);
  return (
    <footer>
      <p id="foot">{`(202) 555-0199, ${count}`}</p>
      <button id="late" onClick={() => setCount(count + 1)}>
        late {count}
      </button>
    </footer>
  );
}

const come = (delayMs) => new Promise((resolve) => setTimeout(() => resolve({ default: Late }), delayMs));

export function page(delayMs) {
  const Footer = lazy(() => come(delayMs));
  return (
    <div>
      <Suspense fallback={<p>waits</p>}>
        <Footer />
      </Suspense>
      <App />
    </div>
  );
}
