import type { CallLog } from '../calls/ports.js';
import type { DirectoryIndex } from '../directory/directory-index.js';
import type { Pool, Site } from '../directory/model.js';
import type { PoolTraffic } from '../numbers/traffic.js';
import type { Allocation, AllocationRequest, Claim, Renewal } from '../numbers/types.js';
import type { NewLinkRates } from './new-links.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';

/**
 * What pages do with numbers: `numbers/allocator.ts`. Every method is one round trip and rejects with `StoreUnavailable`
 * within 300 ms when Redis does not answer.
 */
export interface LinkPort {
  allocate(
    request: AllocationRequest,
    directory: { readonly pools: readonly Pool[]; readonly site: Site },
  ): Promise<Allocation>;
  /** Gives the link its full hold from now. A link of a site that is not among `sites` (ids) is unknown, and stays as it is. */
  renew(account: string, link: string, sites: readonly string[], claim?: Claim): Promise<Renewal>;
  /** The visitor tapped the number. Resolves with whether the link is known, alive or over. */
  tap(account: string, link: string, sites: readonly string[]): Promise<boolean>;
  /**
   * Takes the devices of a person apart on a site: what he holds for any of `endpoints` stays with the session that had it
   * first. Resolves with how many numbers he held.
   */
  part(account: string, site: string, endpoints: readonly string[], person: string): Promise<number>;
  /** Ends the link `graceMs` from now, unless a heartbeat or a new page view of its session comes before. */
  end(
    account: string,
    link: string,
    sites: readonly string[],
    graceMs: number,
  ): Promise<'done' | 'ended' | 'unknown'>;
}

/** Whether a call would succeed now, and which parts it needs. `detail` is shown to anybody: no secrets, no addresses. */
export interface Readiness {
  readonly ok: boolean;
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

/** Everything that the HTTP interface needs; the composition root hands it in. */
export interface HttpParts {
  /** The newest directory that this process knows. */
  readonly directory: () => DirectoryIndex;
  readonly links: LinkPort;
  readonly callLog: CallLog;
  /** What a pool did lately. Rejects when Redis does not answer. */
  readonly poolTraffic: (account: string, pool: string) => Promise<PoolTraffic>;
  /** A sealed caller as E.164. Throws when it was sealed with another key. */
  readonly openCaller: (sealed: string) => string;
  /** A number as people write it: `(202) 555-0100`. */
  readonly displayForm: (number: string) => string;
  readonly readiness: () => Readiness | Promise<Readiness>;
  /** Signs tags; the same in all processes, at least 16 bytes. */
  readonly tagKey: Uint8Array;
  /** Signs passes of visitors who were confirmed; as `tagKey`. */
  readonly passKey: Uint8Array;
  /** Of the hash that persons who signed in are called by; as `tagKey`. */
  readonly personKey: Uint8Array;
  /** ms since the epoch */
  readonly now: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The site and endpoint (ids or names) that `/demo` shows; absent, there is no such page. */
  readonly demo?: { readonly site: string; readonly endpoint: string };
  /** CIDR blocks of our own proxies, whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
  /** New links that one visitor's address, and one block of addresses, may be given; generous when absent. */
  readonly newLinks?: NewLinkRates;
}
