// A page whose second half is taken over later than its first: when its code has come.
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

/** @param come a promise */
export function page(come) {
  const Footer = lazy(() => come.then(() => ({ default: Late })));
  return (
    <div>
      <Suspense fallback={<p>waits</p>}>
        <Footer />
      </Suspense>
      <App />
    </div>
  );
}
