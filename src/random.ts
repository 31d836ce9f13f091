import { randomFillSync } from 'node:crypto';

const POOL = Buffer.alloc(4096);
let used = POOL.length;

/**
 * `count` random bytes, 4,096 at most, that nobody else gets. A call asks for a few three times, and each question to the
 * system's generator costs more than what is done with its answer. @throws RangeError for more
 */
export function randomBytesOf(count: number): Buffer {
  if (count > POOL.length) throw new RangeError(`count: expected at most ${String(POOL.length)}`);
  if (count > POOL.length - used) {
    randomFillSync(POOL);
    used = 0;
  }
  const bytes = Buffer.from(POOL.subarray(used, used + count));
  // What was given out is not kept here as well.
  POOL.fill(0, used, used + count);
  used += count;
  return bytes;
}
