/**
 * The analytics tag: gives each visit one session id, the same after a reload and in every tab, a new one after 30
 * minutes without a page view or heartbeat or with a new campaign; and keeps what brought the visitor here. Where nothing
 * may be kept there is no session; where nothing can be, the visit lasts as long as the page.
 */
import type { Arrival, Consent, Held, Settings, Visit } from './visit.js';

const IDLE_MS = 30 * 60_000;
/** Set by the server, so that it outlives what browsers allow a script to keep. */
const COOKIE = '\\btsv=([\\w-]+)';
const CLICK = /clk?id$|^([gw]braid|li_fat_id)$/;
/** Characters of one value: what brought a visitor must fit into a request of 2 KB. */
const MOST = 200;

interface Kept extends Visit {
  readonly session: string;
  readonly visitor: string;
  /** When it was last heard of, ms since the epoch. */
  readonly seen: number;
  /** What it was last shown, by the printed number. */
  readonly shown?: Readonly<Record<string, Held | undefined>>;
}

/** An entry of Google's `dataLayer`: what `gtag('consent', 'update', { analytics_storage: 'granted' })` pushed. */
type Entry = Readonly<Record<number, unknown>>;

declare global {
  interface Window {
    dataLayer?: Entry[];
  }
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
}

/** Where everything is asked. */
export let api: string;
let settings: Settings;
let key: string;
let chosen: Consent | undefined;
/** Where storage is refused, this is all there is. */
let memory: Kept | undefined;
/** This address has brought nobody yet. */
let isNew = true;

/** The first tag of a page says of which site it is. @param changed told of another consent */
export function openAnalytics(from: string, given: Settings, changed: () => void): void {
  api = from + '/v1/';
  settings = given;
  key = `tagswitch.${given['site']}`;
  const layer = (window.dataLayer ??= []);
  const push = layer.push;
  layer.push = (...entries) => {
    const length = push.apply(layer, entries);
    if (entries[0]?.[0] === 'consent') changed();
    return length;
  };
  // The page is left: time for what nobody waits for.
  addEventListener('pagehide', () => {
    const kept = read();
    if (kept && !toldBy(COOKIE)) tellCookie(kept.visitor);
  });
}

/**
 * Whether anything may be kept of this visitor. The tag says it for a page that asks nobody; Google's consent mode, where
 * the page uses it, and a Global Privacy Control outweigh that, and what he chose here outweighs all.
 */
function granted(): boolean {
  let consent = settings['consent'] ?? 'granted';
  for (const entry of window.dataLayer as Entry[])
    if (entry[0] === 'consent')
      consent = (entry[2] as { analytics_storage?: Consent } | undefined)?.analytics_storage ?? consent;
  return (chosen ?? (navigator.globalPrivacyControl ? 'denied' : consent)) === 'granted';
}

/** What this address was reached by. */
function arrival(): Arrival {
  const { URL: url, referrer } = document;
  const plain = (url: string) => ((url.split('?')[0] as string).split('#')[0] as string).slice(0, MOST);
  const query: Record<string, string> = {};
  // Most addresses have none.
  if (url.includes('?'))
    for (const [name, value] of new URLSearchParams(location.search))
      if (/^utm_/.test(name) || (CLICK.test(name) && granted())) query[name] = value.slice(0, MOST);
  return { query, referrer: plain(referrer), landingPage: plain(url) };
}

/** What is kept of the visit that was last heard of. */
export function read(): Kept | undefined {
  if (!granted()) return undefined;
  try {
    const kept = JSON.parse(localStorage.getItem(key) as string) as Kept | null;
    if (kept?.session) return kept;
  } catch {
    // Refused, or spoiled by another script: as if there were nothing.
  }
  return memory;
}

function keep(kept?: Kept): void {
  memory = kept;
  try {
    if (kept) localStorage.setItem(key, JSON.stringify(kept));
    else localStorage.removeItem(key);
  } catch {
    // Refused or full: the memory of this page has to do.
  }
}

/** Keeps more with the visit that goes on. */
export function keepMore(more: (kept: Kept) => Partial<Kept>): void {
  const kept = read();
  if (kept) keep({ ...kept, ...more(kept) });
}

/** The page has another address now. */
export function arrive(): void {
  isNew = true;
}

/** The visit that goes on now. */
export function visit(): Visit {
  const here = arrival();
  if (!granted()) return { touch: here };
  const now = Date.now();
  const kept = read();
  const said = JSON.stringify(here.query);
  const goesOn =
    kept &&
    // A clock that was set back must not make a visit last for ever.
    Math.abs(now - kept.seen) < IDLE_MS &&
    // A campaign is told once: another tab may have had a newer one since.
    !(isNew && said[2] && said !== JSON.stringify(kept.touch.query));
  isNew = false;
  const going: Kept = {
    ...(goesOn ? kept : { session: randomId(), pass: kept?.pass, touch: here }),
    visitor: (!goesOn && toldBy(COOKIE)) || kept?.visitor || randomId(),
    seen: now,
  };
  keep(going);
  const whose = toldBy(settings['visitor']);
  const own = toldBy(settings['session']);
  return {
    ...going,
    ...(whose && { visitor: whose }),
    ...(own && { session: whose ? `${whose}.${own}` : own }),
  };
}

export function choose(consent: Consent): void {
  chosen = consent;
  if (consent !== 'denied') return;
  keep();
  if (toldBy(COOKIE)) tellCookie();
}

function tellCookie(visitor?: string): void {
  beacon('visitors/cookie', JSON.stringify({ site: settings['site'], visitor }));
}

/** What a page can still send when it is left, and what no click waits for. */
export function beacon(path: string, body?: string): void {
  navigator.sendBeacon(api + path, body);
}

/** An id that the page's own analytics made: found in a cookie by a pattern, or told by a function of the page. */
function toldBy(source: string | undefined): string | undefined {
  if (!source) return undefined;
  const tell = (window as unknown as Record<string, unknown>)[source];
  return typeof tell === 'function'
    ? (tell as () => string | undefined)()
    : RegExp(source).exec(document.cookie)?.[1];
}

function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
