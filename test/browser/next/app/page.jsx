import Link from 'next/link';
import { Suspense } from 'react';
import { App } from '../react-app.jsx';
import { Counter } from '../counter.jsx';

/** What the server takes longer for: it comes when the page is there already. */
async function Slow({ delayMs, id }) {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  return <Counter id={id} />;
}

export default function Page() {
  return (
    <>
      <Suspense fallback={<p>waits</p>}>
        <Slow delayMs={50} id="soon" />
      </Suspense>
      <App />
      <Suspense fallback={<p>waits</p>}>
        <Slow delayMs={600} id="slow" />
      </Suspense>
      <Link id="link" href="/away">
        away
      </Link>
    </>
  );
}
