import { accountKeys } from '../numbers/keys.js';
import { StoreUnavailable } from '../numbers/ports.js';
import { readTraffic, type PoolTraffic } from '../numbers/traffic.js';
import type { RedisClient } from './clients.js';
import { within } from './deadline.js';
import { poolUse, redisNow } from './pool-use.js';

/** Who asks wants to know within this time. */
const DEADLINE_MS = 2_000;

/** What a pool did and what is in it. `client` is the patient one. Rejects with `StoreUnavailable`. */
export function readPoolTraffic(client: RedisClient, account: string, pool: string): Promise<PoolTraffic> {
  return within(
    read(client, account, pool),
    DEADLINE_MS,
    () => new StoreUnavailable(`Redis did not answer within ${String(DEADLINE_MS)} ms`),
  );
}

async function read(client: RedisClient, account: string, pool: string): Promise<PoolTraffic> {
  const now = await redisNow(client);
  const [use, fields] = await Promise.all([
    poolUse(client, account, pool, now),
    client.hgetall(accountKeys(account).traffic(pool)),
  ]);
  return { now, ...use, hours: readTraffic(fields) };
}
