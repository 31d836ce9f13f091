import { Seq } from '../calls/events.js';
import type { Attributed, Received } from '../calls/events.js';
import type { Lookup } from './attribution.js';
import { parseCallerNotes } from './caller-notes.js';
import { UnexpectedReply } from './codes.js';
import { parseHolderLog } from './holder-log.js';
import type { Resolution, ResolutionRequest } from './types.js';

/** What the event `received` says before the number was looked up. */
export type ReceivedBase = Omit<Received, 'level' | 'late' | 'why' | 'endpoint'>;

/** The event `received` as far as it is known before the number is looked up; the script `resolve` adds the rest. */
export function receivedEvent(request: Omit<ResolutionRequest, 'pool'>): ReceivedBase {
  const { account, call, at, number, trunk, caller, callerHash, test } = request;
  const { diverting, attestation, attestationWhy } = request;
  return {
    v: 1,
    kind: 'received',
    account,
    call,
    seq: Seq.received,
    at,
    number,
    trunk,
    test,
    ...(caller !== undefined && { caller }),
    ...(callerHash !== undefined && { callerHash }),
    ...(diverting !== undefined && { diverting }),
    ...(attestation !== undefined && { attestation }),
    ...(attestationWhy !== undefined && { attestationWhy }),
  };
}

/** Redis did not answer: the pool's default endpoint out of the cached directory, and the event for the spool. */
export function resolutionWithoutStore(request: ResolutionRequest): {
  resolution: Resolution;
  event: Received;
} {
  const resolution = {
    level: 'none',
    late: false,
    why: 'storeDown',
    ...(request.defaultEndpoint !== undefined && { endpoint: request.defaultEndpoint }),
  } as const;
  return { resolution, event: { ...receivedEvent(request), ...resolution } };
}

/** What was decided of a call, for its record; undefined where `received` says it all: nobody ever held the number. */
export function attributedEvent(
  request: Pick<ResolutionRequest, 'account' | 'call' | 'at'>,
  resolution: Resolution,
): Attributed | undefined {
  if (resolution.candidates === undefined) return undefined;
  const decided: { -readonly [K in keyof Resolution]: Resolution[K] } = { ...resolution };
  delete decided.note;
  const { account, call, at } = request;
  return { v: 1, kind: 'attributed', account, call, seq: Seq.attributed, at, ...decided };
}

/** What the script `resolve` returned. Throws `UnexpectedReply`. */
export function readLookup(reply: unknown, redialMs: number): Lookup {
  if (!Array.isArray(reply)) throw new UnexpectedReply('resolve');
  const [now, log, notes] = reply as readonly unknown[];
  if (typeof now !== 'number' || typeof log !== 'string' || typeof notes !== 'string')
    throw new UnexpectedReply('resolve');
  return {
    now,
    log: log === '' ? [] : parseHolderLog(log),
    notes: parseCallerNotes(notes, now, redialMs),
  };
}
