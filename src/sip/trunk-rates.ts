import type { Trunk } from '../directory/model.js';
import { TokenBucket } from './token-bucket.js';

/** New calls a second, trunk by trunk, as the directory allows them. A changed rate starts a new bucket. */
export class TrunkRates {
  readonly #buckets = new Map<string, { rate: number; bucket: TokenBucket }>();

  /** Whether `trunk` may bring one more call now (ms, never backwards). */
  take(trunk: Trunk, now: number): boolean {
    const rate = trunk.callsPerSecond;
    if (rate === undefined) {
      this.#buckets.delete(trunk.id);
      return true;
    }
    let entry = this.#buckets.get(trunk.id);
    if (entry?.rate !== rate) {
      entry = { rate, bucket: new TokenBucket(rate, now) };
      this.#buckets.set(trunk.id, entry);
    }
    return entry.bucket.take(now);
  }
}
