import { accountKeys } from '../numbers/keys.js';
import type { RedisClient } from './clients.js';

/** Redis's own time, ms since the epoch. */
export async function redisNow(client: RedisClient): Promise<number> {
  const [seconds, microseconds] = await client.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

/** How many numbers a pool has on offer, and how many of these cannot be given at `now`. */
export async function poolUse(
  client: RedisClient,
  account: string,
  pool: string,
  now: number,
): Promise<{ readonly numbers: number; readonly busy: number }> {
  const ends = accountKeys(account).ends(pool);
  const [numbers, busy] = await Promise.all([
    client.zcard(ends),
    client.zcount(ends, `(${String(now)}`, '+inf'),
  ]);
  return { numbers, busy };
}
