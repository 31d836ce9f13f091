import { prerenderToNodeStream } from 'react-dom/static';
import { text } from 'node:stream/consumers';
import { page } from './react-late.jsx';

export const html = async () => text((await prerenderToNodeStream(page(Promise.resolve()))).prelude);
