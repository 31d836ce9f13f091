/**
 * First script of a page that is tried in the playground: tells the playground what the page asks the server, and does for the
 * examples what a site's own scripts would do (text that comes late, another view without a load, a shadow root).
 */
import type {} from './loader.js';

/** One request, as the playground lists it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** In words, where the path says nothing. */
  readonly what?: string;
  /** undefined for a beacon, whose answer nobody reads; 0 where none came. */
  readonly status?: number;
  /** Bytes of the body that came back, or of a beacon's own. */
  readonly bytes?: number;
  readonly ms?: number;
  /** Nobody was asked: the browser had it. */
  readonly isKept?: boolean;
}

/** What is told of is what the tag asks, not this script. */
const own = document.currentScript as HTMLScriptElement | null;

const tell = (seen: Seen) => parent.postMessage({ seen }, location.origin);
const pathOf = (url: string) => new URL(url, location.href).pathname;

const ask = window.fetch.bind(window);
window.fetch = async (input, init) => {
  const request = new Request(input, init);
  const started = performance.now();
  const seen = { method: request.method, path: pathOf(request.url) };
  const ms = () => Math.round(performance.now() - started);
  try {
    const answer = await ask(input, init);
    tell({ ...seen, status: answer.status, bytes: Number(answer.headers.get('content-length')), ms: ms() });
    return answer;
  } catch (error) {
    tell({ ...seen, status: 0, ms: ms() });
    throw error;
  }
};

const send = navigator.sendBeacon.bind(navigator);
navigator.sendBeacon = (url, data) => {
  tell({ method: 'POST', path: pathOf(String(url)), bytes: typeof data === 'string' ? data.length : 0 });
  return send(url, data);
};

new PerformanceObserver((list) => {
  for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
    if (entry.initiatorType !== 'script' || entry.name === own?.src) continue;
    const path = pathOf(entry.name);
    const { responseStatus: status = 200 } = entry as { responseStatus?: number };
    const what = path === own?.dataset['tag'] ? 'the tag' : 'the overlay';
    const { encodedBodySize: bytes, duration, transferSize } = entry;
    // The browser had it already.
    const isKept = transferSize === 0;
    tell({ method: 'GET', path, what, status, bytes, isKept, ms: Math.round(duration) });
  }
}).observe({ type: 'resource', buffered: true });

/** The view that the address names, made of a template. */
function showView(): void {
  const view = new URLSearchParams(location.search).get('view') ?? 'home';
  const template = document.getElementById(`view-${view}`);
  if (template instanceof HTMLTemplateElement)
    document.querySelector('[data-view]')?.replaceChildren(template.content.cloneNode(true));
}

addEventListener('DOMContentLoaded', () => {
  for (const template of document.querySelectorAll<HTMLTemplateElement>('template[data-after]'))
    setTimeout(
      () => template.replaceWith(template.content.cloneNode(true)),
      Number(template.dataset['after']),
    );
  for (const button of document.querySelectorAll<HTMLElement>('[data-route]'))
    button.addEventListener('click', () => {
      history.pushState(null, '', button.dataset['route']);
      showView();
    });
  addEventListener('popstate', showView);
  showView();
});
// Once the tag is there: such a root has to be handed to it.
addEventListener('load', () => {
  for (const template of document.querySelectorAll<HTMLTemplateElement>('template[data-shadow]')) {
    const root = template.parentElement?.attachShadow({ mode: 'open' });
    root?.append(template.content.cloneNode(true));
    if (root && template.dataset['shadow'] !== 'forgotten') window.tagswitch?.swap(root);
  }
});
