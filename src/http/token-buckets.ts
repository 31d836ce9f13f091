/** More keys than this at once, and the one seen longest ago is forgotten (and with it, that it was busy). */
const MAX_KEYS = 50_000;

export interface Rate {
  /** Tokens of a full bucket. */
  readonly burst: number;
  /** Tokens that flow in. */
  readonly perSecond: number;
}

/**
 * A token bucket a key, in memory. One number a bucket: the moment at which it would be full again (generic cell rate
 * algorithm).
 */
export class TokenBuckets {
  readonly #fullAt = new Map<string, number>();

  /** Takes one token; false when there is none. @param now ms; a clock that was set back fills the buckets */
  take(key: string, { burst, perSecond }: Rate, now: number): boolean {
    const tokenMs = 1000 / perSecond;
    const kept = this.#fullAt.get(key) ?? now;
    // Emptier than empty it is only by another clock's time.
    const ofThisClock = kept - now <= burst * tokenMs ? kept : now;
    const fullAt = Math.max(ofThisClock, now) + tokenMs;
    if (fullAt - now > burst * tokenMs) return false;
    this.#fullAt.delete(key); // to the end: the order of the map is the order of use
    this.#fullAt.set(key, fullAt);
    if (this.#fullAt.size > MAX_KEYS) this.#forgetOldest();
    return true;
  }

  /** Puts a token back that was not needed after all. */
  giveBack(key: string, { perSecond }: Rate): void {
    const fullAt = this.#fullAt.get(key);
    if (fullAt !== undefined) this.#fullAt.set(key, fullAt - 1000 / perSecond);
  }

  get size(): number {
    return this.#fullAt.size;
  }

  #forgetOldest(): void {
    const oldest = this.#fullAt.keys().next();
    if (oldest.done !== true) this.#fullAt.delete(oldest.value);
  }
}
