import type { CallEvent } from './events.js';
import type { CallRecord } from './record.js';

/** Where the steps of calls go. Resolves once the event is safe: in the account's stream, or in the spool on disk. */
export interface EventSink {
  append(event: CallEvent): Promise<void>;
}

export interface CallFilter {
  readonly number?: string;
  readonly site?: string;
  readonly endpoint?: string;
  /** startedAt, ms since the epoch: from is included, to is not. */
  readonly from?: number;
  readonly to?: number;
  /** 1 to 500. */
  readonly limit: number;
  /** What an earlier page gave as `next`. */
  readonly cursor?: string;
}

export interface CallPage {
  readonly items: readonly CallRecord[];
  readonly next: string | null;
}

/** Calls that are credited to one set of parameter values. */
export interface CreditCount {
  /** Canonical JSON text. */
  readonly parameters: string;
  readonly calls: number;
  readonly answered: number;
}

/** The call log: SQL behind one port, one conformance suite for all adapters. */
export interface CallLog {
  /** Durable when it resolves; an event that is already there changes nothing. */
  append(events: readonly CallEvent[]): Promise<void>;
  get(account: string, call: string): Promise<CallRecord | undefined>;
  /** The events behind a record, by seq. */
  events(account: string, call: string): Promise<readonly CallEvent[]>;
  /** Newest first. Throws `BadCursor` for a cursor that it did not make. */
  list(account: string, filter: CallFilter): Promise<CallPage>;
  /** The calls of numbers that sets of parameter values held, counted by set; without test calls. `from`, `to` as in a filter. */
  credits(account: string, span: Pick<CallFilter, 'from' | 'to'>): Promise<readonly CreditCount[]>;
  /** Calls without an end whose newest event is older than `before` (ms since the epoch). */
  open(before: number): Promise<readonly CallRecord[]>;
  close(): Promise<void>;
}

export class BadCursor extends Error {
  readonly code = 'badCursor';
}
