import type { Level } from '../calls/events.js';
import { CALL_MODEL, rateAfterLanding, rateAfterTap, rateAgain, rateOfMany } from './call-model.js';
import { LOG_LENGTH } from './holder-log.js';

/** One link of the called number's holder log, as it was when the call came. Times in ms by Redis's clock. */
export interface Evidence {
  readonly link: string;
  readonly endpoint: string;
  readonly site: string;
  readonly level: Level;
  readonly session?: string;
  readonly bucket?: string;
  /** A set of parameter values that holds the number: canonical JSON text. */
  readonly parameters?: string;
  readonly visitor?: string;
  readonly person?: string;
  /** The touch as JSON text. */
  readonly touch?: string;
  /** Where the visitor is, an E.164 prefix. */
  readonly area?: string;
  readonly startedAt: number;
  readonly until: number;
  /** The last page view or heartbeat. */
  readonly seenAt: number;
  /** The last tap on the tel: link. */
  readonly tapAt?: number;
  /** The number was found to be held by two at once. */
  readonly ambiguous?: boolean;
  /** This caller was taken for this session or visitor before; when, in ms. */
  readonly calledBefore?: number;
  /** Whether the caller's number is of the visitor's area; absent where either is not known. */
  readonly areaMatch?: boolean;
}

/** What made a candidate's weight. The first is a rate in calls a minute, the others are multiplied with it. */
export interface Factor {
  readonly what:
    | 'delay' // since the page was opened
    | 'shared' // many see the number: since the last of them was seen
    | 'tapped'
    | 'open' // the page is still there
    | 'left'
    | 'calledBefore'
    | 'anotherCaller' // the caller is known as somebody else
    | 'sameArea'
    | 'otherArea';
  readonly factor: number;
}

export interface Candidate {
  /** Place in the evidence, which is newest first. */
  readonly index: number;
  readonly probability: number;
  readonly because: readonly Factor[];
}

export interface Ranking {
  /** The likeliest first; of equals, the one that stands first in the evidence. */
  readonly candidates: readonly Candidate[];
  /**
   * Place in the evidence of the one who is credited: the likeliest; but the newest where nothing speaks against him but
   * the time. Absent where there is none, or where the number is ambiguous.
   */
  readonly chosen?: number;
  /** Of the chosen one; `none` without one. */
  readonly level: Level;
  /** The number was held by two at once, and the call is likely one of theirs: nobody is credited. */
  readonly ambiguous: boolean;
  /** The probability that the caller is none of the candidates. */
  readonly nobody: number;
}

const MINUTE_MS = 60_000;

/**
 * Who called? Each candidate weighs as much as the rate at which somebody who saw the number when he did would call just
 * now (`CALL_MODEL`), times what is known beside; his probability is his share in all weights, those of unknown callers
 * included. `evidence` is newest first. `now`: when the call came, ms by the clock of the evidence. Pure and total: the same for the same evidence,
 * probabilities from 0 to 1 with a sum of at most 1, whatever the numbers in it.
 */
export function rank(evidence: readonly Evidence[], context: { readonly now: number }): Ranking {
  const known = evidence.some(({ calledBefore }) => calledBefore !== undefined);
  const reasons = evidence.map((one) => factorsOf(one, context.now, known));
  const weights = reasons.map((because) => because.reduce((product, { factor }) => product * factor, 1));
  const nobody = rateOfNobody(evidence, context.now) * (known ? CALL_MODEL.anotherWithSamePhone : 1);
  const total = weights.reduce((sum, weight) => sum + weight, nobody);
  const candidates = reasons
    .map((because, index): Candidate => ({ index, probability: (weights[index] ?? 0) / total, because }))
    .sort((one, other) => other.probability - one.probability || one.index - other.index);
  const result = { candidates, nobody: nobody / total };

  const chosen = credited(candidates);
  if (chosen === undefined) return { ...result, level: 'none', ambiguous: false };
  // Nobody held the number since it was found to be doubly held (the other page may have lost its place in the log), or the
  // call is likely of one of those who did.
  if (evidence[0]?.ambiguous === true || evidence[chosen]?.ambiguous === true)
    return { ...result, level: 'none', ambiguous: true };
  return { ...result, chosen, level: evidence[chosen]?.level ?? 'none', ambiguous: false };
}

const OF_TIME: ReadonlySet<Factor['what']> = new Set(['delay', 'shared', 'open', 'left']);

/**
 * The likeliest. The minutes alone do not take a call from the newest holder, whose page shows the number now: how soon
 * people call is an assumption, and in the first of them the one before him would seem likelier.
 */
function credited(candidates: readonly Candidate[]): number | undefined {
  const [best] = candidates;
  const newest = candidates.find(({ index }) => index === 0);
  if (best === undefined || newest === undefined) return best?.index;
  return besidesTime(best) > besidesTime(newest) ? best.index : newest.index;
}

/** How much what is known besides the minutes speaks for a candidate. */
function besidesTime({ because }: Candidate): number {
  return because.reduce((product, { what, factor }) => (OF_TIME.has(what) ? product : product * factor), 1);
}

function factorsOf(one: Evidence, now: number, callerIsKnown: boolean): readonly Factor[] {
  const factors: Factor[] = [];
  const shared = one.level === 'bucket';
  const base = shared
    ? rateOfMany(CALL_MODEL.sharedVisitors, minutesSince(one.seenAt, now))
    : rateAfterLanding(minutesSince(one.startedAt, now));
  factors.push({ what: shared ? 'shared' : 'delay', factor: base });

  if (!shared) {
    const open =
      one.until > now && minutesSince(one.seenAt, now) <= CALL_MODEL.open.withinMin ? 'open' : 'left';
    factors.push({ what: open, factor: open === 'open' ? CALL_MODEL.open.factor : 1 });
  }
  if (one.tapAt !== undefined) {
    factors.push({ what: 'tapped', factor: 1 + rateAfterTap(minutesSince(one.tapAt, now)) / base });
  }
  if (one.calledBefore !== undefined) {
    factors.push({ what: 'calledBefore', factor: 1 + rateAgain(minutesSince(one.calledBefore, now)) / base });
  } else if (callerIsKnown) {
    factors.push({ what: 'anotherCaller', factor: CALL_MODEL.anotherWithSamePhone });
  }
  if (one.areaMatch !== undefined) {
    const { same, other } = CALL_MODEL.area;
    factors.push(one.areaMatch ? { what: 'sameArea', factor: same } : { what: 'otherArea', factor: other });
  }
  return factors;
}

/** Calls a minute of those who were shown the number longer ago than the log reaches, or somewhere else. */
function rateOfNobody(evidence: readonly Evidence[], now: number): number {
  if (evidence.length < LOG_LENGTH) return CALL_MODEL.background;
  const oldest = Math.max(...evidence.map(({ startedAt }) => minutesSince(startedAt, now)));
  return CALL_MODEL.background + rateOfMany(evidence.length / Math.max(oldest, 1), oldest);
}

/** A stamp that is no number, or that lies ahead, counts as long ago, or as now. */
function minutesSince(stamp: number, now: number): number {
  const minutes = (now - stamp) / MINUTE_MS;
  return Number.isFinite(minutes) ? Math.max(minutes, 0) : FAR_MIN;
}

const FAR_MIN = 10 * 365 * 24 * 60;
