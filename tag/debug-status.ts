/** What the tag knows, in words. Reads what any script of the page can read; link, pass and proof stay where they are. */
import { explainConsent } from './explain-consent.js';
import type { Told } from './debug-page.js';
import type { Rule } from './places.js';
import type { Shown } from './visit.js';

/** The elements of the tag in this page. */
const TAGS = 'script[data-site]';

const levels: Readonly<Record<string, string>> = {
  session: 'session: this visit\u2019s own',
  token: 'token: this visit\u2019s own',
  bucket: 'bucket: of all who came this way',
  overflow: 'overflow: of everybody',
};
const states: Readonly<Record<Shown['state'], string>> = {
  held: 'held: another number stands in the page',
  shared: 'shared: a number without a link stands in the page',
  printed: 'printed: the page shows its own number',
};

export type Line = readonly [label: string, value: string];

export function tagsOf(document: Document): readonly DOMStringMap[] {
  return [...document.querySelectorAll<HTMLElement>(TAGS)].map(({ dataset }) => dataset);
}

/** What the elements of the tag say of numbers and rules. */
export function toldBy(tags: readonly DOMStringMap[]): Told {
  return {
    numbers: tags.flatMap((tag) => tag['number'] ?? []),
    rules: tags.flatMap((tag) => rulesOf(tag['rules'])),
  };
}

function rulesOf(text = '[]'): Rule[] {
  try {
    return JSON.parse(text) as Rule[];
  } catch {
    return []; // The tag itself stopped at it; `statusOf` says so.
  }
}

/** @param shown by printed number, E.164 */
export function statusOf(tags: readonly DOMStringMap[], shown: ReadonlyMap<string, Shown>): Line[] {
  const [first] = tags;
  if (!first) return [['Tag', 'no element of the tag is in this page (script with data-site)']];
  if (!window.tagswitch)
    return [['Tag', 'its script has not run: refused by a policy, blocked, or still on its way']];
  const site = first['site'] ?? '';
  const numbers = tags.filter((tag) => tag['endpoint'] !== undefined);
  const all = numbers.map((tag) => shown.get(printedOf(tag)));
  const held = all.filter((now) => now?.number !== undefined);
  const session = held.find((now) => now?.session !== undefined)?.session;
  const kept = keptOf(site);
  return [
    ['Site', site],
    ...numbers.flatMap((tag, at) => linesOf(tag, all[at])),
    ['Session', session ?? (held.length > 0 ? undefined : kept.session) ?? 'none'],
    ['Visitor', (session && kept.visitor) || 'none is kept'],
    [
      'Consent',
      explainConsent({
        setting: first['consent'],
        mode: consentMode(),
        globalPrivacyControl: navigator.globalPrivacyControl === true,
        hasSession: held.length > 0 ? session !== undefined : undefined,
      }),
    ],
  ];
}

const printedOf = (tag: DOMStringMap) => (tag['number'] ?? '').replace(/\s/g, '');

/** What one element of the tag stands for. */
function linesOf(tag: DOMStringMap, now: Shown | undefined): Line[] {
  const lines: Line[] = [
    ['Endpoint', tag['endpoint'] ?? ''],
    ['Printed number', printedOf(tag) || 'none: marked elements alone'],
  ];
  if (tag['rules'] && rulesOf(tag['rules']).length === 0) lines.push(['Rules', 'cannot be read: no JSON']);
  lines.push(['State', now ? states[now.state] : 'asking for a number']);
  if (now?.number !== undefined) {
    lines.push(['Shown', `${now.display ?? ''} (${now.number})`]);
    lines.push(['Level', levels[now.level ?? ''] ?? now.level ?? '']);
  }
  if (now?.link && now.ends !== undefined)
    lines.push(['Until', `${new Date(now.ends).toLocaleTimeString()}, longer while the page is looked at`]);
  return lines;
}

/** What the analytics tag keeps for the site in this browser. */
function keptOf(site: string): { readonly session?: string; readonly visitor?: string } {
  try {
    const { session, visitor } = (JSON.parse(localStorage.getItem(`tagswitch.${site}`) ?? '{}') ??
      {}) as Record<string, string>;
    return { ...(session && { session }), ...(visitor && { visitor }) };
  } catch {
    return {}; // Storage is refused: nothing is kept.
  }
}

function consentMode(): string | undefined {
  let mode: string | undefined;
  for (const entry of window.dataLayer ?? [])
    if (entry[0] === 'consent')
      mode = (entry[2] as { analytics_storage?: string } | undefined)?.analytics_storage ?? mode;
  return mode;
}
