/** What brought a visitor here, as `POST /v1/allocations` takes it: the server makes source and medium of it. */
export interface Arrival {
  /** The parameters of the address that tell of a campaign: `utm_source`, `gclid`, ... */
  readonly query?: Readonly<Record<string, string>>;
  readonly landingPage?: string;
  readonly referrer?: string;
}

/** Whose page view this is. */
export interface Visit {
  /** Undefined where nothing may be kept: the number of all who came this way has to do. */
  readonly session?: string | undefined;
  readonly visitor?: string | undefined;
  readonly touch: Arrival;
  /** What shows that the visitor was here before, for longer than a moment. */
  readonly pass?: string | undefined;
}

/** What a page is given in the place of one printed number, as the server answered. */
export interface Reply {
  readonly link: string | null;
  readonly number: string;
  readonly display: string;
  readonly level: string;
  /** The link's end by the server's clock, to be said again with the next heartbeat. */
  readonly until: string | null;
  readonly holdMs: number;
  readonly heartbeatMs: number;
  /** Within which time the page is to be heard again, or its link ends; 0 for its full hold. */
  readonly confirmMs?: number;
}

export interface Held extends Reply {
  readonly session: string | undefined;
  /** When the link ends without a further heartbeat, ms since the epoch by this machine's clock. */
  readonly ends: number;
}

/** What the page is told of its number: `detail` of the event `tagswitch` on the document. */
export interface Shown extends Partial<Held> {
  /** Whether the number that the page shows now is this visit's own, one that others see too, or the printed one. */
  readonly state: 'held' | 'shared' | 'printed';
  /** The printed number in whose place it stands, E.164. */
  readonly printed: string;
}

/** What the visitor said to being recognised. `unset`: nothing yet, which is no yes. */
export type Consent = 'granted' | 'denied' | 'unset';

/** The attributes of the script's element. */
export type Settings = Readonly<Record<string, string | undefined>>;
