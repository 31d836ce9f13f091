/** One marketing contact, as `POST /v1/allocations` takes it. */
export interface Touch {
  source?: string;
  medium?: string;
  campaign?: string;
  keyword?: string;
  clickIds?: Record<string, string>;
  landingPage?: string;
  referrer?: string;
}

/** Whose page view this is. */
export interface Visit {
  readonly session: string;
  readonly visitor: string;
  readonly touch: Touch;
  /** What shows that the visitor was here before, for longer than a moment. */
  readonly pass?: string | undefined;
}

/** What the analytics tag leaves for the communication tag. */
export interface Analytics {
  /** The visit that goes on now; a new one after 30 minutes in which nobody called this. */
  visit(): Visit;
  /** Keeps the visitor's pass where the visitor is kept. */
  keepPass(pass: string): void;
}

/** What the communication tag tells the page, as `detail` of the event `tagswitch` on the document. */
export interface Shown {
  /** Whether the number that the page shows now is this visit's own, one that others see too, or the printed one. */
  readonly state: 'held' | 'shared' | 'printed';
  readonly link: string | null;
  readonly number: string | null;
  readonly display: string | null;
  readonly level: string;
  /** When the link ends without a further heartbeat, ms since the epoch by this machine's clock. */
  readonly until: number | null;
}

declare global {
  interface Window {
    tagswitch?: Analytics;
  }
}
