import type { Logger } from './logger.js';

/** A difference that no disciplined clock makes between two looks, ms. */
const STEP_MS = 500;
/** Longer than any call rings (drachtio's timer C, and a step after it). */
const CAUTIOUS_FOR_MS = 300_000;

export interface ClockParts {
  readonly wall?: () => number;
  /** ms that nobody sets. */
  readonly elapsed?: () => number;
  readonly log: Logger;
}

/**
 * The machine's clock, which somebody may set while calls are up. It is for stamps alone: how long something takes is measured
 * with `performance.now`, and whatever ends by the clock is compared with `cautious`.
 */
export class WatchedClock {
  readonly #wall: () => number;
  readonly #elapsed: () => number;
  readonly #log: Logger;
  /** The wall's time when `elapsed` was 0, as it is and as it was before the last step. */
  #zero: number;
  #former: { readonly zero: number; readonly until: number } | undefined;

  constructor({ wall = Date.now, elapsed = () => performance.now(), log }: ClockParts) {
    this.#wall = wall;
    this.#elapsed = elapsed;
    this.#log = log;
    this.#zero = wall() - elapsed();
  }

  /** ms since the epoch, as the machine has it. */
  readonly now = (): number => {
    const [wall, elapsed] = [this.#wall(), this.#elapsed()];
    const zero = wall - elapsed;
    const byMs = zero - this.#zero;
    if (Math.abs(byMs) >= STEP_MS) {
      this.#former = { zero: this.#zero, until: elapsed + CAUTIOUS_FOR_MS };
      this.#log.warn({ byMs: Math.round(byMs) }, "the machine's clock was set");
    }
    this.#zero = zero;
    return wall;
  };

  /**
   * ms since the epoch: now, or for five minutes after the clock was set forwards what it would be without that. By this time
   * nothing that was stamped before or after is older than it is.
   */
  readonly cautious = (): number => {
    const now = this.now();
    const elapsed = this.#elapsed();
    if (this.#former === undefined || elapsed >= this.#former.until) return now;
    return Math.min(now, Math.floor(this.#former.zero + elapsed));
  };
}
