import { Seq } from './events.js';
import type { Ended } from './events.js';
import type { CallRecord } from './record.js';
import { LOST } from './termination.js';
import type { Termination } from './termination.js';

/** After a step that must be followed by another: twice the longest SIP transaction (RFC 3261: 64 * T1 = 32 s). */
export const STEP_MS = 64_000;
/** The longest that a call rings (drachtio's timer C), and the time for a step to follow. */
export const RING_MS = 185_000 + STEP_MS;
/** Nobody can be asked about a direct call: after this long its end was missed. */
export const DIRECT_MS = 4 * 3_600_000;

/** What is known of a call's media node: it has the call, has it no more, is away (since when), or cannot be told. */
export type NodeView =
  { readonly kind: 'has' | 'hasNot' | 'unknown' } | { readonly kind: 'away'; readonly since: number };

/**
 * The end of a call that no witness told, as of `now` (ms); undefined while one may still come:
 * - nothing was planned: 64 s after it came, `no step followed`;
 * - its media node is up and no longer has it: 64 s after its last step, `the media node told no end`;
 * - its media node has been away for 64 s: `lost with the media node`, at the time when it went;
 * - it was sent straight to its destination and not answered within 249 s: `no step followed`; answered: after 4 h.
 * A call that its node has is never closed, however long it lasts.
 */
export function overdue(record: CallRecord, now: number, node: NodeView): Ended | undefined {
  if (record.endedAt !== null) return undefined;
  const last = Math.max(record.startedAt, record.ringingAt ?? 0, record.answeredAt ?? 0);
  if (record.media === 'bridged') return bridged(record, now, node, last);
  if (record.answeredAt !== null) return after(record, record.answeredAt + DIRECT_MS, now, LOST.dialog);
  const waitMs = record.media === null && record.ringingAt === null ? STEP_MS : RING_MS;
  return after(record, record.startedAt + waitMs, now, LOST.noStep);
}

function bridged(record: CallRecord, now: number, node: NodeView, last: number): Ended | undefined {
  switch (node.kind) {
    case 'has':
    case 'unknown':
      return undefined;
    case 'hasNot':
      return now - last >= STEP_MS ? lostCall(record, now, LOST.noWord) : undefined;
    case 'away':
      return now - Math.max(node.since, last) >= STEP_MS
        ? lostCall(record, Math.max(node.since, last), LOST.node)
        : undefined;
  }
}

function after(record: CallRecord, end: number, now: number, termination: Termination): Ended | undefined {
  return now >= end ? lostCall(record, end, termination) : undefined;
}

/** The event that closes a call which no witness closed, by the sweep. */
export function lostCall(
  record: Pick<CallRecord, 'id' | 'account'>,
  at: number,
  termination: Termination,
): Ended {
  return {
    v: 1,
    kind: 'ended',
    account: record.account,
    call: record.id,
    seq: Seq.endedBySweep,
    at,
    ...termination,
  };
}
