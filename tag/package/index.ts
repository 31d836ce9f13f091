/** For pages: the tag's script, and which number the page shows. May be imported where there is no page. */
export { load, type TagOptions } from './load.js';
export { number, subscribe } from './shown.js';
export type { Tagswitch } from '../loader.js';
export type { Consent, Shown, Visit } from '../visit.js';
