import type { Endpoint, Pool, Profile, Reuse, RouteRule, Site, Trunk, TrunkGroupMember } from './model.js';

/**
 * What a YAML file says, checked and with defaults filled in; things still name each other by name.
 * The file is the whole truth: what it does not name goes.
 */
export interface Declaration {
  readonly accounts: readonly DeclaredAccount[];
  readonly reuse?: Reuse;
}

export interface DeclaredAccount {
  readonly name: string;
  readonly timeZone: string;
  readonly apiKeys: readonly DeclaredApiKey[];
  readonly sites: readonly DeclaredSite[];
  readonly endpoints: readonly DeclaredEndpoint[];
  /** In the order in which they are tried, all else equal. */
  readonly pools: readonly DeclaredPool[];
  readonly trunks: readonly DeclaredTrunk[];
  readonly trunkGroups?: readonly DeclaredTrunkGroup[];
  readonly destinationPrefixes?: readonly string[];
  readonly profile?: Profile;
  readonly redialMs?: number;
  readonly concurrentCalls?: number;
  readonly callsPerSecond?: number;
}

export interface DeclaredApiKey {
  readonly name: string;
  readonly hash: string;
  readonly addresses: readonly string[];
}

/** A group with names of trunks where the directory has ids. */
export interface DeclaredTrunkGroup {
  readonly name: string;
  readonly trunks: readonly (Omit<TrunkGroupMember, 'trunk'> & { readonly trunk: string })[];
}

/** A site with the names of its endpoints; none means all of the account. */
export interface DeclaredSite extends Omit<Site, 'id' | 'endpoints'> {
  readonly endpoints: readonly string[];
}

/** An endpoint with names of other endpoints where the directory has ids. */
export interface DeclaredEndpoint extends Omit<Endpoint, 'id' | 'ring' | 'routes' | 'overflow'> {
  readonly ring: readonly DeclaredRingGroup[];
  readonly routes?: readonly DeclaredRoute[];
  readonly overflow?: string;
}

export interface DeclaredRoute extends Omit<RouteRule, 'endpoint'> {
  readonly endpoint: string;
}

export interface DeclaredRingGroup {
  readonly ringMs: number;
  readonly rings?: 'one';
  readonly destinations: readonly DeclaredDestination[];
}

export interface DeclaredDestination {
  readonly to: string;
  /** Names of trunks; empty for a SIP address, and where a group is named. */
  readonly trunks: readonly string[];
  readonly group?: string;
  readonly weight?: number;
}

/** A pool with names where the directory has ids; its rank is its place in the list. */
export interface DeclaredPool extends Omit<
  Pool,
  'id' | 'rank' | 'site' | 'reservedEndpoint' | 'defaultEndpoint' | 'trunk'
> {
  readonly site?: string;
  readonly reservedEndpoint?: string;
  readonly defaultEndpoint?: string;
  readonly trunk?: string;
}

export type DeclaredTrunk = Omit<Trunk, 'id' | 'serial'>;

/** The word in a site's `origins` that stands for the switch's own HTTP addresses. */
export const OWN_ORIGIN = 'self';

export const Defaults = {
  timeZone: 'UTC',
  /**
   * Browsers wake the timers of a tab in the background once a minute, so a faster heartbeat would not be kept.
   */
  heartbeatMs: 60_000,
  /**
   * Five heartbeats: a page on a bad network keeps its number, and one that was closed holds it for five minutes
   * at most. Late callers are served by the holder log, not by a longer hold.
   */
  holdMs: 300_000,
  /** Voicemail of mobile carriers picks up after 20 to 30 s; a person has had five rings by then. */
  ringMs: 30_000,
  /** A week: who calls back about an offer does so within days. */
  redialMs: 7 * 86_400_000,
  /** A site goes back to numbers of one's own when a tenth of the sessions has gone, so that it does not waver. */
  backAtShare: 0.9,
  reuse: { quarantineMs: 0, likeness: 0.5, halfLifeMs: 30 * 86_400_000, weights: {} },
} as const;

export const Limits = {
  /** The YAML file: 700,000 single numbers, one a line, fit in. */
  fileBytes: 10 * 1024 * 1024,
  /** A CSV file of numbers: all numbers of the system, with a state each, fit in. */
  csvBytes: 150 * 1024 * 1024,
  /** Periods of weeks and months, ms: ten years. */
  periodMs: 315_360_000_000,
  /** YAML aliases in a file, and values that it may come to once they are followed. */
  aliases: 100,
  values: 2_000_000,
  /** Numbers of one range and of the whole system; a typo in a range is more likely than a pool of this size. */
  numbersInRange: 1_000_000,
  numbers: 5_000_000,
  /** drachtio's timer C ends ringing at 185 s (design, rule 6). */
  ringMsInAll: 170_000,
  /** Calls at once, or new ones a second. */
  calls: 100_000,
  /** A call of a day is one that somebody forgot. */
  callMs: 86_400_000,
  weight: 1000,
  /** A plan of ten legs is what was tested to arrive over UDP (design, rule 5). */
  legs: 10,
  /** A hold shorter than two heartbeats takes the number from a page that is still open. */
  heartbeatsInHold: 2,
  /** Keys that may be guessed over the network; a shorter one is for loopback only. */
  keyCharacters: 20,
} as const;
