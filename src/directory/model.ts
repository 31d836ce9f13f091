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
}

export interface Endpoint {
  readonly id: `end_${string}`;
  readonly name: string;
  /** Ring groups: one after the other; the destinations inside one ring together. */
  readonly ring: readonly RingGroup[];
  /** Played to the callee alone before he is connected: `tone`, or the name of a sound file; none when absent. */
  readonly whisper?: string;
}

export interface RingGroup {
  readonly destinations: readonly Destination[];
  /** How long this group rings. All groups of an endpoint together at most 170,000. */
  readonly ringMs: number;
}

export interface Destination {
  /** Small, unique in the whole system, minted by `apply`, kept while the destination stays. */
  readonly serial: number;
  /** `sip:user@host:port[;transport=udp]`, or a number in E.164 that leaves over a trunk. */
  readonly to: string;
  /** The trunks to try in order, for a number in E.164; empty for a SIP address. */
  readonly trunks: readonly Trunk['id'][];
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
}

/** First and last number, both included, E.164, of equal length. A single number has first equal to last. */
export interface NumberRange {
  readonly first: string;
  readonly last: string;
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
  readonly transport: 'udp' | 'tcp';
  /** New calls a second that it may bring, with as much again as a burst; absent means no limit. */
  readonly callsPerSecond?: number;
}
