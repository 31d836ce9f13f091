import type { CallFilter } from '../calls/ports.js';

/** Where a page goes on: the start and id of the last call of the page before. */
export interface PageKey {
  readonly startedAt: number;
  readonly id: string;
}

/** What the workers of the call log are asked. Events and records travel as JSON text, just as they are stored. */
export type CallLogRequest =
  | { readonly op: 'append'; readonly events: readonly string[] }
  | { readonly op: 'get'; readonly account: string; readonly call: string }
  | { readonly op: 'events'; readonly account: string; readonly call: string }
  | { readonly op: 'list'; readonly account: string; readonly filter: CallFilter; readonly after?: PageKey }
  | { readonly op: 'credits'; readonly account: string; readonly from?: number; readonly to?: number }
  | { readonly op: 'open'; readonly before: number };

export interface WorkerRequest {
  readonly id: number;
  readonly request: CallLogRequest;
}

/** Texts of events, records or counts, or why there are none. */
export type WorkerReply =
  | { readonly id: number; readonly texts: readonly string[] }
  | { readonly id: number; readonly failure: string };

export interface WorkerSettings {
  readonly path: string;
  readonly role: 'writer' | 'reader';
}
