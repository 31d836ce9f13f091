/**
 * A process of its own for the part `httpLayers`: one HTTP server a layer, each with one thing more than the one before.
 * Started with an IPC channel and the URL of a Redis; says on which ports they listen, and ends with the channel.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import type { Directory } from '../../src/directory/model.js';
import type { LinkPort } from '../../src/http/ports.js';
import { createHttp } from '../../src/http/server.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { displayNumber } from '../../src/numbers/e164.js';
import { mintLinkTail, poolTag } from '../../src/numbers/links.js';
import type { ScriptPort } from '../../src/numbers/ports.js';
import { createLogger } from '../../src/observe/logger.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisNumberFacts } from '../../src/redis/number-facts.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { FakeCallLog } from '../http/fixture.js';

export const LAYERS = ['nodeHttp', 'bareFastify', 'route', 'routeAllocator', 'routeAllocatorRedis'] as const;
export type Layer = (typeof LAYERS)[number];

export interface LayersOrder {
  readonly redisUrl: string;
  readonly directory: Directory;
}
export type LayersPorts = Readonly<Record<Layer, number>>;

async function serve({ redisUrl, directory }: LayersOrder): Promise<LayersPorts> {
  const redis = new RedisClients(redisUrl, createLogger('error'));
  await redis.ready(10_000);
  const index = new DirectoryIndex(directory);
  const pool = directory.accounts[0]?.pools[0];
  if (pool === undefined) throw new Error('the directory has a pool');
  const link = `lnk_${poolTag(pool.id)}${mintLinkTail()}` as const;
  const answer = { link, number: '+12025550100', level: 'session', until: Date.now() + 60_000 } as const;
  const numbers: Pick<LinkPort, 'allocate'> = {
    allocate: () => Promise.resolve({ ...answer, holdMs: 60_000, heartbeatMs: 20_000, fresh: false }),
  };
  const scripts: ScriptPort = {
    run: () => Promise.resolve([2, answer.number, link, answer.until, 'session', 0]),
  };
  const real = new Allocator(new RedisScripts(redis.call, CALL_DEADLINE_MS));
  const faked = new Allocator(scripts);

  const node = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const body = JSON.stringify(answer);
      response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(node, 'listening');
  const bare = fastify({ logger: false });
  bare.post('/v1/allocations', async () => answer);
  await bare.listen({ host: '127.0.0.1', port: 0 });
  const route = async (links: LinkPort): Promise<number> => {
    const plenty = { burst: 1e9, perSecond: 1e9 };
    const http = createHttp({
      directory: () => index,
      links,
      numberFacts: new RedisNumberFacts(redis.call),
      callLog: new FakeCallLog(),
      openCaller: (sealed) => sealed,
      displayForm: (number) => displayNumber(number, 'national'),
      readiness: () => ({ ok: true, parts: {} }),
      poolTraffic: () => Promise.reject(new Error('nobody asks for it here')),
      tagKey: Buffer.alloc(32, 1),
      passKey: Buffer.alloc(32, 2),
      personKey: Buffer.alloc(32, 3),
      now: Date.now,
      logger: createLogger('error'),
      metrics: createMetrics(false),
      trustedProxies: [],
      // All pages are on one address here; the check itself stays.
      newLinks: { address: plenty, block: plenty },
    });
    await http.listen('127.0.0.1', 0);
    return http.address()?.port ?? 0;
  };
  return {
    nodeHttp: (node.address() as AddressInfo).port,
    bareFastify: (bare.server.address() as AddressInfo).port,
    route: await route({
      ...numbers,
      renew: faked.renew.bind(faked),
      tap: faked.tap.bind(faked),
      part: faked.part.bind(faked),
      end: faked.end.bind(faked),
    }),
    routeAllocator: await route(faked),
    routeAllocatorRedis: await route(real),
  };
}

// Also imported for its names: only as a child it serves.
if (process.send !== undefined && process.argv[1]?.endsWith('http-layers-server.js') === true) {
  process.once('disconnect', () => process.exit(0));
  process.once('message', (order: LayersOrder) => {
    serve(order).then(
      (ports) => process.send?.(ports),
      (error: unknown) => {
        process.stderr.write(`http layers: ${error instanceof Error ? (error.stack ?? '') : 'failed'}\n`);
        process.exit(1);
      },
    );
  });
}
