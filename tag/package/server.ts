/** For servers that render pages: the visitor's number in the HTML that they send. */
export { allocate, type AllocateOptions, type Touch } from './allocate.js';
export { visitorCookie, type CookieOptions } from './visitor-cookie.js';
export { swapHtml } from './swap-html.js';
export type { Given } from './given.js';
