/** When something began, for stamps of what follows from it. */
export interface Moment {
  /** ms since the epoch, as the machine's clock was then. */
  readonly at: number;
  /** `performance.now` */
  readonly began: number;
}

/** @param now ms since the epoch */
export function momentOf(now: number): Moment {
  return { at: now, began: performance.now() };
}

/** How long ago it began, ms. */
export function elapsedSince({ began }: Pick<Moment, 'began'>): number {
  return performance.now() - began;
}

/**
 * Now, ms since the epoch, by the clock as it was when it began: whoever sets the clock meanwhile makes no call longer or
 * shorter.
 */
export function stampAfter(moment: Moment): number {
  return moment.at + Math.round(elapsedSince(moment));
}
