import { createHash } from 'node:crypto';
import { UNKNOWN } from '../../src/calls/fold.js';
import type { CallEvent } from '../../src/calls/events.js';
import { BadCursor, type CallFilter, type CallLog } from '../../src/calls/ports.js';
import type { CallRecord } from '../../src/calls/record.js';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import type { Account, Directory, Site } from '../../src/directory/model.js';
import { createHttp, type HttpServer } from '../../src/http/server.js';
import type { HttpParts, LinkPort, NumberFacts } from '../../src/http/ports.js';
import { mintId } from '../../src/ids.js';
import { mintLinkTail, poolTag } from '../../src/numbers/links.js';
import { displayNumber } from '../../src/numbers/e164.js';
import { StoreUnavailable } from '../../src/numbers/ports.js';
import type { AllocationRequest, Claim } from '../../src/numbers/types.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { keepingLogger } from '../support/logger.js';

export const ORIGIN = 'https://www.example.com';
export const OTHER_ORIGIN = 'https://shop.example.com';
export const KEY = 'key-of-acme';
export const OTHER_KEY = 'key-of-other';
export const PRINTED = '+12025550199';
export const T0 = Date.UTC(2026, 0, 1);

function makeAccount(
  name: string,
  key: string,
  origins: readonly string[],
  over: Partial<Account> = {},
): Account {
  return {
    id: mintId('acc'),
    name,
    timeZone: 'UTC',
    apiKeys: [
      {
        id: mintId('key'),
        name: 'main',
        hash: createHash('sha256').update(key).digest('hex'),
        addresses: [],
      },
    ],
    sites: [
      {
        id: mintId('site'),
        name: 'web',
        origins,
        printedNumber: PRINTED,
        endpoints: [],
        holdMs: 60_000,
        heartbeatMs: 20_000,
      },
    ],
    endpoints: [{ id: mintId('end'), name: 'sales', ring: [] }],
    pools: [{ id: mintId('pool'), name: 'main', numbers: [{ first: '+12025550100', last: '+12025550149' }] }],
    trunks: [],
    ...over,
  };
}

/** Two accounts: the first has the site `web` (ORIGIN) and `closed` (OTHER_ORIGIN, may name `service` alone). */
export function makeDirectory(
  origin = ORIGIN,
  otherOrigin = OTHER_ORIGIN,
  life: Partial<Site> = {},
): Directory {
  const first = makeAccount('acme', KEY, [origin]);
  const service = { id: mintId('end'), name: 'service', ring: [] };
  const [site] = first.sites;
  if (site === undefined) throw new Error('the account has a site');
  const web = { ...site, ...life };
  const closed = {
    ...web,
    id: mintId('site'),
    name: 'closed',
    origins: [otherOrigin],
    endpoints: [service.id],
  };
  const acme: Account = { ...first, sites: [web, closed], endpoints: [...first.endpoints, service] };
  const other = makeAccount('other', OTHER_KEY, ['https://other.example.com'], {
    pools: [{ id: mintId('pool'), name: 'main', numbers: [{ first: '+12025550150', last: '+12025550159' }] }],
  });
  return { apiVersion: 'tagswitch/v1', version: 1, nextSerial: 1, accounts: [acme, other] };
}

interface FakeLink {
  readonly link: `lnk_${string}`;
  readonly number: string;
  readonly request: AllocationRequest;
  readonly holdMs: number;
  until: number;
  /** Not heard a second time yet. */
  fresh: boolean;
  tapped: number;
}

/** The numbers room as pages see it, in memory: one list of links, with the same answers as the real one. */
export class FakeLinks implements LinkPort {
  readonly links: FakeLink[] = [];
  /** How many requests reached it. */
  asked = 0;
  /** The newest of those for a number. */
  lastRequest: AllocationRequest | undefined;
  /** What heartbeats said, newest last. */
  readonly claims: (Claim | undefined)[] = [];
  /** What `part` was asked. */
  readonly parted: { site: string; endpoints: readonly string[]; person: string }[] = [];
  failure: Error | undefined;
  readonly #now: () => number;
  readonly #numbers: string[];

  constructor(now: () => number, numbers: readonly string[]) {
    this.#now = now;
    this.#numbers = [...numbers];
  }

  get live(): readonly FakeLink[] {
    return this.links.filter(({ until }) => until > this.#now());
  }

  async allocate(request: AllocationRequest, { site, pools }: Parameters<LinkPort['allocate']>[1]) {
    this.#ask();
    this.lastRequest = request;
    const { holdMs, heartbeatMs, printedNumber, degrade = ['session'], overflowNumber } = site;
    const until = this.#now() + holdMs;
    const level = request.anonymous === true ? ('bucket' as const) : ('session' as const);
    const holder = (r: AllocationRequest) => [
      ...[r.site, r.endpoint, r.session, r.anonymous],
      r.anonymous === true && (JSON.parse(r.touch ?? '{}') as { source?: string }).source,
    ];
    const same = this.live.find(({ request: r }) => String(holder(r)) === String(holder(request)));
    if (same !== undefined) {
      same.until = until;
      const confirmMs = same.fresh ? (site.provisionalMs ?? 0) : 0;
      return { ...same, level, until, holdMs, heartbeatMs, confirmMs, fresh: false };
    }
    const taken = new Set(this.live.map(({ number }) => number));
    const number = this.#numbers.find((one) => !taken.has(one));
    const pool = pools[0];
    if (number === undefined || pool === undefined || !degrade.includes('session')) {
      const overflow = degrade.includes('overflow') ? overflowNumber : undefined;
      return {
        link: null,
        number: overflow ?? printedNumber,
        level: overflow === undefined ? ('none' as const) : ('overflow' as const),
        until: null,
        holdMs,
        heartbeatMs,
        fresh: false,
      };
    }
    const made: FakeLink = {
      link: `lnk_${poolTag(pool.id)}${mintLinkTail()}`,
      number,
      request,
      holdMs,
      until,
      fresh: request.known !== true && (site.provisionalMs ?? 0) > 0,
      tapped: 0,
    };
    this.links.push(made);
    const confirmMs = made.fresh ? (site.provisionalMs ?? 0) : 0;
    if (made.fresh) made.until = this.#now() + confirmMs;
    const shown = { link: made.link, number, until: made.until, holdMs, heartbeatMs, confirmMs };
    return { ...shown, level, fresh: true };
  }

  async renew(_account: string, link: string, sites: readonly string[], claim?: Claim) {
    this.#ask();
    this.claims.push(claim);
    const found = this.#find(link, sites);
    if (found === undefined) return { state: 'unknown' as const };
    if (found.until <= this.#now()) return { state: 'ended' as const };
    found.until = this.#now() + found.holdMs;
    const confirmed = found.fresh;
    found.fresh = false;
    const { endpoint, site } = found.request;
    return {
      state: 'renewed' as const,
      number: found.number,
      until: found.until,
      endpoint,
      site,
      holdMs: found.holdMs,
      confirmed,
    };
  }

  async tap(_account: string, link: string, sites: readonly string[]) {
    this.#ask();
    const found = this.#find(link, sites);
    if (found !== undefined) found.tapped++;
    return found !== undefined;
  }

  async part(_account: string, site: string, endpoints: readonly string[], person: string) {
    this.#ask();
    this.parted.push({ site, endpoints, person });
    return 1;
  }

  async end(_account: string, link: string, sites: readonly string[], graceMs: number) {
    this.#ask();
    const found = this.#find(link, sites);
    if (found === undefined) return 'unknown' as const;
    if (found.until <= this.#now()) return 'ended' as const;
    found.until = Math.min(found.until, this.#now() + graceMs);
    return 'done' as const;
  }

  #find(link: string, sites: readonly string[]): FakeLink | undefined {
    return this.links.find((one) => one.link === link && sites.includes(one.request.site));
  }

  #ask(): void {
    this.asked++;
    if (this.failure !== undefined) throw this.failure;
  }
}

/** What Redis would tell of the fake links. */
export class FakeFacts implements NumberFacts {
  readonly #links: FakeLinks;
  readonly #now: () => number;

  constructor(links: FakeLinks, now: () => number) {
    this.#links = links;
    this.#now = now;
  }

  async pools(_account: string, pools: readonly string[]) {
    if (this.#links.failure !== undefined) throw this.#links.failure;
    const held = (pool: string) =>
      this.#links.live.filter(({ link }) => link.startsWith(`lnk_${poolTag(pool)}`)).length;
    return pools.map((pool) => ({ shown: 50, held: held(pool) }));
  }

  async number(_account: string, number: string) {
    if (this.#links.failure !== undefined) throw this.#links.failure;
    const now = this.#now();
    const found = this.#links.links.findLast((one) => one.number === number);
    if (found === undefined) return { now };
    const { link, until, holdMs: hold, request } = found;
    const { endpoint, site, session } = request;
    const startedAt = until - hold;
    const newest = { link, endpoint, site, level: 'session', session, pool: 'pool_x' } as const;
    return { now, newest: { ...newest, startedAt, until, hold, seenAt: startedAt } };
  }
}

/** A call log in memory. */
export class FakeCallLog implements CallLog {
  readonly records: CallRecord[] = [];
  readonly steps: CallEvent[] = [];
  filters: CallFilter[] = [];

  async append(events: readonly CallEvent[]): Promise<void> {
    this.steps.push(...events);
  }
  async get(account: string, call: string): Promise<CallRecord | undefined> {
    return this.records.find((one) => one.account === account && one.id === call);
  }
  async events(account: string, call: string): Promise<readonly CallEvent[]> {
    return this.steps.filter((one) => one.account === account && one.call === call);
  }
  async list(account: string, filter: CallFilter) {
    this.filters.push(filter);
    if (filter.cursor !== undefined && !/^\d+$/.test(filter.cursor)) throw new BadCursor('not ours');
    const start = Number(filter.cursor ?? 0);
    const all = this.records.filter(
      (one) =>
        one.account === account &&
        (filter.number ?? one.number) === one.number &&
        (filter.site ?? one.site) === one.site &&
        (filter.endpoint ?? one.endpoint) === one.endpoint &&
        (filter.from ?? 0) <= one.startedAt &&
        one.startedAt < (filter.to ?? Infinity),
    );
    const end = start + filter.limit;
    return { items: all.slice(start, end), next: end < all.length ? String(end) : null };
  }
  async credits(account: string, span: { readonly from?: number; readonly to?: number }) {
    return this.records.flatMap(({ parameters, answeredAt, startedAt, ...one }) =>
      parameters !== null &&
      one.account === account &&
      (span.from ?? 0) <= startedAt &&
      startedAt < (span.to ?? Infinity)
        ? { parameters, calls: 1, answered: answeredAt === null ? 0 : 1 }
        : [],
    );
  }
  async open(): Promise<readonly CallRecord[]> {
    return this.records.filter((one) => one.endedAt === null);
  }
  async close(): Promise<void> {
    this.records.length = 0;
  }
}

export function makeRecord(over: Partial<CallRecord>): CallRecord {
  return {
    ...UNKNOWN,
    id: mintId('call'),
    account: 'acc_x',
    number: '+12025550100',
    caller: 'sealed:+14155550123',
    callerHash: 'hash-of-the-caller',
    trunk: 'trk_1',
    session: 's1',
    visitor: 'v1',
    touch: '{"source":"ads"}',
    level: 'session',
    why: 'linked',
    startedAt: T0,
    ringingAt: T0 + 120,
    answeredAt: T0 + 2_000,
    endedAt: T0 + 12_500,
    ringMs: 1_880,
    talkMs: 10_500,
    result: 'answered',
    reason: { status: 200, q850: 16, text: 'NORMAL_CLEARING' },
    fault: 'unknown',
    destination: 'sip:agent@127.0.0.1:5070',
    mediaNode: 'fs1',
    media: 'bridged',
    ...over,
  };
}

export const tagKey = Buffer.alloc(32, 7);
export const passKey = Buffer.alloc(32, 8);
export const personKey = Buffer.alloc(32, 9);

/** A whole HTTP interface with fakes behind it. */
export class World {
  readonly directory: Directory;
  readonly index: DirectoryIndex;
  readonly acme: Account;
  readonly other: Account;
  readonly links: FakeLinks;
  readonly callLog = new FakeCallLog();
  readonly facts: FakeFacts;
  readonly logger = keepingLogger();
  readonly metrics = createMetrics(false);
  readonly http: HttpServer;
  now = T0;
  ready: Awaited<ReturnType<HttpParts['readiness']>> = { ok: true, parts: { redis: { ok: true } } };

  constructor(over: Partial<HttpParts> = {}, directory = makeDirectory(), numbers?: readonly string[]) {
    this.directory = directory;
    this.index = new DirectoryIndex(directory);
    const [acme, other] = directory.accounts;
    if (acme === undefined || other === undefined) throw new Error('there are two accounts');
    this.acme = acme;
    this.other = other;
    this.links = new FakeLinks(
      () => (over.now ?? (() => this.now))(),
      numbers ?? Array.from({ length: 50 }, (_, i) => `+${12025550100 + i}`),
    );
    this.facts = new FakeFacts(this.links, () => (over.now ?? (() => this.now))());
    this.http = createHttp({
      directory: () => this.index,
      links: this.links,
      numberFacts: this.facts,
      callLog: this.callLog,
      poolTraffic: async () => {
        throw new StoreUnavailable('no Redis here');
      },
      openCaller: (sealed) => {
        if (!sealed.startsWith('sealed:')) throw new Error(`cannot open ${sealed}`);
        return sealed.slice('sealed:'.length);
      },
      displayForm: (number) => displayNumber(number, 'national'),
      trustedProxies: [],
      readiness: () => this.ready,
      tagKey,
      passKey,
      personKey,
      now: () => this.now,
      logger: this.logger,
      metrics: this.metrics,
      ...over,
    });
  }

  /** POST /v1/allocations with a listed origin. */
  allocate(body: unknown, headers: Record<string, string> = {}) {
    return this.http.inject({
      method: 'POST',
      url: '/v1/allocations',
      headers: { origin: ORIGIN, 'content-type': 'application/json', ...headers },
      payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
  }

  get(url: string, headers: Record<string, string> = { authorization: `Bearer ${KEY}` }) {
    return this.http.inject({ method: 'GET', url, headers });
  }
}
