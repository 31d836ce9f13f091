import { hydrateRoot } from 'react-dom/client';
import { page } from './react-late.jsx';

const come = new Promise((resolve) => (window.come = resolve));
hydrateRoot(document.querySelector('#root, #__next'), page(come));
