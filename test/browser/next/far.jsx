import Link from 'next/link';

/** The other page of both routers. */
export function Far({ back }) {
  return (
    <main>
      <h1 id="far">Far away: +1 202-555-0199</h1>
      <Link id="back" href={back}>
        back
      </Link>
    </main>
  );
}
