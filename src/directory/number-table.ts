import type { NumberRange } from './model.js';

/**
 * Ranges of numbers and what they belong to, for lookups: sorted once, a binary search each. A million single numbers
 * are 16 MB. Ranges do not overlap; where they do, the one that begins last is found.
 */
export class NumberTable<T> {
  readonly #first: Float64Array;
  readonly #last: Float64Array;
  readonly #values: readonly T[];

  constructor(entries: Iterable<{ readonly range: NumberRange; readonly value: T }>) {
    const sorted = [...entries].sort((a, b) => Number(a.range.first) - Number(b.range.first));
    this.#first = Float64Array.from(sorted, ({ range }) => Number(range.first));
    this.#last = Float64Array.from(sorted, ({ range }) => Number(range.last));
    this.#values = sorted.map(({ value }) => value);
  }

  /** Whose number it is. Text that is no number in E.164 has no owner. */
  find(number: string): T | undefined {
    if (!/^\+[1-9]\d{6,14}$/.test(number)) return undefined;
    const value = Number(number);
    let low = 0;
    let high = this.#first.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#first[middle] ?? Infinity) <= value) low = middle + 1;
      else high = middle;
    }
    return value <= (this.#last[low - 1] ?? -1) ? this.#values[low - 1] : undefined;
  }
}
