import type { Pool, Site } from '../directory/model.js';
import { candidatePools } from './candidates.js';
import { Code, UnexpectedReply } from './codes.js';
import { LOG_LENGTH } from './holder-log.js';
import { accountKeys, holderField, WAKE_CHANNEL } from './keys.js';
import { mintLinkTail, poolOfLink, poolTag } from './links.js';
import type { ScriptPort } from './ports.js';
import { readResolution, receivedEvent, withoutItsEndpoint } from './resolution.js';
import type { Allocation, AllocationRequest, Renewal, Resolution, ResolutionRequest } from './types.js';

/**
 * How long a number rests between the end that its page was told and its next page. A page learns of its end by the
 * time the answer took to reach it, a browser wakes the timer of a hidden tab once a second, and a visitor's dialling
 * outlasts the glance at the number: 5 s cover these, and cost a pool of a minute's hold 8 % of its capacity.
 */
export const MARGIN_MS = 5_000;

/** How long a call counts as live without a sign from its media node: the longest ringing (185 s) and then some. */
export const LIVE_MS = 200_000;

/** What the allocator asks of the cached directory: whether an endpoint is still declared. */
export type EndpointExists = (account: string, endpoint: string) => boolean;

/** Gives numbers to pages and says whose number was called. Each public method is one script, one round trip. */
export class Allocator {
  readonly #scripts: ScriptPort;
  readonly #endpointExists: EndpointExists;
  readonly #clock: (() => number) | undefined;

  /** `clock` (ms since the epoch) stands in for Redis's own; for tests alone. */
  constructor(scripts: ScriptPort, endpointExists: EndpointExists, clock?: () => number) {
    this.#scripts = scripts;
    this.#endpointExists = endpointExists;
    this.#clock = clock;
  }

  /**
   * A number for the triple: the one that it has (its link is renewed), or the least recently held free one of the
   * first pool that may serve it and has one, or the site's printed number with level `none`.
   * Throws `BadId` before anything is spent; rejects with `StoreUnavailable`.
   */
  async allocate(
    request: AllocationRequest,
    directory: { readonly pools: readonly Pool[]; readonly site: Site },
  ): Promise<Allocation> {
    const { account, endpoint, site, session, visitor, touch } = request;
    const { holdMs, heartbeatMs, printedNumber } = directory.site;
    const keys = accountKeys(account);
    holderField(endpoint, site, session); // refuses ids that could be taken for others
    const none = {
      link: null,
      number: printedNumber,
      level: 'none',
      until: null,
      holdMs,
      heartbeatMs,
      fresh: false,
    } as const;

    const pools = candidatePools(directory.pools, site, endpoint);
    if (pools.length === 0) return none;
    const reply = await this.#scripts.run(
      'allocate',
      [keys.holders, keys.links, keys.numbers, ...pools.map((pool) => keys.ends(pool.id))],
      [
        this.#now(),
        holdMs,
        MARGIN_MS,
        LOG_LENGTH,
        JSON.stringify({ endpoint, site, session, visitor, touch }),
        mintLinkTail(),
        ...pools.map((pool) => poolTag(pool.id)),
      ],
    );
    if (!Array.isArray(reply)) throw new UnexpectedReply('allocate');
    const [code, number, link, until] = reply as readonly unknown[];
    if (code === Code.empty) return none;
    if (code !== Code.given && code !== Code.renewed) throw new UnexpectedReply('allocate');
    if (typeof number !== 'string' || !isLink(link) || typeof until !== 'number')
      throw new UnexpectedReply('allocate');
    return { link, number, level: 'session', until, holdMs, heartbeatMs, fresh: code === Code.given };
  }

  /**
   * A page is still there: its link lives on for as long as its site said when it was made.
   * `sites`: ids of those whose links may be touched, the links of others are `unknown`; empty for any.
   */
  async renew(account: string, link: string, sites: readonly string[] = []): Promise<Renewal> {
    const reply = await this.#onLink('renew', account, link, sites);
    const [code, number, until, endpoint, site, holdMs] = reply;
    if (code === Code.ended) return { state: 'ended' };
    if (code === Code.unknownLink) return { state: 'unknown' };
    if (
      code !== Code.renewed ||
      typeof number !== 'string' ||
      typeof until !== 'number' ||
      typeof endpoint !== 'string' ||
      typeof site !== 'string' ||
      typeof holdMs !== 'number'
    ) {
      throw new UnexpectedReply('renew');
    }
    return { state: 'renewed', number, until, endpoint, site, holdMs };
  }

  /**
   * A page is gone. `done`: its link ends now, or after `graceMs` if neither a heartbeat nor the next page of the session
   * comes before; `ended`: it was over already; `unknown`: there is no such link. `sites` as for `renew`.
   */
  async end(
    account: string,
    link: string,
    sites: readonly string[] = [],
    graceMs = 0,
  ): Promise<'done' | 'ended' | 'unknown'> {
    const [code] = await this.#onLink('end', account, link, sites, graceMs);
    if (code === Code.done) return 'done';
    if (code === Code.ended) return 'ended';
    if (code === Code.unknownLink) return 'unknown';
    throw new UnexpectedReply('end');
  }

  /**
   * Whose number was called; the event `received` is written and the call counts as live in the same step.
   * Where the link's endpoint is no longer declared, the call goes to the pool's default endpoint; the event keeps the
   * endpoint that the visitor saw. Rejects with `StoreUnavailable`: go on with `resolutionWithoutStore`.
   */
  async resolve(request: ResolutionRequest): Promise<Resolution> {
    const keys = accountKeys(request.account);
    const reply = await this.#scripts.run(
      'resolve',
      [keys.numbers, keys.live, keys.events],
      [
        this.#now(),
        WAKE_CHANNEL,
        request.account,
        request.number,
        request.defaultEndpoint ?? '',
        LIVE_MS,
        JSON.stringify(receivedEvent(request)),
      ],
    );
    const found = readResolution(reply, request.defaultEndpoint);
    const exists = (endpoint: string): boolean => this.#endpointExists(request.account, endpoint);
    return found.endpoint === undefined || exists(found.endpoint)
      ? found
      : withoutItsEndpoint(found, request.defaultEndpoint, exists);
  }

  async #onLink(
    script: 'renew' | 'end',
    account: string,
    link: string,
    sites: readonly string[],
    ...more: readonly number[]
  ): Promise<readonly unknown[]> {
    const keys = accountKeys(account);
    const pool = poolOfLink(link);
    if (pool === undefined) return [Code.unknownLink];
    const reply = await this.#scripts.run(
      script,
      [keys.links, keys.numbers, keys.ends(pool)],
      [this.#now(), MARGIN_MS, LOG_LENGTH, link, sites.join(' '), ...more],
    );
    if (!Array.isArray(reply)) throw new UnexpectedReply(script);
    return reply as readonly unknown[];
  }

  #now(): number | '' {
    return this.#clock?.() ?? '';
  }
}

function isLink(value: unknown): value is `lnk_${string}` {
  return typeof value === 'string' && poolOfLink(value) !== undefined;
}
