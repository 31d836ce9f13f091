import Link from 'next/link';

export default function Page() {
  return (
    <main>
      <h1 id="far">Far away: +1 202-555-0199</h1>
      <Link id="back" href="/">
        back
      </Link>
    </main>
  );
}
