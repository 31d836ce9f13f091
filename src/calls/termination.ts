import { Seq } from './events.js';
import type { Ended, Fault, Reason, Result } from './events.js';
import { causeOf, HANGUP_CAUSES } from './hangup-causes.js';
import type { EndKind } from './hangup-causes.js';

/** How a call ended: decided once at its witness, the same for log, metric and record. */
export interface Termination {
  readonly result: Result;
  readonly reason: Reason;
  readonly fault: Fault;
}

/** The response that the caller gets, with the Q.850 cause that goes into its Reason header (RFC 3326). */
export interface CallerResponse {
  readonly status: number;
  readonly phrase: string;
  readonly q850: number;
}

const BUSY = { status: 486, phrase: 'Busy Here', q850: 17 };
const NO_ANSWER = { status: 480, phrase: 'Temporarily Unavailable', q850: 19 };
const UNREACHABLE = { status: 480, phrase: 'Temporarily Unavailable', q850: 38 };
const DECLINED = { status: 603, phrase: 'Decline', q850: 21 };
const GAVE_UP = { status: 487, phrase: 'Request Terminated', q850: 16 };
const NO_MEDIA = { status: 488, phrase: 'Not Acceptable Here', q850: 88 };
const OURS = { status: 503, phrase: 'Service Unavailable', q850: 41 };

/**
 * What the caller is told, by the kind of end (design, rule 7). Carriers route around a number that answers 404 or 503:
 * those two say only what is true of us.
 */
export const CALLER_RESPONSES = {
  cleared: UNREACHABLE,
  busy: BUSY,
  silent: NO_ANSWER,
  declined: DECLINED,
  gaveUp: GAVE_UP,
  number: UNREACHABLE,
  media: NO_MEDIA,
  network: UNREACHABLE,
  ours: OURS,
  unknown: UNREACHABLE,
} as const satisfies Readonly<Record<EndKind, CallerResponse>>;

/** For a number that the directory does not know, or that nobody answers for. */
export const UNKNOWN_NUMBER: CallerResponse = { status: 404, phrase: 'Not Found', q850: 1 };

const UNANSWERED: Readonly<Record<EndKind, readonly [Result, Fault]>> = {
  cleared: ['failed', 'callee'],
  busy: ['busy', 'callee'],
  silent: ['noAnswer', 'callee'],
  declined: ['rejected', 'callee'],
  gaveUp: ['cancelled', 'caller'],
  number: ['failed', 'callee'],
  media: ['failed', 'callee'],
  network: ['failed', 'carrier'],
  ours: ['failed', 'ours'],
  unknown: ['failed', 'unknown'],
};

/**
 * How calls end that are not passed on though their number stands for somebody. A carrier that hears 503 takes other calls
 * elsewhere too, so it hears it only where it brings more than was agreed on; a full endpoint is busy to its callers.
 */
export const TURNED_AWAY = {
  closed: { result: 'rejected', fault: 'callee', reason: { status: 480, q850: 20, text: 'closed' } },
  full: { result: 'busy', fault: 'callee', reason: { status: 486, q850: 17, text: 'too many calls' } },
  trunkFull: {
    result: 'failed',
    fault: 'carrier',
    reason: { status: 503, q850: 34, text: 'too many calls of the trunk' },
  },
} as const satisfies Readonly<Record<string, Termination>>;

/** What FreeSWITCH says of a caller leg's end; absent where it says nothing. */
export interface NodeEnd {
  readonly answered: boolean;
  /** Of the leg itself. */
  readonly cause: string;
  /** Of its last attempt to reach somebody: SUCCESS, or a cause; `failure` while the first one is under way. */
  readonly attempt?: string;
  /** `recv_bye`, `send_bye`, `recv_cancel`, `recv_refuse`, `send_refuse`, ... */
  readonly disposition?: string;
  /** The final status of the caller's INVITE, or 200. */
  readonly status?: number;
  /** `sip:486`: what the callee's leg that was bridged ended with. */
  readonly bridged?: string;
}

/** How the caller leg of a bridged call ended. `fault` of an answered call that ended well: who hung up. */
export function endByNode(end: NodeEnd): Termination {
  if (end.answered) return answeredEnd(end.cause, end.disposition);
  if (end.cause === 'ORIGINATOR_CANCEL' || end.disposition === 'recv_cancel') {
    return unanswered('gaveUp', 'ORIGINATOR_CANCEL', GAVE_UP.status, GAVE_UP.q850);
  }
  const cause = decisive(end);
  // Nobody was to be tried: the caller heard an announcement, and was refused as we told the node.
  if (cause === undefined && end.cause === 'UNALLOCATED_NUMBER')
    return endByStatus(UNKNOWN_NUMBER.status, 'us');
  // Nor was anybody when the caller offered no codec that the node has.
  if (cause === undefined && causeOf(end.cause)[0] === 'media')
    return { ...unanswered('media', end.cause, NO_MEDIA.status, NO_MEDIA.q850), fault: 'caller' };
  if (cause === undefined)
    return unanswered('ours', end.cause, refusal(end.status) ?? OURS.status, causeOf(end.cause)[1]);
  const [kind, q850] = causeOf(cause);
  return unanswered(kind, cause, refusal(end.status) ?? CALLER_RESPONSES[kind].status, q850);
}

/**
 * The cause that counts of an unanswered leg. The leg's own cause only mirrors the response that the dialplan gave, so
 * the last attempt's cause comes first; a callee who was heard (early media) and then refused is in the bridged status.
 * undefined when nobody was tried: the dialplan refused the plan.
 */
function decisive(end: NodeEnd): string | undefined {
  const { attempt } = end;
  if (attempt === undefined || attempt === '')
    return causeOf(end.cause)[0] === 'ours' ? end.cause : undefined;
  // The attempt ended with its leg, and it was not the caller (above): what ended the leg counts.
  if (attempt === 'ORIGINATOR_CANCEL') return end.cause;
  if (attempt !== 'SUCCESS' && attempt !== 'failure') return attempt;
  const status = refusal(Number(/^sip:(\d{3})$/.exec(end.bridged ?? '')?.[1] ?? 0));
  return status === undefined ? end.cause : (STATUS_CAUSES.get(status) ?? end.cause);
}

/** Where the callee's status says more than the cause of a leg that was bridged before it was answered. */
const STATUS_CAUSES: ReadonlyMap<number, string> = new Map([
  [486, 'USER_BUSY'],
  [600, 'USER_BUSY'],
  [480, 'NO_USER_RESPONSE'],
  [603, 'CALL_REJECTED'],
]);

function answeredEnd(cause: string, disposition: string | undefined): Termination {
  const [kind, q850] = causeOf(cause);
  const reason = { status: 200, q850, text: cause };
  if (kind === 'network' || kind === 'media') return { result: 'answered', reason, fault: 'carrier' };
  // Its time was up, as its endpoint's `maxCallMs` says.
  if (kind === 'ours' || cause === 'ALLOTTED_TIMEOUT') return { result: 'answered', reason, fault: 'ours' };
  if (disposition === 'recv_bye') return { result: 'answered', reason, fault: 'caller' };
  return { result: 'answered', reason, fault: disposition === 'send_bye' ? 'callee' : 'unknown' };
}

function unanswered(kind: EndKind, text: string, status: number, q850: number): Termination {
  const [result, fault] = UNANSWERED[kind];
  return { result, reason: { status, q850, text }, fault };
}

function refusal(status: number | undefined): number | undefined {
  return status !== undefined && status >= 300 && status <= 699 ? status : undefined;
}

/** Final statuses that say more than their class does (RFC 3261 section 21, RFC 8599, 8688, 8197). */
const STATUSES: Readonly<Record<number, readonly [EndKind, number, string]>> = {
  401: ['network', 21, 'Unauthorized'],
  402: ['network', 21, 'Payment Required'],
  403: ['declined', 21, 'Forbidden'],
  404: ['number', 1, 'Not Found'],
  407: ['network', 21, 'Proxy Authentication Required'],
  408: ['silent', 18, 'Request Timeout'],
  410: ['number', 22, 'Gone'],
  415: ['media', 88, 'Unsupported Media Type'],
  480: ['silent', 18, 'Temporarily Unavailable'],
  481: ['network', 41, 'Call/Transaction Does Not Exist'],
  484: ['number', 28, 'Address Incomplete'],
  485: ['number', 3, 'Ambiguous'],
  486: ['busy', 17, 'Busy Here'],
  487: ['gaveUp', 16, 'Request Terminated'],
  488: ['media', 88, 'Not Acceptable Here'],
  500: ['network', 41, 'Server Internal Error'],
  502: ['network', 38, 'Bad Gateway'],
  503: ['network', 41, 'Service Unavailable'],
  504: ['network', 102, 'Server Time-out'],
  600: ['busy', 17, 'Busy Everywhere'],
  603: ['declined', 21, 'Decline'],
  604: ['number', 1, 'Does Not Exist Anywhere'],
  606: ['media', 88, 'Not Acceptable'],
  607: ['declined', 21, 'Unwanted'],
  608: ['declined', 21, 'Rejected'],
};

/** The rest by class: redirections are not followed, other 4xx are an INVITE that somebody on the way did not like. */
const CLASSES: Readonly<Record<number, readonly [EndKind, number, string]>> = {
  3: ['number', 23, 'Redirection'],
  4: ['network', 127, 'Request Failure'],
  5: ['network', 41, 'Server Failure'],
  6: ['declined', 21, 'Global Failure'],
};

/**
 * How a call ended whose final status (300 to 699) the application saw, from the far side, or sent itself (`by: us`).
 * What we refuse is our fault, but for the caller's own cancelling. Throws RangeError for another status.
 */
export function endByStatus(status: number, by: 'far' | 'us'): Termination {
  const row = STATUSES[status] ?? (Number.isInteger(status) ? CLASSES[Math.floor(status / 100)] : undefined);
  if (row === undefined) throw new RangeError('a final status of a failed call is 300 to 699');
  const [kind, q850, text] = row;
  if (by === 'far' || kind === 'gaveUp') return unanswered(kind, text, status, q850);
  const [result] = UNANSWERED[kind];
  return { result: result === 'noAnswer' ? 'failed' : result, reason: { status, q850, text }, fault: 'ours' };
}

/** The responses that the dialplan gives on a callee's behalf, and the caller's own cancelling: the media node tells them. */
const NODE_STATUSES: ReadonlySet<number> = new Set(
  [BUSY, NO_ANSWER, UNREACHABLE, DECLINED, GAVE_UP, NO_MEDIA].map(({ status }) => status),
);

/** Whether a final status came of what the dialplan does; any other is of a node that is silent, stopping or full. */
function isDialplanStatus(status: number): boolean {
  return NODE_STATUSES.has(status);
}

/**
 * How a bridged call ended whose final response the application saw: the dialplan names FreeSWITCH's cause in Reason
 * (`Q.850;cause=38;text="NO_ROUTE_DESTINATION"`), so that this is what the media node is about to tell as well. What the
 * dialplan does not give comes of a node that is silent, stopping or full: that is our doing.
 */
export function endByDialplan(status: number, reason: string | undefined): Termination {
  if (!isDialplanStatus(status)) return endByStatus(status, 'us');
  const cause = /;\s*text="([A-Z][A-Z0-9_]*)"/.exec(reason ?? '')?.[1];
  if (cause === undefined || !Object.hasOwn(HANGUP_CAUSES, cause)) return endByStatus(status, 'far');
  const [kind, q850] = causeOf(cause);
  return unanswered(kind, cause, status, q850);
}

/** Whether the application's word of an end is only an echo of what the media node tells itself. */
export function isToldByNode(end: Ended): boolean {
  return (
    end.seq === Seq.endedByProxy &&
    end.fault !== 'ours' &&
    end.destination === undefined &&
    isDialplanStatus(end.reason.status) &&
    !Object.values<Termination>(TURNED_AWAY).some(({ reason }) => reason.text === end.reason.text)
  );
}

/** The reasons of drachtio's `cdr:stop`; an ACK that is followed by our own BYE shows as the system's. */
export const DIALOG_REASONS = [
  'call-rejected',
  'call-canceled',
  'normal-release',
  'session-expired',
  'system-initiated-termination',
  'system-error-initiated-termination',
] as const;

/**
 * How a direct call ended by drachtio's `cdr:stop`. `status` is that of the message beside it (a rejection's final
 * response). A reason that drachtio did not have when this was written is unknown.
 */
export function endByDialog(reason: string, answered: boolean, status?: number): Termination {
  if (reason === 'call-canceled' && !answered)
    return unanswered('gaveUp', reason, GAVE_UP.status, GAVE_UP.q850);
  if (reason === 'call-rejected' && !answered)
    return endByStatus(refusal(status) ?? UNREACHABLE.status, 'far');
  const fault = DIALOG_FAULTS[reason] ?? 'unknown';
  if (answered)
    return {
      result: 'answered',
      reason: { status: 200, q850: fault === 'unknown' ? 16 : 102, text: reason },
      fault,
    };
  return { result: 'failed', reason: { status: 0, q850: 31, text: reason }, fault };
}

const DIALOG_FAULTS: Readonly<Record<string, Fault>> = {
  'session-expired': 'carrier',
  'system-initiated-termination': 'ours',
  'system-error-initiated-termination': 'ours',
};

/** How the sweep and the reconciliation close what no witness closed. */
export const LOST = {
  noStep: { result: 'failed', reason: { status: 0, q850: 41, text: 'no step followed' }, fault: 'ours' },
  noWord: {
    result: 'failed',
    reason: { status: 0, q850: 41, text: 'the media node told no end' },
    fault: 'ours',
  },
  node: {
    result: 'failed',
    reason: { status: 0, q850: 41, text: 'lost with the media node' },
    fault: 'ours',
  },
  dialog: {
    result: 'answered',
    reason: { status: 200, q850: 31, text: 'the end was not seen' },
    fault: 'unknown',
  },
} as const satisfies Readonly<Record<string, Termination>>;
