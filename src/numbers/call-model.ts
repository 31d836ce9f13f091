/**
 * When people call who saw a number, as the ranking of candidates assumes it: assumptions, not measurements, in one table.
 * Times in minutes, rates in calls a minute.
 */
export const CALL_MODEL = {
  /** The share of those who are shown a number who call it. */
  callers: 0.05,
  /** How long after landing they call: most at once, some when they come back to it. Lognormal; sigma of the logarithm. */
  delays: [
    { share: 0.8, medianMin: 2, sigma: 0.8 },
    { share: 0.2, medianMin: 45, sigma: 1.2 },
  ],
  /** After a tap on the tel: link: the share that calls, and the mean time from the tap to the INVITE (exponential). */
  tap: { callers: 0.8, meanMin: 1 / 3 },
  /**
   * A page that was heard within this time, and whose link lives, is open, or was left a moment ago. Of those who call from
   * an open page half tap: a call without a tap is less likely theirs.
   */
  open: { withinMin: 1.5, factor: 0.55 },
  /** Callers who call again, at a rate that falls with the time since (hyperbola). */
  again: { callers: 0.2, afterMin: 10 },
  /** How often a known caller is somebody else than the one whom he called as before. */
  anotherWithSamePhone: 0.001,
  /** How much likelier a visitor of the caller's area is the caller than one whose area is not known; and of another area. */
  area: { same: 4.5, other: 0.4 },
  /** New visitors a minute on a number that many share (buckets, parameters). */
  sharedVisitors: 1,
  /** Calls of nobody who was shown the number lately: printed, saved, passed on. One in a year. */
  background: 1 / (365 * 24 * 60),
} as const;

/**
 * Sooner than this counts as this: the lognormal has nobody call in the first seconds, but a page that the site's server
 * wrote, or that was still loading, was seen before we heard of it.
 */
const SHORTEST_MIN = 0.25;
const FLOOR = 1e-15; // keeps ratios of rates finite; far below the background

/** Calls a minute of somebody who was shown the number `minutes` ago. */
export function rateAfterLanding(minutes: number): number {
  const { callers, delays } = CALL_MODEL;
  const t = Math.max(minutes, SHORTEST_MIN);
  const density = delays.reduce((sum, { share, medianMin, sigma }) => {
    const z = Math.log(t / medianMin) / sigma;
    return sum + (share * Math.exp((-z * z) / 2)) / (t * sigma * Math.sqrt(2 * Math.PI));
  }, 0);
  return Math.max(callers * density, FLOOR);
}

/** How long after landing a part of the visitors calls: lognormal, half of them within the median; sigma of the logarithm. */
export interface DelayPart {
  /** Share of the calls. */
  readonly share: number;
  readonly medianMin: number;
  readonly sigma: number;
}

/** The share of calls that come later than `minutes` (above 0) after landing. */
export function shareLater(minutes: number, parts: readonly DelayPart[] = CALL_MODEL.delays): number {
  return parts.reduce(
    (sum, { share, medianMin, sigma }) => sum + share * upperTail(Math.log(minutes / medianMin) / sigma),
    0,
  );
}

/** Calls a minute of those whom a number was shown to until `minutes` ago, `perMinute` of them before that. */
export function rateOfMany(perMinute: number, minutes: number): number {
  const yetToCall = shareLater(Math.max(minutes, SHORTEST_MIN));
  return Math.max(perMinute * CALL_MODEL.callers * yetToCall, FLOOR);
}

/** Calls a minute of somebody who tapped the link `minutes` ago. */
export function rateAfterTap(minutes: number): number {
  const { callers, meanMin } = CALL_MODEL.tap;
  return (callers / meanMin) * Math.exp(-Math.max(minutes, 0) / meanMin);
}

/** Calls a minute of somebody who called this number `minutes` ago. */
export function rateAgain(minutes: number): number {
  const { callers, afterMin } = CALL_MODEL.again;
  return callers / (Math.max(minutes, 0) + afterMin);
}

/** The share of the normal distribution above `z`, within 1e-7 (Abramowitz and Stegun 26.2.17). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (series * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
  return z >= 0 ? tail : 1 - tail;
}
