/**
 * The communication tag: asks for a number for this visit, has it shown where the page shows its printed one, keeps it
 * while the page is looked at. Whatever fails, the page shows its printed number.
 */
import { api, beacon, keepMore, read, visit } from './analytics.js';
import { placesOf, type Rule } from './places.js';
import type { Held, Reply, Settings, Shown } from './visit.js';

/** The life of the page's number: what may follow what. */
const next = {
  printed: 'asking held',
  asking: 'held printed',
  held: 'held asking printed',
} as const;
type State = keyof typeof next;

const MOST_BYTES = 2_048;
/** No answer in time is a failure as any other. */
const PATIENCE_MS = 5_000;
/** Between two tries near a link's end, where nobody answers. */
const LEAST_MS = 500;
/** How long the printed number may be out of sight while another is asked for. */
const MOST_HIDDEN_MS = 200;

export type Communication = ReturnType<typeof communicationOf>;

/** The number of one element of the tag, and its whole life. */
export function communicationOf(settings: Settings) {
  const { site, endpoint, tag, proof, bucket, area, number = '', rules = '[]', hide } = settings;
  const printed = number.replaceAll(' ', '');
  let state: State = 'printed';
  /** What the page shows; `told`: what it was told itself, and no other tab. */
  let held: Held | undefined;
  let told: Held | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let settle: () => void;
  const settled = new Promise<void>((resolve) => (settle = resolve));

  const places = placesOf(number, JSON.parse(rules) as Rule[], hide ? 0 : MOST_HIDDEN_MS);

  const shown = (): Shown => ({
    ...held,
    state: held ? (held.link ? 'held' : 'shared') : 'printed',
    printed,
  });

  const to = (now?: Held, wanted: State = now ? 'held' : 'printed') => {
    if (!next[state].includes(wanted)) return;
    state = wanted;
    held = now;
    if (state === 'asking') return;
    places.show(held);
    settle();
    document.dispatchEvent(new CustomEvent('tagswitch', { detail: shown() }));
    wait();
  };

  /** Asks for a number, or says that the page with this one is still there. One request; no answer is a failure as any other. */
  const ask = async () => {
    if (state === 'asking') return;
    to(held, 'asking');
    const asked = Date.now();
    const { session, visitor, pass, touch } = visit();
    const question: Record<string, unknown> = {
      ...{ site, endpoint, tag, proof, bucket, area, session, visitor, pass, touch },
      consent: session ? undefined : 'denied',
      // After a long rest this is another visit, and the number was the former one's.
      ...(told?.link &&
        told.session === session && { link: told.link, number: told.number, until: told.until }),
    };
    // As long as its bytes, or longer: a quotation mark counts three.
    if (encodeURI(JSON.stringify(question))[MOST_BYTES]) question['touch'] = undefined;
    try {
      // Text is text/plain: no preflight.
      const response = await fetch(api + 'allocations', {
        method: 'POST',
        body: JSON.stringify(question),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      // A refusal gives nothing that could be taken apart: that throws, as no answer does.
      const answer: unknown = response.ok ? await response.json() : null;
      const { pass, ...reply } = answer as Reply & { pass?: string };
      if (pass) keepMore(() => ({ pass }));
      told = { ...reply, session, ends: asked + (reply.confirmMs || reply.holdMs) };
      to(reply.level !== 'none' ? told : undefined);
    } catch {
      // The network is away: a number that is ours is so until its end.
      to(held && held.ends > Date.now() ? held : undefined);
    }
    keepMore((kept) => ({ shown: { ...kept.shown, [printed]: held } }));
  };

  /** One timer: the next heartbeat while the page is looked at, and the end in any case. */
  const wait = () => {
    clearTimeout(timer);
    if (!held?.link) return;
    const left = held.ends - Date.now();
    timer = setTimeout(tick, document.hidden ? left : Math.min(left / 2 + LEAST_MS, held.heartbeatMs));
  };

  /** Something happened: a time has come, the network is back. */
  const tick = () => {
    if (held && held.ends < Date.now()) to();
    // Only somebody who looks at the page is worth a number.
    if (!document.hidden) void ask();
    else wait();
  };

  const tell = (what: string) => held?.link && beacon(`links/${held.link}/${what}`);

  /** Shows what this visit was shown before, on another page or in another tab. */
  const adopt = () => {
    const known = read()?.shown?.[printed];
    if (known && known.ends > Date.now() && known.link !== held?.link) to(known);
  };

  const on = addEventListener;
  on('visibilitychange', () => (held?.link ? wait() : tick()));
  on('online', tick);
  on('pageshow', ({ persisted }) => persisted && tick());
  // The link ends soon, unless the next page of the visit or another tab is heard before.
  on('pagehide', () => tell('leave'));
  on('storage', adopt);
  // Paper outlives any link.
  on('beforeprint', () => places.show());
  on('afterprint', () => places.show(held));
  // Whatever the page's own scripts do with the click.
  on(
    'click',
    ({ target }) => {
      if (held && (target as Element).closest?.(`[href*="${held.number}"]`)) tell('tap');
    },
    true,
  );

  places.watch(document);
  adopt();
  void ask();

  return { ...places, printed, ask, number: () => settled.then(shown) };
}
