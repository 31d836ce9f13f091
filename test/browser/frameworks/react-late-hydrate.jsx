import { hydrateRoot } from 'react-dom/client';
import { page } from './react-late.jsx';

hydrateRoot(document.querySelector('#root, #__next'), page(700));
