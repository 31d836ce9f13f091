import type { Pool, Site } from '../directory/model.js';
import { mintId } from '../ids.js';
import { Allocator } from '../numbers/allocator.js';
import { parseHolderLog } from '../numbers/holder-log.js';
import { accountKeys } from '../numbers/keys.js';
import { PoolStore } from '../numbers/pool-store.js';
import { Resolver } from '../numbers/resolver.js';
import type { Logger } from '../observe/logger.js';
import { RedisClients } from '../redis/clients.js';
import { RedisScripts } from '../redis/scripts.js';
import type { Outcome } from '../simulation/outcome.js';
import { Simulation, type Plan, type SimulatedClock } from '../simulation/simulation.js';

/** Midnight at the beginning of a year; no simulation depends on it. */
const BEGIN = Date.UTC(2026, 0, 1);
const HEARTBEAT_MS = 60_000;
/** What HTTP gives a page that is left: a heartbeat and 5 s. */
const GRACE_MS = HEARTBEAT_MS + 5_000;
const READY_MS = 10_000;

export interface SimulationSettings extends Plan {
  readonly numbers: number;
  /** How long a link lives on when its page is left, ms; as HTTP does it when absent. */
  readonly graceMs?: number;
}

/**
 * One simulation on a Redis that is nobody else's (URL or path of its socket): an account of its own with one page and one
 * pool, the real allocator, and a clock that runs as fast as the answers come.
 */
export async function runSimulation(
  url: string,
  { numbers, graceMs = GRACE_MS, ...plan }: SimulationSettings,
  log: Logger,
): Promise<Outcome> {
  const account = mintId('acc');
  const site: Site = {
    id: mintId('site'),
    name: 'simulated',
    origins: [],
    printedNumber: '+999000000000',
    endpoints: [],
    holdMs: 5 * HEARTBEAT_MS,
    heartbeatMs: HEARTBEAT_MS,
  };
  const pool: Pool = { id: mintId('pool'), name: 'simulated', numbers: [] };
  const clients = new RedisClients(url, log);
  try {
    await clients.ready(READY_MS);
    // One connection, patient and without pipelines of ioredis's own: the commands arrive in the order of the clock.
    const redis = clients.background;
    const scripts = new RedisScripts(redis);
    const clock: SimulatedClock = { now: BEGIN };
    const time = (): number => clock.now;
    const allocator = new Allocator(scripts, time);
    const resolver = new Resolver(scripts, () => true, time);
    const holderLog = async (number: string) => {
      const text = await redis.hget(accountKeys(account).numbers, number);
      return text === null ? [] : parseHolderLog(text);
    };
    await new PoolStore(scripts, time).reserve(account, pool.id, pretendNumbers(numbers));
    const scene = { account, endpoint: mintId('end'), site, pool, numbers, graceMs };
    return await new Simulation({ allocator, resolver, holderLog }, clock, scene, plan).run();
  } finally {
    await clients.close('the simulation is over');
  }
}

/** Country code 999 is nobody's. */
function* pretendNumbers(count: number): Generator<string> {
  for (let i = 1; i <= count; i++) yield `+999${String(i).padStart(9, '0')}`;
}
