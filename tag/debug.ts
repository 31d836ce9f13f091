/**
 * Shows on a page what the tag did, and why: for who makes the page. Added as an element of its own or by a bookmarklet; a
 * second time closes it. It reads what any script of the page can read, and changes nothing but its own panel.
 */
import type {} from './loader.js';
import { placesFound, placesLeft } from './debug-page.js';
import { openPanel } from './debug-panel.js';
import { statusOf, tagsOf, toldBy } from './debug-status.js';
import type { Shown } from './visit.js';

/** Between two looks at a page that changes. */
const REST_MS = 250;
/** What decides whether a place is one. */
const ATTRIBUTES =
  'href src title aria-label alt placeholder contenteditable data-tagswitch data-tagswitch-off'.split(' ');

function open(): void {
  const shown = new Map<string, Shown>();
  const asked = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const look = () => {
    timer = undefined;
    const tags = tagsOf(document);
    const told = toldBy(tags);
    for (const number of told.numbers) ask(number.replace(/\s/g, ''));
    const places = window.tagswitch?.places() ?? [];
    panel.fill(statusOf(tags, shown), placesFound(places, told), placesLeft(document, places, told));
  };
  const soon = () => (timer ??= setTimeout(look, REST_MS));

  /** What was told before this script listened. */
  const ask = (printed: string) => {
    if (asked.has(printed) || !window.tagswitch) return;
    asked.add(printed);
    void window.tagswitch.number(printed)?.then((now) => {
      shown.set(printed, now);
      soon();
    });
  };
  const hear = (event: Event) => {
    const { detail } = event as CustomEvent<Shown>;
    shown.set(detail.printed, detail);
    soon();
  };

  const changes = new MutationObserver(soon);
  const panel = openPanel(() => {
    clearTimeout(timer);
    changes.disconnect();
    document.removeEventListener('tagswitch', hear);
    document.removeEventListener('tagswitch-overlay', panel.close);
  });
  // Beside the body: no framework takes it for a part of its own page.
  document.documentElement.append(panel.host);
  document.addEventListener('tagswitch', hear);
  document.addEventListener('tagswitch-overlay', panel.close);
  changes.observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributeFilter: ATTRIBUTES,
  });
  look();
}

function start(): void {
  if (document.querySelector('[data-tagswitch-overlay]'))
    document.dispatchEvent(new CustomEvent('tagswitch-overlay'));
  else open();
}

// A page that is still being made is not touched.
if (document.readyState === 'complete') start();
else addEventListener('load', start, { once: true });
