import { Far } from '../far.jsx';

export const getServerSideProps = () => ({ props: {} });

export default function Page() {
  return <Far back="/old" />;
}
