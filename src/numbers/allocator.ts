import type { Pool, Site } from '../directory/model.js';
import { allocateCommand, MARGIN_MS } from './allocate-command.js';
import { candidatePools } from './candidates.js';
import { Code, UnexpectedReply } from './codes.js';
import { LOG_LENGTH } from './holder-log.js';
import { accountKeys, holderField, personField } from './keys.js';
import { linkIsOurs, mintLinkTail, poolOfLink } from './links.js';
import type { ScriptPort } from './ports.js';
import type { Allocation, AllocationRequest, Claim, Renewal } from './types.js';

/** Gives numbers to pages. Each public method is one script, one round trip. */
export class Allocator {
  readonly #scripts: ScriptPort;
  readonly #clock: (() => number) | undefined;
  readonly #linkKey: Uint8Array | undefined;
  /** Of an allocation that made no link: minting costs more than the rest of a question. */
  #spareTail: string | undefined;

  /**
   * `clock` (ms since the epoch) stands in for Redis's own; for tests and simulations alone. `linkKey` is the same in all
   * processes: what a page claims of a link is believed where the link was minted with it.
   */
  constructor(scripts: ScriptPort, clock?: () => number, linkKey?: Uint8Array) {
    this.#scripts = scripts;
    this.#clock = clock;
    this.#linkKey = linkKey;
  }

  /**
   * A number for a page: the one that its session has, or its person (the link is renewed); else, in the order that the
   * site wants, one of its own, its bucket's or the overflow number, the least recently held free one of the first pool that
   * may serve it and has one; else the site's printed number with level `none`.
   * Throws `BadId` before anything is spent; rejects with `StoreUnavailable`.
   */
  async allocate(
    request: AllocationRequest,
    directory: { readonly pools: readonly Pool[]; readonly site: Site },
  ): Promise<Allocation> {
    const { endpoint, site, session, parameters } = request;
    const { holdMs, heartbeatMs, printedNumber, overflowNumber } = directory.site;
    if (parameters === undefined && request.anonymous !== true) holderField(endpoint, site, session); // refuses ids that could be taken for others
    if (request.person !== undefined) personField(endpoint, site, request.person);
    const shown = { holdMs, heartbeatMs, confirmMs: 0, fresh: false, until: null, link: null } as const;

    const pools = candidatePools(directory.pools, site, endpoint, request.area);
    if (pools.length === 0 && overflowNumber === undefined)
      return { ...shown, number: printedNumber, level: 'none' };
    const tail = this.#tail();
    const { keys, args } = allocateCommand(request, directory.site, pools, tail, this.#now());
    const reply = await this.#scripts.run('allocate', keys, args);
    if (!Array.isArray(reply)) throw new UnexpectedReply('allocate');
    const [code, number, link, until, level, confirmMs] = reply as readonly unknown[];
    if (code !== Code.given) this.#spareTail = tail;
    if (code === Code.empty) return { ...shown, number: printedNumber, level: 'none' };
    if (code === Code.overflow && typeof number === 'string') return { ...shown, number, level: 'overflow' };
    if (
      (code !== Code.given && code !== Code.renewed) ||
      typeof number !== 'string' ||
      !isLink(link) ||
      typeof until !== 'number' ||
      (level !== 'session' && level !== 'bucket') ||
      typeof confirmMs !== 'number'
    ) {
      throw new UnexpectedReply('allocate');
    }
    return { link, number, level, until, holdMs, heartbeatMs, confirmMs, fresh: code === Code.given };
  }

  /**
   * A page is still there: its link lives on for as long as its site said when it was made, and is confirmed where it
   * was to be. `sites`: ids of those whose links may be touched, the links of others are `unknown`; empty for any.
   * `claim` is what the page was told: where that contradicts what Redis knows, the number is marked as doubly held.
   */
  async renew(
    account: string,
    link: string,
    sites: readonly string[] = [],
    claim: Claim = {},
  ): Promise<Renewal> {
    const keys = accountKeys(account);
    const { counting = [] } = claim;
    const believed = claim.number !== undefined && linkIsOurs(link, this.#linkKey);
    const reply = await this.#onLink(
      'renew',
      account,
      link,
      sites,
      [claim.session ?? '', believed ? (claim.number ?? '') : '', claim.until ?? 0, ...counting],
      counting.map((site) => keys.active(site)),
    );
    const [code, number, until, endpoint, site, holdMs, level, confirmed] = reply;
    if (code === Code.ended || code === Code.doublyHeld) return { state: 'ended' };
    if (code === Code.unknownLink) return { state: 'unknown' };
    if (
      code !== Code.renewed ||
      typeof number !== 'string' ||
      typeof until !== 'number' ||
      typeof endpoint !== 'string' ||
      typeof site !== 'string' ||
      typeof holdMs !== 'number' ||
      (level !== 'session' && level !== 'bucket')
    ) {
      throw new UnexpectedReply('renew');
    }
    return { state: 'renewed', number, until, endpoint, site, holdMs, level, confirmed: confirmed === 1 };
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
    const [code] = await this.#onLink('end', account, link, sites, [graceMs]);
    if (code === Code.done) return 'done';
    if (code === Code.ended) return 'ended';
    if (code === Code.unknownLink) return 'unknown';
    throw new UnexpectedReply('end');
  }

  /** The visitor tapped the number. Resolves with whether the link is known, alive or over. `sites` as for `renew`. */
  async tap(account: string, link: string, sites: readonly string[] = []): Promise<boolean> {
    const keys = accountKeys(account);
    if (poolOfLink(link) === undefined) return false;
    const reply = await this.#scripts.run(
      'tap',
      [keys.links, keys.numbers],
      [this.#now(), LOG_LENGTH, link, sites.join(' ')],
    );
    if (!Array.isArray(reply)) throw new UnexpectedReply('tap');
    return (reply as readonly unknown[])[0] === Code.done;
  }

  /**
   * Takes the devices of a person apart on a site: his numbers stay with the session that had them first, and are no longer
   * known as his. Resolves with how many he held.
   */
  async part(account: string, site: string, endpoints: readonly string[], person: string): Promise<number> {
    const keys = accountKeys(account);
    const fields = endpoints.map((endpoint) => personField(endpoint, site, person));
    const reply = await this.#scripts.run('part', [keys.holders, keys.numbers], [LOG_LENGTH, ...fields]);
    if (typeof reply !== 'number') throw new UnexpectedReply('part');
    return reply;
  }

  /** Runs a script on a link with the key of its pool; where its number was moved since, once more with that pool's. */
  async #onLink(
    script: 'renew' | 'end',
    account: string,
    link: string,
    sites: readonly string[],
    more: readonly (string | number)[],
    moreKeys: readonly string[] = [],
  ): Promise<readonly unknown[]> {
    const keys = accountKeys(account);
    const pool = poolOfLink(link);
    if (pool === undefined) return [Code.unknownLink];
    const run = async (where: string): Promise<readonly unknown[]> => {
      const reply = await this.#scripts.run(
        script,
        [keys.links, keys.numbers, keys.ends(where), ...moreKeys],
        [this.#now(), MARGIN_MS, LOG_LENGTH, link, sites.join(' '), where, ...more],
      );
      if (!Array.isArray(reply)) throw new UnexpectedReply(script);
      return reply as readonly unknown[];
    };
    const reply = await run(pool);
    return reply[0] === Code.moved && typeof reply[1] === 'string' ? run(reply[1]) : reply;
  }

  #tail(): string {
    const tail = this.#spareTail ?? mintLinkTail(this.#linkKey);
    this.#spareTail = undefined;
    return tail;
  }

  #now(): number | '' {
    return this.#clock?.() ?? '';
  }
}

function isLink(value: unknown): value is `lnk_${string}` {
  return typeof value === 'string' && poolOfLink(value) !== undefined;
}
