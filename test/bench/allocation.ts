import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Directory, Pool, Site } from '../../src/directory/model.js';
import { mintId } from '../../src/ids.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { PoolStore } from '../../src/numbers/pool-store.js';
import { createLogger } from '../../src/observe/logger.js';
import { RedisClients } from '../../src/redis/clients.js';
import { loadScript } from '../../src/redis/lua.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { TestRedis } from '../support/redis.js';
import { allocateArguments, KEY_COUNT, type AllocateArguments } from './allocate-command.js';
import type { AllocationServerOrder, AllocationServerPorts } from './allocation-server.js';
import { HttpConnection } from './http-connection.js';
import { Latencies, median, rounded } from './latencies.js';
import { closedLoop, paced, type Ask } from './load.js';
import { fictionalNumbers, MOST_NUMBERS } from './numbers.js';
import type { Part, Progress } from './part.js';

const ORIGIN = 'https://www.example.com';
const CONNECTIONS = 50;
/** What an answer is to be. */
const CASES = ['new', 'renewed', 'full'] as const;
type Case = (typeof CASES)[number];
const VARIANTS = ['route', 'bareRoute', 'bareEvalsha'] as const;
type Variant = (typeof VARIANTS)[number];

/** `allocate.lua`'s first value, by case. */
const CODE: Record<Case, number> = { new: 1, renewed: 2, full: 0 };
const STATUS: Record<Case, number> = { new: 201, renewed: 200, full: 200 };
/** How many numbers there are, and how many sessions ask. */
const NUMBERS: Record<Case, number> = { new: MOST_NUMBERS, renewed: 1000, full: 100 };

const HOUR_MS = 3_600_000;

/** Below this the whole route would cost four times the least that HTTP and the script cost: something broke. */
const LEAST_RATIO = 0.25;
/** Share of answers that may be others: the store's 200 ms ran out, because the machine stood still. */
const MOST_FAILED = 0.001;

interface Setting {
  readonly account: string;
  readonly endpoint: string;
  readonly sites: Readonly<Record<Case, Site>>;
  readonly pools: Readonly<Record<Case, Pool>>;
  readonly directory: Directory;
}

/**
 * Allocation over HTTP, beside a bare fastify route that runs the same script and a bare EVALSHA, taking turns in one
 * run: 50 askers in a closed loop, then each HTTP variant at half of its own rate.
 */
export async function allocationPart(quick: boolean, progress: Progress): Promise<Part> {
  const rounds = quick ? 2 : 5;
  const windowMs = quick ? 500 : 2000;
  const log = createLogger('error');
  const redis = await TestRedis.start();
  const clients = new RedisClients(redis.url, log);
  const server = fork(fileURLToPath(new URL('./allocation-server.js', import.meta.url)));
  try {
    await clients.ready(10_000);
    const setting = makeSetting();
    await fillPools(setting, clients);
    const lua = loadScript(fileURLToPath(new URL('../../src/numbers/scripts/', import.meta.url)), 'allocate');
    const sha = String(await clients.call.script('LOAD', lua));
    const ports = await order(server, { redisUrl: redis.url, directory: setting.directory, sha });
    const bench = new AllocationBench(setting, clients, ports, sha);

    // Everybody's code is compiled, every number was held once, and the small pools have the links that they keep.
    progress('allocation: warming up');
    for (const kind of CASES) {
      for (const variant of VARIANTS) await bench.window(kind, variant, quick ? 500 : 2000, undefined, true);
    }
    const results = new Results();
    for (let round = 0; round < rounds; round++) {
      progress(`allocation: round ${round + 1} of ${rounds}`);
      for (const kind of CASES) {
        // Turn about, so that none has always the fresher pool or the warmer cache.
        const order = round % 2 === 0 ? VARIANTS : VARIANTS.toReversed();
        for (const variant of order) {
          const { perSecond, failed, latencies } = await bench.window(kind, variant, windowMs);
          results.full(kind, variant, perSecond, latencies, failed);
        }
      }
    }
    for (let round = 0; round < rounds; round++) {
      progress(`allocation: half load, round ${round + 1} of ${rounds}`);
      for (const kind of CASES) {
        for (const variant of ['route', 'bareRoute'] as const) {
          const rate = results.medianRate(kind, variant) / 2;
          const { failed, latencies } = await bench.window(kind, variant, windowMs, rate);
          results.half(kind, variant, rate, latencies, failed);
        }
      }
    }
    return results.part(rounds, windowMs);
  } finally {
    server.disconnect();
    if (server.exitCode === null) await once(server, 'exit');
    await clients.close('the bench is over');
    await redis.stop();
  }
}

function makeSetting(): Setting {
  const endpoint = { id: mintId('end'), name: 'sales', ring: [] };
  const byCase = <T>(make: (kind: Case) => T): Record<Case, T> => ({
    new: make('new'),
    renewed: make('renewed'),
    full: make('full'),
  });
  const sites = byCase((name): Site => ({
    id: mintId('site'),
    name,
    origins: [ORIGIN],
    printedNumber: '+12025550199',
    endpoints: [],
    holdMs: HOUR_MS,
    heartbeatMs: 60_000,
  }));
  // What the pages ask does not read the ranges: which numbers there are stands in Redis.
  const pools = byCase((name): Pool => ({ id: mintId('pool'), name, site: sites[name].id, numbers: [] }));
  const account = mintId('acc');
  const directory: Directory = {
    apiVersion: 'tagswitch/v1',
    version: 1,
    nextSerial: 1,
    accounts: [
      {
        id: account,
        name: 'bench',
        timeZone: 'UTC',
        apiKeys: [],
        sites: Object.values(sites),
        endpoints: [endpoint],
        pools: Object.values(pools),
        trunks: [],
      },
    ],
  };
  return { account, endpoint: endpoint.id, sites, pools, directory };
}

async function fillPools({ account, pools }: Setting, clients: RedisClients): Promise<void> {
  const store = new PoolStore(new RedisScripts(clients.background));
  const all = fictionalNumbers(MOST_NUMBERS);
  // A number has one log whatever pool it is in; the small pools have the last ones, which no window of `new` reaches.
  await store.reserve(account, pools.full.id, all.slice(-NUMBERS.full));
  await store.reserve(account, pools.renewed.id, all.slice(-NUMBERS.full - NUMBERS.renewed, -NUMBERS.full));
  await store.reserve(account, pools.new.id, all.slice(0, -NUMBERS.full - NUMBERS.renewed));
}

async function order(server: ChildProcess, what: AllocationServerOrder): Promise<AllocationServerPorts> {
  server.send(what);
  const gone = once(server, 'exit').then(() => {
    throw new Error('the allocation server ended');
  });
  const [ports] = (await Promise.race([once(server, 'message'), gone])) as [AllocationServerPorts];
  return ports;
}

class AllocationBench {
  readonly #setting: Setting;
  readonly #clients: RedisClients;
  readonly #ports: AllocationServerPorts;
  readonly #sha: string;
  #sessions = 0;

  constructor(setting: Setting, clients: RedisClients, ports: AllocationServerPorts, sha: string) {
    this.#setting = setting;
    this.#clients = clients;
    this.#ports = ports;
    this.#sha = sha;
  }

  /** One measurement; `rate` for a paced one. While warming up an answer of another kind is none that failed. */
  async window(kind: Case, variant: Variant, ms: number, rate?: number, warming = false) {
    if (kind === 'new') await this.#freeAll();
    const connections: HttpConnection[] = [];
    try {
      const askers: Ask[] = [];
      for (let i = 0; i < CONNECTIONS; i++) {
        if (variant === 'bareEvalsha') {
          askers.push(this.#byEvalsha(kind));
          continue;
        }
        const connection = await (variant === 'route'
          ? HttpConnection.open(this.#ports.port, '/v1/allocations', { Origin: ORIGIN })
          : HttpConnection.open(this.#ports.barePort, '/', {}));
        connections.push(connection);
        askers.push(
          variant === 'route' ? this.#byRoute(kind, connection) : this.#byBareRoute(kind, connection),
        );
      }
      const result = await (rate === undefined ? closedLoop(askers, ms) : paced(askers, rate, ms));
      return warming ? { ...result, failed: 0 } : result;
    } finally {
      for (const connection of connections) connection.close();
    }
  }

  /** Every link of the large pool is over at once: as if its time had passed. The former holders are still known. */
  async #freeAll(): Promise<void> {
    const ends = accountKeys(this.#setting.account).ends(this.#setting.pools.new.id);
    await this.#clients.background.call('ZUNIONSTORE', ends, 1, ends, 'WEIGHTS', 0);
  }

  #session(kind: Case): string {
    const n = this.#sessions++;
    return kind === 'renewed' ? `session-${n % NUMBERS.renewed}` : `session-${n}`;
  }

  #arguments(kind: Case): AllocateArguments {
    const { account, endpoint, sites, pools } = this.#setting;
    const { id, holdMs } = sites[kind];
    return { account, endpoint, site: { id, holdMs }, pool: pools[kind].id, session: this.#session(kind) };
  }

  #byEvalsha(kind: Case): Ask {
    return async () => {
      const args = allocateArguments(this.#arguments(kind));
      try {
        const reply = (await this.#clients.call.evalsha(this.#sha, KEY_COUNT, ...args)) as unknown[];
        return reply[0] === CODE[kind];
      } catch (error) {
        // No answer within the call path's 200 ms: the machine stood still. The other two variants count theirs alike.
        if (error instanceof Error && error.message === 'Command timed out') return false;
        throw error;
      }
    };
  }

  #byBareRoute(kind: Case, connection: HttpConnection): Ask {
    return async () => {
      const { body } = await connection.post(JSON.stringify(this.#arguments(kind)));
      return body.startsWith(`{"code":${CODE[kind]}`);
    };
  }

  #byRoute(kind: Case, connection: HttpConnection): Ask {
    const { endpoint, sites } = this.#setting;
    return async () => {
      const session = this.#session(kind);
      const { status, body } = await connection.post(
        JSON.stringify({ endpoint, site: sites[kind].id, session }),
      );
      return status === STATUS[kind] && body.includes('"link":null') === (kind === 'full');
    };
  }
}

interface Tally {
  readonly rates: number[];
  readonly latencies: Latencies;
  failed: number;
}

class Results {
  readonly #full = new Map<string, Tally>();
  readonly #half = new Map<string, Tally>();

  full(kind: Case, variant: Variant, rate: number, latencies: Latencies, failed: number): void {
    record(this.#full, `${kind}/${variant}`, rate, latencies, failed);
  }

  half(kind: Case, variant: Variant, rate: number, latencies: Latencies, failed: number): void {
    record(this.#half, `${kind}/${variant}`, rate, latencies, failed);
  }

  medianRate(kind: Case, variant: Variant): number {
    return median(this.#full.get(`${kind}/${variant}`)?.rates ?? []);
  }

  part(rounds: number, windowMs: number): Part {
    const faults: string[] = [];
    const cases = CASES.map((kind) => {
      const route = this.#full.get(`${kind}/route`)?.rates ?? [];
      const bare = this.#full.get(`${kind}/bareRoute`)?.rates ?? [];
      const ratio = median(route.map((rate, i) => rate / (bare[i] ?? Number.NaN)));
      if (!(ratio >= LEAST_RATIO)) {
        faults.push(
          `allocation, ${kind}: the route makes ${rounded(ratio)} of the bare route's requests, at least ${LEAST_RATIO} expected`,
        );
      }
      const figures = VARIANTS.map((variant) => {
        const full = this.#full.get(`${kind}/${variant}`);
        const half = this.#half.get(`${kind}/${variant}`);
        const failed = (full?.failed ?? 0) + (half?.failed ?? 0);
        const all = (full?.latencies.count ?? 0) + (half?.latencies.count ?? 0);
        if (failed > all * MOST_FAILED)
          faults.push(`allocation, ${kind}, ${variant}: ${failed} answers were not what was asked for`);
        return [variant, { failed, full: figuresOf(full), ...(half && { halfLoad: figuresOf(half) }) }];
      });
      return [kind, { routeToBareRoute: rounded(ratio), ...(Object.fromEntries(figures) as object) }];
    });
    return {
      figures: { connections: CONNECTIONS, rounds, windowMs, ...(Object.fromEntries(cases) as object) },
      faults,
    };
  }
}

function record(
  tallies: Map<string, Tally>,
  name: string,
  rate: number,
  latencies: Latencies,
  failed: number,
): void {
  const tally = tallies.get(name) ?? { rates: [], latencies: new Latencies(), failed: 0 };
  tallies.set(name, tally);
  tally.rates.push(rate);
  tally.latencies.add(latencies);
  tally.failed += failed;
}

function figuresOf(tally: Tally | undefined) {
  if (tally === undefined) return null;
  return {
    perSecond: Math.round(median(tally.rates)),
    p50Ms: rounded(tally.latencies.quantile(0.5)),
    p99Ms: rounded(tally.latencies.quantile(0.99)),
  };
}
