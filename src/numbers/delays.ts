import { CALL_MODEL, upperTail } from './call-model.js';

/**
 * How long after landing on the page a visitor calls: most while they look at it, the others when they have thought about
 * it. A mixture of two lognormal distributions; a working assumption, no measurement of anybody's callers.
 */
export interface DelayPart {
  /** Share of the calls. */
  readonly share: number;
  /** Half of them come within this time, ms. */
  readonly medianMs: number;
  /** Standard deviation of the logarithm. */
  readonly sigma: number;
}

export const CALL_DELAYS: readonly DelayPart[] = CALL_MODEL.delays.map(({ share, medianMin, sigma }) => ({
  share,
  medianMs: medianMin * 60_000,
  sigma,
}));

/** The share of calls that come later than `ms` after landing. */
export function shareLaterThan(ms: number, parts: readonly DelayPart[] = CALL_DELAYS): number {
  if (ms <= 0) return 1;
  return parts.reduce((sum, { share, medianMs, sigma }) => {
    return sum + share * upperTail(Math.log(ms / medianMs) / sigma);
  }, 0);
}

/** The time after landing by which all but `share` (between 0 and 1) of the calls have come, ms. */
export function delayOfShare(share: number, parts: readonly DelayPart[] = CALL_DELAYS): number {
  if (!(share > 0 && share < 1)) throw new RangeError('a share is above 0 and below 1');
  let low = 0;
  let high = 1;
  while (shareLaterThan(high, parts) > share) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (shareLaterThan(middle, parts) > share) low = middle;
    else high = middle;
  }
  return high;
}
