import type { Fault, Level, Reason, Result, RouteStep } from './events.js';

export interface CandidateRecord {
  readonly link: string;
  readonly session: string | null;
  readonly visitor: string | null;
  /** 0 to 1; those of all candidates together at most 1. */
  readonly probability: number;
}

/** What is written about a call: one a call, made of its events by `foldCall`. Times in ms since the epoch. */
export interface CallRecord {
  readonly id: string;
  readonly account: string;
  readonly number: string;
  /** Sealed, see `calls/caller.ts`; the HTTP interface opens it for its account. */
  readonly caller: string | null;
  readonly callerHash: string | null;
  /** Who sent the call on to the number, sealed likewise. */
  readonly diverting: string | null;
  /** `A`, `B`, `C`, `failed`, `none`: what is known of the caller's number. */
  readonly attestation: string;
  /** Why it is `failed`, or `none` though it was signed. */
  readonly attestationWhy: string | null;
  readonly trunk: string;
  readonly endpoint: string | null;
  readonly site: string | null;
  readonly session: string | null;
  readonly visitor: string | null;
  readonly link: string | null;
  readonly touch: string | null;
  readonly bucket: string | null;
  /** The set of parameter values that held the number: canonical JSON text. */
  readonly parameters: string | null;
  readonly person: string | null;
  /** That the one who is credited made the call, 0 to 1; null where that was not reckoned. */
  readonly probability: number | null;
  /** The number was held by two at once: nobody is credited. */
  readonly ambiguous: boolean;
  /** The caller had called the number before, and reached what he reached then. */
  readonly redial: boolean;
  /** Who may have called, the likeliest first, at most eight. */
  readonly candidates: readonly CandidateRecord[];
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
  /** How it came to the endpoint that was rung, where that is not `endpoint`; null else. */
  readonly route: readonly RouteStep[] | null;
  readonly mediaNode: string | null;
  readonly media: 'bridged' | 'direct' | null;
}
