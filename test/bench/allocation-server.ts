/**
 * A process of its own for the part `allocation`: the HTTP interface with the real allocator behind it, and beside it
 * the least that an HTTP server can do for the same answer. Started with an IPC channel and the URL of a Redis; says
 * `{port, barePort}` when both listen, and ends with the channel.
 */
import { fastify } from 'fastify';
import { displayNumber } from '../../src/numbers/e164.js';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import type { Directory } from '../../src/directory/model.js';
import { createHttp } from '../../src/http/server.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { createLogger } from '../../src/observe/logger.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisNumberFacts } from '../../src/redis/number-facts.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { readPoolTraffic } from '../../src/redis/traffic.js';
import { FakeCallLog } from '../http/fixture.js';
import { allocateArguments, KEY_COUNT, type AllocateArguments } from './allocate-command.js';

export interface AllocationServerOrder {
  readonly redisUrl: string;
  readonly directory: Directory;
  /** SHA-1 of the loaded `allocate.lua`. */
  readonly sha: string;
}

export interface AllocationServerPorts {
  readonly port: number;
  readonly barePort: number;
}

async function serve({ redisUrl, directory, sha }: AllocationServerOrder): Promise<AllocationServerPorts> {
  const log = createLogger('error');
  const redis = new RedisClients(redisUrl, log);
  await redis.ready(10_000);
  const index = new DirectoryIndex(directory);
  const allocator = new Allocator(new RedisScripts(redis.call, CALL_DEADLINE_MS));
  const http = createHttp({
    directory: () => index,
    links: allocator,
    numberFacts: new RedisNumberFacts(redis.call),
    callLog: new FakeCallLog(),
    poolTraffic: (account, pool) => readPoolTraffic(redis.background, account, pool),
    openCaller: (sealed) => sealed,
    displayForm: (number) => displayNumber(number, number.startsWith('+1') ? 'national' : 'international'),
    readiness: () => ({ ok: true, parts: {} }),
    tagKey: Buffer.alloc(32, 7),
    passKey: Buffer.alloc(32, 2),
    personKey: Buffer.alloc(32, 3),
    now: Date.now,
    logger: log,
    metrics: createMetrics(),
    // All pages are on one address here; the check itself stays.
    trustedProxies: [],
    newLinks: { address: { burst: 1e9, perSecond: 1e9 }, block: { burst: 1e9, perSecond: 1e9 } },
  });
  await http.listen('127.0.0.1', 0);

  const bare = fastify({ logger: false });
  bare.post<{ Body: AllocateArguments }>('/', async (request) => {
    const [code, number, link, until] = (await redis.call.evalsha(
      sha,
      KEY_COUNT,
      ...allocateArguments(request.body),
    )) as unknown[];
    return { code, number, link, until };
  });
  await bare.listen({ host: '127.0.0.1', port: 0 });
  const bareAddress = bare.server.address();
  if (typeof bareAddress !== 'object' || bareAddress === null)
    throw new Error('the bare route does not listen');
  return { port: http.address()?.port ?? 0, barePort: bareAddress.port };
}

process.once('disconnect', () => process.exit(0));
process.once('message', (order: AllocationServerOrder) => {
  serve(order).then(
    (ports) => process.send?.(ports),
    (error: unknown) => {
      process.stderr.write(`allocation server: ${error instanceof Error ? error.message : 'failed'}\n`);
      process.exit(1);
    },
  );
});
