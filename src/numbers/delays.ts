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

export const CALL_DELAYS: readonly DelayPart[] = [
  { share: 0.8, medianMs: 2 * 60_000, sigma: 0.9 },
  { share: 0.2, medianMs: 45 * 60_000, sigma: 1.1 },
];

/** The share of calls that come later than `ms` after landing. */
export function shareLaterThan(ms: number, parts: readonly DelayPart[] = CALL_DELAYS): number {
  if (ms <= 0) return 1;
  return parts.reduce((sum, { share, medianMs, sigma }) => {
    return sum + share * (1 - normalShareBelow(Math.log(ms / medianMs) / sigma));
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

/** The standard normal distribution (Abramowitz and Stegun 7.1.26: wrong by less than 1.5e-7). */
function normalShareBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const half = 0.5 * poly * Math.exp(-x * x);
  return z >= 0 ? 1 - half : half;
}
