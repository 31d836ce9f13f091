/** Buckets a power of two: what is read back is at most 1/64 below what was recorded. */
const STEPS = 64;
const OCTAVES = 32;

/** A distribution of latencies in a fixed amount of memory, however many are recorded. */
export class Latencies {
  /** Counts by microseconds: the first `STEPS` one by one, then `STEPS / 2` a power of two. */
  readonly #counts = new Uint32Array(STEPS + (OCTAVES * STEPS) / 2);
  #total = 0;

  get count(): number {
    return this.#total;
  }

  /** @param ms not negative */
  record(ms: number): void {
    const index = bucketOf(Math.max(0, Math.round(ms * 1000)));
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  add(other: Latencies): void {
    other.#counts.forEach((count, index) => {
      this.#counts[index] = (this.#counts[index] ?? 0) + count;
    });
    this.#total += other.#total;
  }

  /** The latency that the share `q` (0 to 1) of all does not exceed, ms; NaN when there are none. */
  quantile(q: number): number {
    let left = Math.max(1, Math.ceil(q * this.#total));
    if (this.#total === 0) return Number.NaN;
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return lowestOf(index) / 1000;
    }
    return Number.NaN;
  }
}

function bucketOf(us: number): number {
  if (us < STEPS) return us;
  const octave = Math.floor(Math.log2(us)) - Math.log2(STEPS);
  const within = Math.floor(us / 2 ** (octave + 1)) - STEPS / 2;
  return Math.min(STEPS + (octave * STEPS) / 2 + within, STEPS + (OCTAVES * STEPS) / 2 - 1);
}

function lowestOf(index: number): number {
  if (index < STEPS) return index;
  const octave = Math.floor((index - STEPS) / (STEPS / 2));
  const within = (index - STEPS) % (STEPS / 2);
  return (within + STEPS / 2) * 2 ** (octave + 1);
}

/** NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** `value` with `digits` digits after the point: figures of a bench have no more meaning than that. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** What is told of a distribution, ms. */
export function summary(latencies: Latencies) {
  return {
    samples: latencies.count,
    p50: rounded(latencies.quantile(0.5)),
    p99: rounded(latencies.quantile(0.99)),
  };
}
