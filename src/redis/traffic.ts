import { accountKeys } from '../numbers/keys.js';
import { StoreUnavailable } from '../numbers/ports.js';
import { readTraffic, type PoolTraffic } from '../numbers/traffic.js';
import type { RedisClient } from './clients.js';
import { within } from './deadline.js';

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
  const keys = accountKeys(account);
  const [seconds, microseconds] = await client.time();
  const now = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  const [numbers, busy, fields] = await Promise.all([
    client.zcard(keys.ends(pool)),
    client.zcount(keys.ends(pool), `(${String(now)}`, '+inf'),
    client.hgetall(keys.traffic(pool)),
  ]);
  return { now, numbers, busy, hours: readTraffic(fields) };
}
