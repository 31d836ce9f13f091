import { renderToString } from 'react-dom/server';
import { Contact } from '../../../examples/pages/contact.tsx';

export const html = () => renderToString(<Contact />);
