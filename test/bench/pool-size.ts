import { fileURLToPath } from 'node:url';
import { mintId } from '../../src/ids.js';
import { LOG_LENGTH } from '../../src/numbers/holder-log.js';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { PoolStore } from '../../src/numbers/pool-store.js';
import { createLogger } from '../../src/observe/logger.js';
import { RedisClients, type RedisClient } from '../../src/redis/clients.js';
import { loadScript } from '../../src/redis/lua.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { TestRedis } from '../support/redis.js';
import { allocateArguments, KEY_COUNT } from './allocate-command.js';
import { median, rounded } from './latencies.js';
import { fictionalNumbers } from './numbers.js';
import type { Part, Progress } from './part.js';

const RUNS = 5;
const MOST_RATIO = 1.3;
/** The short run's samples are small, and other programs run beside it. */
const MOST_RATIO_QUICK = 1.5;
/** Commands under way at once: Redis never waits for us. */
const BATCH = 500;
const HOLD_MS = 60_000;

/** As if the same had held a number again and again until its log was full: the scripts never parse older lines. */
const FILL_LOGS = `
for i = 2, #ARGV do
  local line = redis.call('HGET', KEYS[1], ARGV[i])
  redis.call('HSET', KEYS[1], ARGV[i], line .. string.rep('\\n' .. line, tonumber(ARGV[1]) - 1))
end`;

/**
 * What `allocate.lua` itself takes in Redis (`INFO commandstats`, microseconds a call) with few and with many numbers,
 * and what numbers and links take of its memory. Every call gives a number that others held before.
 */
export async function poolSizePart(quick: boolean, progress: Progress): Promise<Part> {
  const sizes = quick ? [1_000, 20_000] : [1_000, 100_000, 1_000_000];
  const calls = quick ? 2000 : 20_000;
  const redis = await TestRedis.start();
  const clients = new RedisClients(redis.url, createLogger('error'));
  try {
    await clients.ready(10_000);
    const lua = loadScript(fileURLToPath(new URL('../../src/numbers/scripts/', import.meta.url)), 'allocate');
    const sha = String(await clients.background.script('LOAD', lua));
    const loads = sizes.map((size) => new PoolLoad(clients.background, sha, size));
    const memory: Record<string, unknown> = {};
    for (const load of loads) memory[String(load.size)] = await load.prepare(progress);

    // The sizes take turns, and each run begins with another one.
    const costs = sizes.map((): number[] => []);
    for (let run = 0; run < RUNS; run++) {
      progress(`poolSize: run ${run + 1} of ${RUNS}`);
      for (let i = 0; i < loads.length; i++) {
        const at = (run + i) % loads.length;
        const cost = await loads[at]?.cost(calls);
        if (cost !== undefined) costs[at]?.push(cost);
      }
    }
    const [smallest = []] = costs;
    const ratios = costs.map((those) => those.map((cost, run) => cost / (smallest[run] ?? cost)));
    const most = quick ? MOST_RATIO_QUICK : MOST_RATIO;
    return {
      figures: {
        runs: RUNS,
        callsEach: calls,
        usPerCall: bySize(
          sizes,
          costs.map((those) => rounded(median(those))),
        ),
        toSmallest: bySize(
          sizes,
          ratios.map((those) => rounded(median(those))),
        ),
        ratios: bySize(
          sizes,
          ratios.map((those) => those.map((ratio) => rounded(ratio))),
        ),
        redisBytes: memory,
      },
      faults: ratios.flatMap((those, i) =>
        median(those) <= most
          ? []
          : [
              `poolSize: an allocation of ${sizes[i]} numbers costs ${rounded(median(those))} times one of 1000, at most ${most} expected`,
            ],
      ),
    };
  } finally {
    await clients.close('the bench is over');
    await redis.stop();
  }
}

const bySize = <T>(sizes: readonly number[], values: readonly T[]): Record<string, T | undefined> =>
  Object.fromEntries(sizes.map((size, i) => [String(size), values[i]]));

/** A pool of its own account, whose clock goes on by so much with every call that the oldest link is always over. */
class PoolLoad {
  readonly #client: RedisClient;
  readonly #sha: string;
  readonly size: number;
  readonly #account = mintId('acc');
  readonly #endpoint = mintId('end');
  readonly #pool = mintId('pool');
  readonly #site = { id: mintId('site'), holdMs: HOLD_MS };
  #calls = 0;

  constructor(client: RedisClient, sha: string, size: number) {
    this.#client = client;
    this.#sha = sha;
    this.size = size;
  }

  /** Reserves the numbers and lets each be held until its log is full. Resolves with bytes of Redis's memory. */
  async prepare(progress: Progress) {
    progress(`poolSize: ${this.size} numbers are held`);
    const empty = await this.#memory();
    const numbers = fictionalNumbers(this.size);
    await new PoolStore(new RedisScripts(this.#client)).reserve(this.#account, this.#pool, numbers);
    const reserved = await this.#memory();
    await this.#run(this.size);
    const linked = await this.#memory();
    for (let i = 0; i < numbers.length; i += BATCH) {
      await this.#client.eval(
        FILL_LOGS,
        1,
        accountKeys(this.#account).numbers,
        LOG_LENGTH,
        ...numbers.slice(i, i + BATCH),
      );
    }
    const logged = await this.#memory();
    return {
      perNumber: rounded((reserved - empty) / this.size, 0),
      perLink: rounded((linked - reserved) / this.size, 0),
      perNumberWithFullLog: rounded((logged - empty) / this.size, 0),
    };
  }

  /** Microseconds that Redis spends in one call of the script, over `calls` of them. */
  async cost(calls: number): Promise<number> {
    await this.#client.config('RESETSTAT');
    await this.#run(calls);
    const stats = await this.#client.info('commandstats');
    const [, count, perCall] = /^cmdstat_evalsha:calls=(\d+),.*?usec_per_call=([\d.]+)/m.exec(stats) ?? [];
    if (Number(count) !== calls) throw new Error(`Redis counted ${count} calls of ${calls}`);
    return Number(perCall);
  }

  async #run(calls: number): Promise<void> {
    for (let left = calls; left > 0; left -= BATCH) {
      const batch = this.#client.pipeline();
      for (let i = 0; i < Math.min(BATCH, left); i++) {
        const n = this.#calls++;
        const args = allocateArguments({
          account: this.#account,
          endpoint: this.#endpoint,
          site: this.#site,
          pool: this.#pool,
          session: `session-${n}`,
          // Over before its turn comes again, and not a call earlier: all numbers of the pool have live links.
          now: Date.UTC(2026, 0, 1) + Math.ceil((n * (HOLD_MS + MARGIN_MS)) / this.size),
        });
        batch.evalsha(this.#sha, KEY_COUNT, ...args);
      }
      for (const [error, reply] of (await batch.exec()) ?? []) {
        if (error) throw error;
        if (!Array.isArray(reply) || reply[0] !== 1) throw new Error('no number was free');
      }
    }
  }

  async #memory(): Promise<number> {
    return Number(/^used_memory:(\d+)/m.exec(await this.#client.info('memory'))?.[1]);
  }
}
