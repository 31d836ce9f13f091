/**
 * The analytics tag: gives each visit one session id, the same after a reload and in every tab, a new one after 30
 * minutes without a page view or heartbeat; and reads what brought the visitor here. First-party storage alone; where
 * there is none, the visit lasts as long as the page.
 */
import type { Touch, Visit } from './visit.js';

const IDLE_MS = 30 * 60_000;
/** Characters of one value: a touch must fit into a request of 2 KB. */
const MOST = 200;
const CLICK_IDS = [
  'gclid',
  'gbraid',
  'wbraid',
  'dclid',
  'fbclid',
  'msclkid',
  'ttclid',
  'twclid',
  'li_fat_id',
  'yclid',
];

interface Kept extends Visit {
  /** When it was last heard of, ms since the epoch. */
  readonly seen: number;
}

const script = document.currentScript;
const key = `tagswitch.${script?.dataset['site'] ?? ''}`;
/** Where storage is refused, this is all there is. */
let memory: Kept | undefined;

function read(): Kept | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? 'null') as Partial<Kept> | null;
    if (
      typeof kept?.session === 'string' &&
      typeof kept.visitor === 'string' &&
      typeof kept.seen === 'number'
    ) {
      const { session, visitor, seen, touch = {}, pass } = kept;
      return { session, visitor, seen, touch, pass };
    }
  } catch {
    // Refused, or spoiled by another script: as if there were nothing.
  }
  return memory;
}

function keep(kept: Kept): void {
  memory = kept;
  try {
    localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // Refused or full: the memory of this page has to do.
  }
}

function randomId(): string {
  let text = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) text += (byte + 256).toString(16).slice(1);
  return text;
}

/** What the address and the referrer say of how this page was reached; undefined when they say nothing. */
function touchOfPage(): Touch | undefined {
  const query = new URLSearchParams(location.search);
  const cut = (value: string | null) =>
    value?.replace(/[\0-\x1f\x7f\u2028\u2029]/g, ' ').slice(0, MOST) || undefined;
  const touch: Touch = {};
  const put = (name: Exclude<keyof Touch, 'clickIds'>, value: string | undefined) => {
    if (value !== undefined) touch[name] = value;
  };
  put('source', cut(query.get('utm_source')));
  put('medium', cut(query.get('utm_medium')));
  put('campaign', cut(query.get('utm_campaign')));
  put('keyword', cut(query.get('utm_term')));
  for (const name of CLICK_IDS) {
    const id = cut(query.get(name));
    if (id !== undefined && Object.keys((touch.clickIds ??= {})).length < 3) touch.clickIds[name] = id;
  }
  // A referrer of this very host is the visit going on, no new contact.
  let from = '';
  try {
    from = new URL(document.referrer).host;
  } catch {
    // No referrer.
  }
  if (from !== '' && from !== location.host)
    put('referrer', cut(document.referrer.split(/[?#]/, 1)[0] ?? ''));
  if (Object.keys(touch).length === 0) return undefined;
  put('landingPage', cut(location.origin + location.pathname));
  return touch;
}

let arrived = touchOfPage();

window.tagswitch = {
  visit() {
    const now = Date.now();
    const kept = read();
    // A clock that was set back must not make a visit last for ever.
    const goesOn = kept !== undefined && Math.abs(now - kept.seen) < IDLE_MS;
    const visit: Kept = {
      session: goesOn ? kept.session : randomId(),
      visitor: kept?.visitor ?? randomId(),
      touch:
        arrived ??
        (goesOn ? kept.touch : { landingPage: (location.origin + location.pathname).slice(0, MOST) }),
      pass: kept?.pass,
      seen: now,
    };
    arrived = undefined; // said once: another tab may have had a newer contact since
    keep(visit);
    return visit;
  },
  keepPass(pass) {
    const kept = read();
    if (kept !== undefined) keep({ ...kept, pass });
  },
};
