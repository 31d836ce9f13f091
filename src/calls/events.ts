/**
 * The steps of a call, as they stand in the account's Redis stream and in the call log.
 *
 * An event is idempotent by `call` and `seq`: `seq` follows from the kind and the witness alone, never from the order of
 * arrival, so that the same step told twice (two processes, a replayed spool, a media node's own file) is one event.
 * Times are milliseconds since the epoch and come from the witness's own clock and stamps.
 */
export type Level = 'token' | 'session' | 'bucket' | 'overflow' | 'none';

interface Step {
  readonly v: 1;
  readonly account: string;
  readonly call: string;
  readonly seq: number;
  readonly at: number;
}

/** `seq` of every kind and witness. */
export const Seq = {
  received: 1,
  attributed: 2,
  planned: 10, // + attempt (0 for the first media node, 1 for the second, ...)
  ringing: 20,
  answered: 30,
  endedByNode: 40, // FreeSWITCH's CHANNEL_HANGUP_COMPLETE, or its spool: the same stamps, the same event
  endedByDialog: 41, // drachtio's cdr:stop of a direct call
  endedByProxy: 42, // the final response that the application saw or sent
  endedBySweep: 43,
} as const;

/** Whose call it is and where it goes, as far as that is known. */
export interface Visit {
  readonly level: Level;
  /** The link had ended when the call came. */
  readonly late: boolean;
  /** Why it goes there, or to nobody. */
  readonly why: Why;
  readonly endpoint?: string;
  readonly site?: string;
  readonly session?: string;
  readonly visitor?: string;
  readonly link?: string;
  /** The touch as the page gave it: JSON text. */
  readonly touch?: string;
  readonly bucket?: string;
  /** The set of parameter values that held the number: canonical JSON text. */
  readonly parameters?: string;
  readonly person?: string;
  /** The number was held by two at once. */
  readonly ambiguous?: boolean;
}

/** How a visit was found among those who may have called. */
export interface Reckoning {
  /** Of the one who is credited, 0 to 1. */
  readonly probability?: number;
  /** The caller called the number before, and reached what he reached then. */
  readonly redial?: boolean;
  /** The likeliest first, at most eight; absent where nobody was in the log. */
  readonly candidates?: readonly RankedCandidate[];
}

/** Screening was passed and the number was looked up; the visit is the newest holder's. */
export interface Received extends Step, Visit {
  readonly kind: 'received';
  /** E.164, as dialled. */
  readonly number: string;
  /** The caller as `sealCaller` made it (encrypted), and its keyed hash; absent for an anonymous caller. */
  readonly caller?: string;
  readonly callerHash?: string;
  /** Who sent the call on to this number, sealed likewise; absent where nobody did, or does not want to be known. */
  readonly diverting?: string;
  /** What is known of the caller's number, and why it is not more; absent where nothing was looked at. */
  readonly attestation?: string;
  readonly attestationWhy?: string;
  readonly trunk: string;
  readonly test: boolean;
  /** All that was known of who may have called, for `rank`: the number's holder log, newest first, without touches. */
  readonly evidence?: readonly object[];
  /** What this caller reached when he called the number before. */
  readonly redial?: object;
}

/** Why a call went where it went; the call record's reference says what each means. */
export type Why =
  'linked' | 'lastHolder' | 'redial' | 'ambiguous' | 'poolDefault' | 'unknownNumber' | 'storeDown';

/** A candidate for who called. */
export interface RankedCandidate {
  readonly link: string;
  readonly endpoint: string;
  readonly session?: string;
  readonly visitor?: string;
  readonly bucket?: string;
  /** 0 to 1. */
  readonly probability: number;
  /** Calls a minute, and what that is multiplied with: see `numbers/ranking.ts`. */
  readonly because: readonly { readonly what: string; readonly factor: number }[];
}

/** Whose call it was, decided of all evidence. What it says counts in place of what `received` says. */
export interface Attributed extends Step, Visit, Reckoning {
  readonly kind: 'attributed';
}

/** An endpoint that a call came to, and why: it is the number's, or by the rule or for the reason of the one before. */
export interface RouteStep {
  readonly endpoint: string;
  readonly because: 'number' | 'area' | 'attestation' | 'closed' | 'full';
}

/** What is to be done was decided; the INVITE is about to leave for the media node, or straight for the destination. */
export interface Planned extends Step {
  readonly kind: 'planned';
  readonly media: 'bridged' | 'direct';
  readonly mediaNode?: string;
  /** Who is to be rung, in words: `sip:agent@127.0.0.1:5070`. */
  readonly destinations: readonly string[];
  /** How it came to the endpoint that is rung; absent where that is the one that the number stands for. */
  readonly route?: readonly RouteStep[];
  /** SIP Call-ID of the caller leg, for the dialogs that drachtio's records name. */
  readonly callId: string;
}

/** The caller hears ringing. */
export interface Ringing extends Step {
  readonly kind: 'ringing';
}

/** The caller was answered. */
export interface Answered extends Step {
  readonly kind: 'answered';
  readonly destination?: string;
}

export type Result = 'answered' | 'busy' | 'noAnswer' | 'cancelled' | 'rejected' | 'failed';
export type Fault = 'ours' | 'caller' | 'callee' | 'carrier' | 'unknown';

/** SIP status that the caller got (0 when none is known), the Q.850 cause (0 likewise), and a fixed text. */
export interface Reason {
  readonly status: number;
  readonly q850: number;
  readonly text: string;
}

/** The call is over: one termination record, decided once at the witness, feeds log, metric and call record alike. */
export interface Ended extends Step {
  readonly kind: 'ended';
  readonly result: Result;
  readonly reason: Reason;
  readonly fault: Fault;
  readonly destination?: string;
  /** Stamps that the same witness knows of the steps before; absent when it does not know them. */
  readonly startedAt?: number;
  readonly ringingAt?: number;
  readonly answeredAt?: number;
}

export type CallEvent = Received | Attributed | Planned | Ringing | Answered | Ended;
export type CallEventKind = CallEvent['kind'];
