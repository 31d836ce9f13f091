import type { Fault, Level, Reason, Result } from './events.js';

/** What is written about a call: one a call, made of its events by `foldCall`. Times in ms since the epoch. */
export interface CallRecord {
  readonly id: string;
  readonly account: string;
  readonly number: string;
  /** Sealed, see `calls/caller.ts`; the HTTP interface opens it for its account. */
  readonly caller: string | null;
  readonly callerHash: string | null;
  readonly trunk: string;
  readonly endpoint: string | null;
  readonly site: string | null;
  readonly session: string | null;
  readonly visitor: string | null;
  readonly link: string | null;
  readonly touch: string | null;
  readonly level: Level;
  readonly late: boolean;
  readonly why: string;
  readonly test: boolean;
  readonly startedAt: number;
  readonly ringingAt: number | null;
  readonly answeredAt: number | null;
  readonly endedAt: number | null;
  readonly ringMs: number | null;
  readonly talkMs: number | null;
  /** null while the call is up. */
  readonly result: Result | null;
  readonly reason: Reason | null;
  readonly fault: Fault | null;
  readonly destination: string | null;
  readonly mediaNode: string | null;
  readonly media: 'bridged' | 'direct' | null;
}
