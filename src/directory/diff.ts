import { createHash } from 'node:crypto';
import type {
  Account,
  Directory,
  Endpoint,
  Hours,
  NumberRange,
  Pool,
  PrefixRule,
  Profile,
  Reuse,
  Site,
} from './model.js';
import { rangesSize, rangesText, subtractRanges } from './ranges.js';

/** One change, as it is shown to the operator. Holds no secret. */
export interface Change {
  readonly sign: '+' | '~' | '-';
  /** What and whose: `endpoint demo/demo-sales`. */
  readonly thing: string;
  readonly detail?: string;
}

export function changeLine({ sign, thing, detail }: Change): string {
  return `${sign} ${thing}${detail === undefined ? '' : `: ${detail}`}`;
}

/** What makes `next` of `current`, in words, account by account. */
export function diff(current: Directory, next: Directory): Change[] {
  const before = things(current);
  const after = things(next);
  const labels = [...new Set([...before.keys(), ...after.keys()])];
  const order = (label: string) => (after.get(label) ?? before.get(label))?.order ?? '';
  labels.sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
  return labels.flatMap((label) => changesOf(label, before.get(label), after.get(label)));
}

/** Something declared, as an operator sees it: two versions of it differ where these differ. */
interface Thing {
  readonly name: string;
  readonly facts: ReadonlyMap<string, string>;
  /** Compared, but never shown. */
  readonly secret?: string;
  /** Sets of numbers, by what a number of the set is called. */
  readonly numbers?: ReadonlyMap<string, readonly NumberRange[]>;
}

/** Everything that the directory declares, by its label. */
function things(directory: Directory): Map<string, Thing & { readonly order: string }> {
  const all = new Map<string, Thing & { readonly order: string }>();
  if (directory.reuse !== undefined)
    all.set('reuse of numbers', { name: '', facts: reuseFacts(directory.reuse), order: '' });
  for (const account of directory.accounts) {
    KINDS.forEach(({ kind, of }, i) => {
      for (const thing of of(account)) {
        const label =
          kind === 'account' ? `account ${account.name}` : `${kind} ${account.name}/${thing.name}`;
        all.set(label, { ...thing, order: `${account.name}\n${i}\n${thing.name}` });
      }
    });
  }
  return all;
}

function changesOf(label: string, before: Thing | undefined, after: Thing | undefined): Change[] {
  const changes: Change[] = [];
  if (before !== undefined && after !== undefined) {
    for (const fact of new Set([...before.facts.keys(), ...after.facts.keys()])) {
      const [old, now] = [before.facts.get(fact), after.facts.get(fact)];
      if (old !== now)
        changes.push({ sign: '~', thing: label, detail: `${fact} ${old ?? 'none'} -> ${now ?? 'none'}` });
    }
    if (before.secret !== after.secret) changes.push({ sign: '~', thing: label, detail: 'the key itself' });
  } else {
    const detail = [...(after?.facts ?? [])].map(([fact, value]) => `${fact} ${value}`).join('; ');
    changes.push({
      sign: after === undefined ? '-' : '+',
      thing: label,
      ...(detail === '' ? {} : { detail }),
    });
  }
  const numbers = (sign: '+' | '-', what: string, ranges: readonly NumberRange[]) => {
    const size = rangesSize(ranges);
    const thing = `${size === 1 ? what : `${size} ${what}s`} of ${label}`;
    if (size > 0) changes.push({ sign, thing, detail: rangesText(ranges) });
  };
  for (const what of NUMBER_SETS) {
    const [old, now] = [before?.numbers?.get(what) ?? [], after?.numbers?.get(what) ?? []];
    numbers('-', what, subtractRanges(old, now));
    numbers('+', what, subtractRanges(now, old));
  }
  return changes;
}

const NUMBER_SETS = ['number', 'paused number', 'retired number'] as const;

function listed(
  entries: readonly (readonly [string, string | number | undefined])[],
): ReadonlyMap<string, string> {
  return new Map(
    entries.flatMap(([fact, value]) => (value === undefined || value === '' ? [] : [[fact, String(value)]])),
  );
}

/** The kinds of things in the order in which they are shown. */
const KINDS: readonly { kind: string; of: (account: Account) => Thing[] }[] = [
  {
    kind: 'account',
    of: ({ name, timeZone, profile, redialMs, destinationPrefixes, ...caps }) => [
      {
        name,
        facts: listed([
          ['time zone', timeZone],
          ['profile', profileText(profile)],
          ['redial', redialMs === undefined ? undefined : `${redialMs} ms`],
          ['destinations begin with', destinationPrefixes?.join(', ')],
          ...capFacts(caps),
        ]),
      },
    ],
  },
  {
    kind: 'API key',
    of: (account) =>
      account.apiKeys.map(({ name, hash, addresses }) => ({
        name,
        facts: listed([['from', addresses.length === 0 ? 'anywhere' : addresses.join(', ')]]),
        secret: hash,
      })),
  },
  {
    kind: 'trunk',
    of: (account) =>
      account.trunks.map(({ name, addresses, gateway, transport, probe, assertedIdentity, ...more }) => ({
        name,
        facts: listed([
          ['addresses', addresses.join(', ')],
          ['gateway', gateway],
          ['transport', transport],
          ...capFacts(more),
          ['probe', probe === true ? 'yes' : undefined],
          ['redirections', more.followRedirects === true ? 'followed' : undefined],
          ['asserted identity', assertedIdentity === true ? 'trusted' : undefined],
          ['attestation', more.attestation],
          ['incoming numbers', rulesText(more.incoming)],
          ['outgoing numbers', rulesText(more.outgoing)],
          ['tech prefix', more.techPrefix],
        ]),
      })),
  },
  {
    kind: 'trunk group',
    of: (account) =>
      (account.trunkGroups ?? []).map(({ name, trunks }) => ({
        name,
        facts: listed([
          [
            'trunks',
            trunks
              .map(
                ({ trunk, priority, weight }) =>
                  `${priority}: ${namesOf(account.trunks, [trunk])} (${weight})`,
              )
              .join(', '),
          ],
        ]),
      })),
  },
  {
    kind: 'endpoint',
    of: (account) =>
      account.endpoints.map((endpoint) => ({
        name: endpoint.name,
        facts: listed([
          ['destinations', ringText(endpoint, account)],
          ['whisper', endpoint.whisper],
          ['hours', hoursText(endpoint.hours)],
          ['routes', routesText(endpoint, account)],
          ['overflow', endpoint.overflow && namesOf(account.endpoints, [endpoint.overflow])],
          ...capFacts(endpoint),
          ['shown to callees', endpoint.callerShown],
          ['longest call', endpoint.maxCallMs === undefined ? undefined : `${endpoint.maxCallMs} ms`],
        ]),
      })),
  },
  {
    kind: 'site',
    of: (account) =>
      account.sites.map((site) => ({
        name: site.name,
        facts: listed([
          ['origins', site.origins.join(', ')],
          ['printed number', site.printedNumber],
          ['endpoints', namesOf(account.endpoints, site.endpoints) || 'all'],
          ['hold', `${site.holdMs} ms`],
          ['heartbeat', `${site.heartbeatMs} ms`],
          ...siteFacts(site),
        ]),
      })),
  },
  { kind: 'pool', of: (account) => account.pools.map((pool) => poolThing(pool, account)) },
];

function poolThing(pool: Pool, account: Account): Thing {
  const one = (list: readonly { id: string; name: string }[], id: string | undefined) =>
    id === undefined ? undefined : namesOf(list, [id]);
  return {
    name: pool.name,
    facts: listed([
      ['site', one(account.sites, pool.site)],
      ['endpoint', one(account.endpoints, pool.reservedEndpoint)],
      ['default endpoint', one(account.endpoints, pool.defaultEndpoint)],
      ['trunk', one(account.trunks, pool.trunk)],
      ['areas', pool.areas?.join(', ')],
      ['in quarantine', pool.inQuarantine],
      ['announcement', pool.announcement],
      // The first one is tried first; where there is one alone, that says nothing.
      ['rank', account.pools.length < 2 ? undefined : pool.rank],
    ]),
    numbers: new Map([
      ['number', pool.numbers],
      ['paused number', pool.paused ?? []],
      ['retired number', pool.retired ?? []],
    ]),
  };
}

type Fact = readonly [string, string | number | undefined];

function siteFacts(site: Site): Fact[] {
  const { bucket } = site;
  return [
    ['degrade', site.degrade?.join(', ')],
    [
      'bucket',
      bucket &&
        `${bucket.criteria.join(' + ')} ${bucket.switchAt} ${bucket.threshold}, back at ${bucket.backAt}`,
    ],
    ['overflow number', site.overflowNumber],
    ['provisional', site.provisionalMs === undefined ? undefined : `${site.provisionalMs} ms`],
    ['reserved share', site.reservedShare],
    ['new links a second', site.newLinksPerSecond],
    ['visitor key', site.visitorKey === undefined ? undefined : fingerprint(site.visitorKey)],
    ['embedded', site.embedded === true ? 'yes' : undefined],
  ];
}

/** Enough of a public key's digest to tell it from another. */
function fingerprint(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

function reuseFacts({ quarantineMs, likeness, halfLifeMs, weights }: Reuse): ReadonlyMap<string, string> {
  const weightsText = Object.entries(weights).map(([dimension, weight]) => `${dimension} ${weight}`);
  return listed([
    ['quarantine', `${quarantineMs} ms`],
    ['likeness', likeness],
    ['half-life', `${halfLifeMs} ms`],
    ['weights', weightsText.join(', ')],
  ]);
}

/** `trade dentist, hygienist; region kent`. */
function profileText(profile: Profile | undefined): string | undefined {
  return (
    profile &&
    Object.entries(profile)
      .map(([dimension, words]) => `${dimension} ${words.join(', ')}`)
      .join('; ')
  );
}

function namesOf(list: readonly { id: string; name: string }[], ids: readonly string[]): string {
  return ids.map((id) => list.find((thing) => thing.id === id)?.name ?? id).join(', ');
}

/** `a + b for 30000 ms, then c for 20000 ms`. */
function ringText({ ring }: Endpoint, account: Account): string {
  return ring
    .map(({ ringMs, rings, destinations }) => {
      const texts = destinations.map(
        ({ to, trunks, group = namesOf(account.trunks, trunks), weight }) =>
          `${to}${group === '' ? '' : ` over ${group}`}${weight === undefined ? '' : ` (${weight})`}`,
      );
      return `${texts.join(rings === 'one' ? ' or ' : ' + ')} for ${ringMs} ms`;
    })
    .join(', then ');
}

/** `0 -> +44, 00 -> +`. */
function rulesText(rules: readonly PrefixRule[] | undefined): string | undefined {
  return rules?.map(({ prefix, becomes }) => `${prefix} -> ${becomes}`.trim()).join(', ');
}

function capFacts({
  concurrentCalls,
  callsPerSecond,
}: Pick<Endpoint, 'concurrentCalls' | 'callsPerSecond'>): Fact[] {
  return [
    ['calls at once', concurrentCalls],
    ['calls a second', callsPerSecond],
  ];
}

/** `mon,tue 09:00-17:30; closed 12-25; in Europe/London`. */
function hoursText(hours: Hours | undefined): string | undefined {
  if (hours === undefined) return undefined;
  const clock = (minute: number): string =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  const span = (from: number, to: number): string => `${clock(from)}-${clock(to)}`;
  const open = hours.open.map(
    ({ days, from, to }) => `${days.map((day) => DAY_NAMES[day]).join(',')} ${span(from, to)}`,
  );
  const holidays = (hours.holidays ?? []).map(({ day, from, to }) =>
    from === undefined || to === undefined ? `closed ${day}` : `${day} ${span(from, to)}`,
  );
  return [...open, ...holidays, ...(hours.timeZone === undefined ? [] : [`in ${hours.timeZone}`])].join('; ');
}

const DAY_NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function routesText({ routes }: Endpoint, account: Account): string | undefined {
  return routes
    ?.map(
      ({ areas = [], attestations = [], endpoint }) =>
        `${[...areas, ...attestations].join(' ')} to ${namesOf(account.endpoints, [endpoint])}`,
    )
    .join('; ');
}
