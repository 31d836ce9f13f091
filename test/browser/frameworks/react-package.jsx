// The npm package: the page's own code loads the tag, React renders the number itself.
import { hydrateRoot } from 'react-dom/client';
import { load, number, subscribe } from 'tagswitch-tag';
import { Contact } from '../../../examples/pages/contact.tsx';

const told = [];
const stop = subscribe('+1 2025550199', (shown) => told.push([shown.state, shown.number ?? null]));
window.page = { load, number, told, stop };
hydrateRoot(document.querySelector('#root'), <Contact />);
