import { erlangB } from '../numbers/erlang.js';

/** How sure the switch said it was, and how often it was right. */
export interface CalibrationBin {
  /** Stated probabilities from here (included) to there (not included, but for the last one). */
  readonly from: number;
  readonly to: number;
  readonly calls: number;
  readonly stated: number;
  readonly right: number;
}

/** What came of a simulation. Shares are of 1. */
export interface Outcome {
  readonly visits: number;
  /** Visitors who asked and got no number. */
  readonly blocked: number;
  /** What Erlang B says of the measured load. */
  readonly expectedBlockedShare: number;
  /** Visits an hour times the measured mean hold, margin included, erlangs. */
  readonly offered: number;
  readonly meanHoldMs: number;
  /** Calls to numbers of the pool; calls of visitors who saw the printed number are not among them. */
  readonly calls: number;
  /** Calls that the newest holder of the number did not make. */
  readonly wrongNewest: number;
  /** Calls that the likeliest candidate did not make. */
  readonly wrongRanked: number;
  /** Mean of (stated probability - whether it was right)², of the likeliest candidate; of no calls 0. */
  readonly brier: number;
  /** Of the likeliest candidate. */
  readonly bins: readonly CalibrationBin[];
}

const BINS = 10;

/** Counts what happens, and says what came of it. */
export class Tally {
  #visits = 0;
  #blocked = 0;
  #held = 0;
  #heldMs = 0;
  #calls = 0;
  #wrongNewest = 0;
  #wrongRanked = 0;
  #squares = 0;
  readonly #bins = Array.from({ length: BINS }, () => ({ calls: 0, stated: 0, right: 0 }));

  visit(served: boolean): void {
    this.#visits += 1;
    if (!served) this.#blocked += 1;
  }

  /** A link ended after it took its number for so long, margin included. */
  held(ms: number): void {
    this.#held += 1;
    this.#heldMs += ms;
  }

  /** `stated`: the probability that was given to the likeliest candidate. */
  call(newestIsRight: boolean, likeliestIsRight: boolean, stated: number): void {
    this.#calls += 1;
    if (!newestIsRight) this.#wrongNewest += 1;
    if (!likeliestIsRight) this.#wrongRanked += 1;
    this.#squares += (stated - (likeliestIsRight ? 1 : 0)) ** 2;
    const bin = this.#bins[Math.min(BINS - 1, Math.floor(stated * BINS))];
    if (bin === undefined) throw new RangeError('a probability is from 0 to 1');
    bin.calls += 1;
    bin.stated += stated;
    if (likeliestIsRight) bin.right += 1;
  }

  /** `overMs`: the time in which the visits came. */
  outcome(numbers: number, overMs: number): Outcome {
    const meanHoldMs = this.#held === 0 ? 0 : this.#heldMs / this.#held;
    const offered = (this.#visits / overMs) * meanHoldMs;
    return {
      visits: this.#visits,
      blocked: this.#blocked,
      expectedBlockedShare: erlangB(offered, numbers),
      offered,
      meanHoldMs,
      calls: this.#calls,
      wrongNewest: this.#wrongNewest,
      wrongRanked: this.#wrongRanked,
      brier: this.#calls === 0 ? 0 : this.#squares / this.#calls,
      bins: this.#bins.flatMap(({ calls, stated, right }, i) =>
        calls === 0
          ? []
          : [{ from: i / BINS, to: (i + 1) / BINS, calls, stated: stated / calls, right: right / calls }],
      ),
    };
  }
}
