/**
 * The communication tag: asks for a number for this visit, shows it where the page shows its printed one, keeps it
 * while the page is looked at. Whatever fails, the page shows its printed number.
 */
import { pageNumbers } from './page-numbers.js';
import type { Analytics, Shown, Visit } from './visit.js';

interface Reply {
  readonly link: string | null;
  readonly number: string;
  readonly display: string;
  readonly level: string;
  /** The link's end by the server's clock, to be said again with the next heartbeat. */
  readonly until: string | null;
  readonly holdMs: number;
  readonly heartbeatMs: number;
  /** Within which time the page is to be heard again, or its link ends. */
  readonly confirmMs?: number;
  /** Of a heartbeat that confirmed the link. */
  readonly pass?: string;
}

/** The life of the page's number: what may follow what. */
const next = {
  printed: ['asking'],
  asking: ['held', 'shared', 'printed'],
  held: ['held', 'asking', 'printed'],
  /** A number that others see too: there is no link to keep. */
  shared: ['asking', 'printed'],
} as const;
type State = keyof typeof next;

const PATIENCE_MS = 5_000;
/** Who has looked at the page for so long is worth a number for longer. */
const LOOK_MS = 2_000;
const MOST_BYTES = 2_048;

const script = document.currentScript;
if (script instanceof HTMLScriptElement) {
  const { site = '', endpoint = '', tag, proof, bucket, area, number: printed = '' } = script.dataset;
  const base = new URL(script.src).origin;
  const begin = () => {
    if (window.tagswitch !== undefined)
      start(window.tagswitch, base, { site, endpoint, tag, proof, bucket, area }, printed);
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
  else begin();
}

function start(
  analytics: Analytics,
  base: string,
  ids: Readonly<Record<string, string | undefined>>,
  printed: string,
): void {
  const page = pageNumbers(document.body, printed);
  let state: State = 'printed';
  let held: (Reply & { session: string }) | undefined;
  let until = 0;
  let lookedSince = Date.now();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function to(wanted: State): void {
    if (!(next[state] as readonly State[]).includes(wanted)) return;
    state = wanted;
    if (state === 'asking') return;
    if (state !== 'printed' && held !== undefined) {
      page.show(held.number, held.display);
    } else {
      page.putBack();
      held = undefined;
      clearTimeout(timer);
    }
    const detail: Shown = {
      state,
      link: held?.link ?? null,
      number: held?.number ?? null,
      display: held?.display ?? null,
      level: held?.level ?? 'none',
      until: state === 'held' ? until : null,
    };
    document.dispatchEvent(new CustomEvent('tagswitch', { detail }));
  }

  /** One request; no answer in time is a failure as any other. */
  function send(path: string, method: string, body?: string): Promise<Response> {
    const control = new AbortController();
    const alarm = setTimeout(() => control.abort(), PATIENCE_MS);
    // A body of text is text/plain: no preflight.
    const options: RequestInit = { method, signal: control.signal, credentials: 'omit', cache: 'no-store' };
    if (body !== undefined) options.body = body;
    return fetch(base + path, options).finally(() => clearTimeout(alarm));
  }

  function question({ session, visitor, touch, pass }: Visit): string {
    const lean = { ...touch };
    const names = ['referrer', 'landingPage', 'clickIds', 'keyword', 'campaign'] as const;
    for (let i = 0; ; i++) {
      const text = JSON.stringify({ ...ids, session, visitor, pass, touch: lean });
      const name = names[i];
      if (name === undefined || new TextEncoder().encode(text).length <= MOST_BYTES) return text;
      delete lean[name];
    }
  }

  async function ask(visit: Visit): Promise<void> {
    if (state === 'asking') return;
    to('asking');
    const asked = Date.now();
    try {
      const response = await send('/v1/allocations', 'POST', question(visit));
      const reply = (await response.json()) as Reply;
      if (!response.ok || reply.level === 'none') return to('printed');
      held = { ...reply, session: visit.session };
      until = asked + (reply.confirmMs || reply.holdMs);
      to(reply.link === null ? 'shared' : 'held');
      wait();
    } catch {
      to('printed');
    }
  }

  /** Asks for a number, or says that the page is still there. */
  async function beat(): Promise<void> {
    const visit = analytics.visit();
    const mine = held;
    // After a long rest this is another visit, and the number was the former one's.
    if (!mine?.link || mine.session !== visit.session) return ask(visit);
    if (state !== 'held') return;
    const asked = Date.now();
    try {
      const { link, session, number, until: told } = mine;
      const said = { session, visitor: visit.visitor, number, until: told };
      const response = await send(`/v1/links/${link}`, 'PUT', JSON.stringify(said));
      if (held !== mine || state !== 'held') return;
      if (response.ok) {
        const reply = (await response.json()) as Reply;
        if (reply.pass) analytics.keepPass(reply.pass);
        held = { ...mine, until: reply.until, confirmMs: 0 };
        until = asked + mine.holdMs;
        to('held');
      } else if (response.status === 410 || response.status === 404) {
        return ask(visit);
      }
    } catch {
      // The network is away: the number is ours until its end, and the next heartbeat comes before that.
    }
    wait();
  }

  /** One timer: the next heartbeat while the page is looked at, and the end in any case. */
  function wait(): void {
    clearTimeout(timer);
    if (!held?.link) return;
    const left = until - Date.now();
    const looked = document.visibilityState === 'visible';
    const next = toLook() || held.heartbeatMs;
    timer = setTimeout(tick, Math.max(0, looked ? Math.min(left, next) : left));
  }

  /** How much longer the page is to be looked at before its link is confirmed, ms; 0 for long enough, or no need. */
  function toLook(): number {
    const { confirmMs = 0 } = held ?? {};
    return confirmMs > 0 ? Math.max(0, lookedSince + Math.min(LOOK_MS, confirmMs / 2) - Date.now()) : 0;
  }

  function tick(): void {
    if (state === 'held' && Date.now() >= until) to('printed');
    // Only somebody who looks at the page is worth a number.
    if (document.visibilityState === 'visible' && toLook() === 0) void beat();
    else wait();
  }

  document.addEventListener('visibilitychange', () => {
    lookedSince = Date.now();
    tick();
  });
  // Whatever the page's own scripts do with the click.
  document.addEventListener(
    'click',
    ({ target }) => {
      const link = target instanceof Element ? target.closest('a') : null;
      if (held?.link && link?.getAttribute('href') === `tel:${held.number}`)
        navigator.sendBeacon(`${base}/v1/links/${held.link}/tap`);
    },
    true,
  );
  addEventListener('online', tick);
  addEventListener('pageshow', (event) => {
    if (event.persisted) tick();
  });
  addEventListener('pagehide', () => {
    // The link ends soon, unless the next page of the visit or another tab is heard before.
    if (held?.link) navigator.sendBeacon(`${base}/v1/links/${held.link}/leave`);
  });
  tick();
}
