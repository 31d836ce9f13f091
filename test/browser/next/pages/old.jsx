import Link from 'next/link';
import { App } from '../react-app.jsx';

export const getServerSideProps = () => ({ props: {} });

export default function Page() {
  return (
    <>
      <App />
      <Link id="link" href="/other">
        other
      </Link>
    </>
  );
}
