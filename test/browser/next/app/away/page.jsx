import { Far } from '../../far.jsx';

export default function Page() {
  return <Far back="/" />;
}
