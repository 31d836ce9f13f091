import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { chunks } from '../../src/directory/ranges.js';
import { PoolStore } from '../../src/numbers/pool-store.js';
import { createLogger } from '../../src/observe/logger.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { makeDirectory, ORIGIN } from '../http/fixture.js';
import { TestRedis } from '../support/redis.js';
import { HttpConnection } from './http-connection.js';
import { LAYERS, type Layer, type LayersOrder, type LayersPorts } from './http-layers-server.js';
import { median, rounded } from './latencies.js';
import { closedLoop, type Ask } from './load.js';
import type { Part, Progress } from './part.js';
import { cpuMs } from './processes.js';

const CONNECTIONS = 50;
const SESSIONS = 50;
/** As in the part `allocation`: Redis's 200 ms ran out, because the machine stood still. */
const MOST_FAILED = 0.001;

/**
 * What each layer of an allocation costs: user and system time of the serving process a request, from the least that Node
 * can do to the whole route with Redis behind it. CPU time, because that is what a busy machine does not change much.
 */
export async function httpLayersPart(quick: boolean, progress: Progress): Promise<Part> {
  const rounds = quick ? 2 : 7;
  const windowMs = quick ? 300 : 1_500;
  const redis = await TestRedis.start();
  const clients = new RedisClients(redis.url, createLogger('error'));
  const server = fork(fileURLToPath(new URL('./http-layers-server.js', import.meta.url)));
  try {
    await clients.ready(10_000);
    const directory = makeDirectory();
    const [account] = directory.accounts;
    if (account === undefined || server.pid === undefined)
      throw new Error('there is an account and a server');
    const store = new PoolStore(new RedisScripts(clients.background));
    for (const pool of account.pools)
      for (const numbers of chunks(pool.numbers, 1_000)) await store.reserve(account.id, pool.id, numbers);
    server.send({ redisUrl: redis.url, directory } satisfies LayersOrder);
    const [ports] = (await once(server, 'message')) as [LayersPorts];

    const figures = new Map<Layer, number[]>(LAYERS.map((layer) => [layer, []]));
    let failed = 0;
    let all = 0;
    for (let round = -1; round < rounds; round++) {
      progress(round < 0 ? 'httpLayers: warming up' : `httpLayers: round ${round + 1} of ${rounds}`);
      for (const layer of round % 2 === 0 ? LAYERS : LAYERS.toReversed()) {
        const before = cpuMs(server.pid);
        const { count, bad } = await window(ports[layer], windowMs);
        if (round < 0) continue;
        figures.get(layer)?.push(((cpuMs(server.pid) - before) * 1_000) / count);
        failed += bad;
        all += count;
      }
    }
    const microseconds = Object.fromEntries(
      LAYERS.map((layer) => [layer, rounded(median(figures.get(layer) ?? []))]),
    );
    const faults =
      failed <= all * MOST_FAILED ? [] : [`httpLayers: ${failed} answers were not what was asked for`];
    return {
      figures: { connections: CONNECTIONS, rounds, windowMs, cpuMicrosecondsARequest: microseconds },
      faults,
    };
  } finally {
    server.disconnect();
    if (server.exitCode === null) await once(server, 'exit');
    await clients.close('the bench is over');
    await redis.stop();
  }
}

async function window(port: number, ms: number): Promise<{ count: number; bad: number }> {
  const connections: HttpConnection[] = [];
  try {
    let session = 0;
    const askers: Ask[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const connection = await HttpConnection.open(port, '/v1/allocations', { Origin: ORIGIN });
      connections.push(connection);
      askers.push(async () => {
        const text = JSON.stringify({ endpoint: 'sales', site: 'web', session: `s${session++ % SESSIONS}` });
        const { status, body } = await connection.post(text);
        return (status === 200 || status === 201) && body.includes('"level":"session"');
      });
    }
    const { latencies, failed } = await closedLoop(askers, ms);
    return { count: latencies.count, bad: failed };
  } finally {
    for (const connection of connections) connection.close();
  }
}
