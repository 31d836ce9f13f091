import type { Attestation } from '../routing/attestation.js';
import type { Transport } from './transport.js';

/**
 * What operators declare, as it is stored and cached: names resolved to minted ids, keys hashed, number ranges as
 * ranges. `directory/apply` makes it of a YAML file; every process holds the newest version in a `DirectoryIndex`.
 */
export interface Directory {
  readonly apiVersion: 'tagswitch/v1';
  /** Grows by one with each applied change. 0 is the empty directory. */
  readonly version: number;
  /** The next serial to mint for a trunk or destination; serials are never used twice (leg tokens carry them). */
  readonly nextSerial: number;
  readonly accounts: readonly Account[];
  /** How numbers pass from one account to another; absent: they may at once. */
  readonly reuse?: Reuse;
  /** Numbers that left an account, as long as it matters who had them. */
  readonly former?: readonly FormerNumbers[];
}

export interface Reuse {
  /** How long a number rests at least between two accounts. */
  readonly quarantineMs: number;
  /** 0 to 1: an account that is more like the last holder than this does not get the number yet. */
  readonly likeness: number;
  /** In which time the likeness that counts halves. */
  readonly halfLifeMs: number;
  /** What each dimension of the profiles weighs; 1 where none is given. */
  readonly weights: Readonly<Record<string, number>>;
}

/** What an account's business is: by dimension (trade, region ...), words. */
export type Profile = Readonly<Record<string, readonly string[]>>;

export interface FormerNumbers extends NumberRange {
  readonly account: Account['id'];
  readonly pool: Pool['id'];
  /** Who answered a number of that pool that nobody held. */
  readonly endpoint?: Endpoint['id'];
  readonly profile?: Profile;
  /** When they left, ms since the epoch. */
  readonly at: number;
}

export interface Account {
  readonly id: `acc_${string}`;
  readonly name: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly apiKeys: readonly ApiKey[];
  readonly sites: readonly Site[];
  readonly endpoints: readonly Endpoint[];
  readonly pools: readonly Pool[];
  readonly trunks: readonly Trunk[];
  readonly trunkGroups?: readonly TrunkGroup[];
  /** What numbers that are destinations begin with, E.164; absent: anything. */
  readonly destinationPrefixes?: readonly string[];
  readonly profile?: Profile;
  /** How long a caller who calls a number again reaches the endpoint that he reached before, ms; 0 or absent: never. */
  readonly redialMs?: number;
  /** Calls at once, and new ones a second, of all endpoints together; absent: no limit. */
  readonly concurrentCalls?: number;
  readonly callsPerSecond?: number;
  /** Pools that went while their numbers moved to others: links minted for them are still found. Newest first, at most 100. */
  readonly formerPools?: readonly Pool['id'][];
}

export interface ApiKey {
  readonly id: `key_${string}`;
  readonly name: string;
  /** SHA-256 of the key, lower-case hex. The key itself is stored nowhere. */
  readonly hash: string;
  /** CIDR blocks that may use it; empty means any. */
  readonly addresses: readonly string[];
}

export interface Site {
  readonly id: `site_${string}`;
  readonly name: string;
  /** Exact origins (`https://www.example.com`) whose pages may ask for numbers. */
  readonly origins: readonly string[];
  /** The number that stands in the page, E.164: what a visitor sees when nothing can be allocated. */
  readonly printedNumber: string;
  /** Names or ids of the endpoints that its tags may name; empty means every endpoint of the account. */
  readonly endpoints: readonly Endpoint['id'][];
  /** How long a link lives after the last heartbeat. */
  readonly holdMs: number;
  /** How often the page says that it is still there. */
  readonly heartbeatMs: number;
  /** What a page gets, in the order in which it is tried; the printed number comes last. Absent: `session` alone. */
  readonly degrade?: readonly Step[];
  readonly bucket?: Bucketing;
  /** E.164, of a pool of the account and handed out to nobody alone: what visitors share when the pools are full. */
  readonly overflowNumber?: string;
  /** How long a link lives until its page is heard a second time; 0 or absent: `holdMs` from the start. */
  readonly provisionalMs?: number;
  /** The share of a pool's numbers, 0 to 0.9, that is kept for visitors who are known. */
  readonly reservedShare?: number;
  /** New links a second, of all visitors together; absent: no limit. */
  readonly newLinksPerSecond?: number;
  /** PEM (SPKI) of the public key, Ed25519 or P-256, by which visitors' tokens are verified. */
  readonly visitorKey?: string;
  /** Its tags may stand on pages of any origin: the signature of the tag takes the place of the listed origin. */
  readonly embedded?: boolean;
}

export type Step = 'session' | 'bucket' | 'overflow';
export type Criterion = 'source' | 'medium' | 'campaign' | 'keyword' | 'location';

/** When visitors of one class share one number (features S2). */
export interface Bucketing {
  readonly criteria: readonly Criterion[];
  /** Sessions that are active on the site at once. */
  readonly threshold: number;
  /** `above`: with one session more than the threshold; `atLeast`: with the threshold itself. */
  readonly switchAt: 'above' | 'atLeast';
  /** New visitors get numbers of their own again when at most so many sessions are active. */
  readonly backAt: number;
}

export interface Endpoint {
  readonly id: `end_${string}`;
  readonly name: string;
  /** Ring groups: one after the other; the destinations inside one ring together. */
  readonly ring: readonly RingGroup[];
  /** Played to the callee alone before he is connected: `tone`, or the name of a sound file; none when absent. */
  readonly whisper?: string;
  /** When it takes calls; absent: always. */
  readonly hours?: Hours;
  /** Callers who go elsewhere: the first one that fits. */
  readonly routes?: readonly RouteRule[];
  /** Who takes the calls while it is closed or has as many as it may, and is rung when nobody answered. */
  readonly overflow?: Endpoint['id'];
  /** Calls at once, and new ones a second; absent: no limit. */
  readonly concurrentCalls?: number;
  readonly callsPerSecond?: number;
  /** How long a call may last from its answer on, ms; absent: no limit. */
  readonly maxCallMs?: number;
  /** Which number its callees see: the one that was dialled, none, or this one of the account (E.164). Absent: the caller's. */
  readonly callerShown?: 'dialled' | 'anonymous' | `+${string}`;
}

/** Opening hours, in whole minutes by the clocks of a time zone. */
export interface Hours {
  /** IANA name; the account's when absent. */
  readonly timeZone?: string;
  readonly open: readonly OpenHours[];
  readonly holidays?: readonly Holiday[];
}

export interface OpenHours {
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes since midnight, the last one excluded. Hours that end before they begin go on into the next day. */
  readonly from: number;
  readonly to: number;
}

/** A day with hours of its own; closed where it has none. */
export interface Holiday {
  /** `2026-12-25`, or `12-25` for every year. */
  readonly day: string;
  readonly from?: number;
  readonly to?: number;
}

/** Callers who go to another endpoint: those for whom everything holds that is given. */
export interface RouteRule {
  /** E.164 prefixes of callers. */
  readonly areas?: readonly string[];
  readonly attestations?: readonly Attestation[];
  readonly endpoint: Endpoint['id'];
}

export interface RingGroup {
  readonly destinations: readonly Destination[];
  /** `one`: of the destinations one alone rings, drawn by their weights; absent: all together. */
  readonly rings?: 'one';
  /** How long this group rings. All groups of an endpoint together at most 170,000. */
  readonly ringMs: number;
}

export interface Destination {
  /** Small, unique in the whole system, minted by `apply`, kept while the destination stays. */
  readonly serial: number;
  /** `sip:user@host:port[;transport=tcp|tls]`, or a number in E.164 that leaves over a trunk. */
  readonly to: string;
  /** The trunks to try in order, for a number in E.164; empty for a SIP address. */
  readonly trunks: readonly Trunk['id'][];
  /** The group of trunks to try, in place of `trunks`. */
  readonly group?: TrunkGroup['name'];
  /** How often it is drawn where one of a group rings; 1 when absent. */
  readonly weight?: number;
}

export interface Pool {
  readonly id: `pool_${string}`;
  readonly name: string;
  /** Reserved to a site; absent: any site of the account. */
  readonly site?: Site['id'];
  /** Reserved to an endpoint; absent: any endpoint of the account. */
  readonly reservedEndpoint?: Endpoint['id'];
  /** Who answers a number of this pool that nobody ever held. */
  readonly defaultEndpoint?: Endpoint['id'];
  /** Which trunk its calls come in by. */
  readonly trunk?: Trunk['id'];
  readonly numbers: readonly NumberRange[];
  /** E.164 prefixes of where its numbers are at home. */
  readonly areas?: readonly string[];
  /** Its place among the account's pools, as declared: which is tried first, all else equal. */
  readonly rank?: number;
  /** Numbers of it that still ring and are shown to nobody new. */
  readonly paused?: readonly NumberRange[];
  /** Numbers of it that are out of service: a call gets 404. */
  readonly retired?: readonly NumberRange[];
  /** Where a call goes while its number is in quarantine; absent: `lastHolder`. */
  readonly inQuarantine?: 'lastHolder' | 'default' | 'announce' | 'reject';
  /** What callers of such a number hear with `announce`: `tone`, or the name of a sound file. */
  readonly announcement?: string;
}

/** First and last number, both included, E.164, of equal length. A single number has first equal to last. */
export interface NumberRange {
  readonly first: string;
  readonly last: string;
}

/** Trunks that calls leave by, some before others. */
export interface TrunkGroup {
  /** Unique in its account. */
  readonly name: string;
  readonly trunks: readonly TrunkGroupMember[];
}

export interface TrunkGroupMember {
  readonly trunk: Trunk['id'];
  /** The lowest is tried first. */
  readonly priority: number;
  /** How often it comes first among those of its priority. */
  readonly weight: number;
}

export interface Trunk {
  readonly id: `trk_${string}`;
  readonly name: string;
  /** As for destinations. */
  readonly serial: number;
  /** CIDR blocks that may send us calls over it. */
  readonly addresses: readonly string[];
  /** Where calls leave: `host:port`; absent for a trunk that only brings calls. */
  readonly gateway?: string;
  readonly transport: Transport;
  /** New calls a second that it may bring, with as much again as a burst; absent means no limit. */
  readonly callsPerSecond?: number;
  /** Calls that it may have brought at once; absent means no limit. */
  readonly concurrentCalls?: number;
  /** Its gateway is asked with OPTIONS now and then; one that does not answer is out of order. */
  readonly probe?: boolean;
  /** A redirection (302) of its gateway is followed, to wherever that says. */
  readonly followRedirects?: boolean;
  /** Its P-Asserted-Identity says who calls; otherwise From does. */
  readonly assertedIdentity?: boolean;
  /** How numbers that it brings become E.164: called and calling ones. Absent: they are as they come. */
  readonly incoming?: readonly PrefixRule[];
  /** How numbers in E.164 are written for it: called and calling ones. */
  readonly outgoing?: readonly PrefixRule[];
  /** Stands before every number that it is to call, after `outgoing`. */
  readonly techPrefix?: string;
  /**
   * What is believed of its callers' numbers: `verify` their Identity headers, or take over the carrier's own `verstat`.
   * Absent: nothing.
   */
  readonly attestation?: 'verify' | 'verstat';
}

/** Of a list of these the first one whose prefix fits replaces it. */
export interface PrefixRule {
  readonly prefix: string;
  readonly becomes: string;
}
