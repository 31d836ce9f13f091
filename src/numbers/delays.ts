import { CALL_MODEL, shareLater, type DelayPart } from './call-model.js';

const MINUTE_MS = 60_000;

/** The share of calls that come later than `ms` after landing. */
export function shareLaterThan(ms: number, parts: readonly DelayPart[] = CALL_MODEL.delays): number {
  return ms <= 0 ? 1 : shareLater(ms / MINUTE_MS, parts);
}

/** The time after landing by which all but `share` (between 0 and 1) of the calls have come, ms. */
export function delayOfShare(share: number, parts: readonly DelayPart[] = CALL_MODEL.delays): number {
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
