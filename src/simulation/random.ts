/**
 * Numbers by chance that come again with the same seed, on every machine: a Weyl sequence whose steps are mixed (splitmix
 * with 32 bits). For simulations alone; nothing secret is made of it.
 */
export class Random {
  #state: number;

  /** `seed`: any whole number; `stream` sets apart several sequences of one seed. */
  constructor(seed: number, stream = 0) {
    this.#state = (seed ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
    for (let i = 0; i < 8; i++) this.#next();
  }

  /** From 0 (included) to 1 (not included), 53 bits. */
  share(): number {
    return ((this.#next() >>> 5) * 0x4000000 + (this.#next() >>> 6)) / 2 ** 53;
  }

  chance(probability: number): boolean {
    return this.share() < probability;
  }

  /** Times between arrivals that know nothing of each other. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.share());
  }

  /** An index of `weights`, each as often as its weight says; `share` may come from elsewhere. */
  pick(weights: readonly number[], share = this.share()): number {
    let left = share * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return index;
    }
    return weights.length - 1;
  }

  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}
