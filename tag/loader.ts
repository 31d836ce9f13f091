/**
 * What a site's pages carry: both tags in one script. The attributes of its element say which site and endpoint, and which
 * number is printed; an element without an endpoint is the analytics tag alone. A second element is for a second number.
 */
import { api, arrive, choose, openAnalytics, visit } from './analytics.js';
import { communicationOf, type Communication } from './communication.js';
import type { Place } from './places.js';
import type { Consent, Shown, Visit } from './visit.js';

/** `window.tagswitch`. */
export interface Tagswitch {
  /** What the page shows in the place of a printed number (E.164; the first one's when absent), once that is known. */
  number(printed?: string): Promise<Shown> | undefined;
  /** The session of this page's visitor. */
  visit(): Visit;
  /** What the visitor said to being recognised. */
  consent(consent: Consent): void;
  /** Looks through a part of the page that cannot be seen from the document, such as an open shadow root. */
  swap(root: Document | ShadowRoot): void;
  /** What was found, and why. */
  places(): readonly Place[];
  /** Another element of the tag. */
  add(script: HTMLScriptElement): void;
}

declare global {
  interface Window {
    tagswitch?: Tagswitch;
  }
}

function start(): Tagswitch {
  const all: Communication[] = [];
  const ask = () => all.forEach(({ ask }) => void ask());

  // A page that changes its address without a load is another page view.
  let url = document.URL;
  const move = () => {
    if (url === (url = document.URL)) return;
    arrive();
    ask();
  };
  addEventListener('popstate', move);
  const change = history.pushState.bind(history);
  history.pushState = (...values) => {
    change(...values);
    move();
  };

  return {
    number: (wanted) => (all.find(({ printed }) => printed === wanted) ?? all[0])?.number(),
    visit,
    consent(consent) {
      choose(consent);
      ask();
    },
    swap: (root) => all.forEach(({ watch }) => watch(root)),
    places: () => all.flatMap(({ all }) => [...all.values()]),
    add({ dataset, src }) {
      const base = src.split('/t/')[0] as string;
      if (!api) openAnalytics(base, dataset, ask);
      if (dataset['endpoint']) all.push(communicationOf(dataset));
      else visit();
    },
  };
}

const script = document.currentScript;
if (script) (window.tagswitch ??= start()).add(script as HTMLScriptElement);
