import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import type { Test } from 'tap';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { RedisClients } from '../../src/redis/clients.js';
import { keepingLogger } from '../support/logger.js';
import { freePort } from '../../src/start/ports.js';
import { TestRedis } from '../support/redis.js';
import { numbers, World } from '../numbers/fixture.js';

const run = promisify(execFile);

/** Two masters with half of the slots each, joined. */
async function startCluster(t: Test): Promise<readonly TestRedis[]> {
  const nodes = await Promise.all([TestRedis.startNode(), TestRedis.startNode()]);
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  const slots = [
    ['0', '8191'],
    ['8192', '16383'],
  ];
  for (const [i, node] of nodes.entries()) {
    await cli(node, ['cluster', 'addslotsrange', ...(slots[i] ?? [])]);
    await cli(node, ['cluster', 'set-config-epoch', String(i + 1)]);
  }
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('two nodes');
  const bus = second.options[second.options.indexOf('--cluster-port') + 1] ?? '';
  await cli(first, ['cluster', 'meet', '127.0.0.1', String(second.port), bus]);
  const joined = async (node: TestRedis) => {
    const info = await cli(node, ['cluster', 'info']);
    return (
      info.includes('cluster_state:ok') &&
      info.includes('cluster_slots_ok:16384') &&
      info.includes('cluster_size:2')
    );
  };
  const deadline = Date.now() + 15_000;
  while (!(await joined(first)) || !(await joined(second))) {
    if (Date.now() > deadline) throw new Error('the cluster did not come together');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return nodes;
}

async function cli(node: TestRedis, args: readonly string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-s', node.url, ...args]);
  if (/^ERR/.test(stdout)) throw new Error(stdout);
  return stdout;
}

t.test('every script runs on a cluster; accounts spread over it', { timeout: 60_000 }, async (t) => {
  const nodes = await startCluster(t);
  const url = `redis-cluster://${nodes.map((node) => `127.0.0.1:${node.port}`).join(',')}`;
  const worlds = await Promise.all(Array.from({ length: 8 }, () => World.open(url)));
  t.teardown(() => Promise.all(worlds.map((world) => world.close())));

  const life = async (w: World): Promise<void> => {
    t.equal(await w.pools.reserve(w.account, w.pool.id, numbers(20)), 20);
    const all = await Promise.all(Array.from({ length: 10 }, (_, i) => w.allocate(`s${i}`)));
    t.equal(new Set(all.map((one) => one.number)).size, 10);
    const [one] = all;
    if (typeof one?.link !== 'string') throw new Error('a link was made');
    t.match(await w.allocator.renew(w.account, one.link), { state: 'renewed' });
    const call = w.call(one.number);
    t.match(await w.resolver.resolve(call), { session: 's0', why: 'linked' });
    t.equal(await w.stream.keep(w.account, [call.call], 1_000_000), 1);
    await t.rejects(w.pools.withdraw(w.account, w.pool.id, [one.number], false), { code: 'numbersInUse' });
    t.equal(await w.allocator.end(w.account, one.link), 'done');
    const reason = { status: 200, q850: 16, text: 'normal' };
    const end = { v: 1, account: w.account, call: call.call, seq: 40, at: w.now, kind: 'ended' } as const;
    await w.stream.append({ ...end, result: 'answered', reason, fault: 'unknown' });
    w.now += MARGIN_MS;
    t.equal(await w.pools.withdraw(w.account, w.pool.id, [one.number], false), 1);
    t.strictSame(
      (await w.events()).map((event) => event.kind),
      ['received', 'ended'],
    );
  };
  await Promise.all(worlds.map(life));
  const sizes = await Promise.all(nodes.map(async (node) => Number(await cli(node, ['dbsize']))));
  t.ok(
    sizes.every((size) => size > 0),
    `keys on both nodes: ${sizes.join(' and ')}`,
  );

  const [w] = worlds;
  if (w === undefined) throw new Error('eight accounts');
  const together = worlds.map((other) =>
    w.allocator.allocate(other.request('s5'), { pools: [other.pool], site: other.site }),
  );
  t.ok(
    (await Promise.all(together)).every((one) => one.level === 'session' && !one.fresh),
    'accounts of both nodes at once',
  );
  for (const node of nodes) await cli(node, ['script', 'flush']);
  t.match(await w.allocate('s5'), { fresh: false }, 'after SCRIPT FLUSH');
  for (const node of nodes) node.pause();
  const start = performance.now();
  await t.rejects(w.allocate('s6'), { code: 'storeUnavailable' });
  t.ok(performance.now() - start < 250, 'a cluster that hangs');
  for (const node of nodes) node.resume();
});

t.test('a group watched by Sentinel', { timeout: 30_000 }, async (t) => {
  const port = await freePort();
  const master = await TestRedis.start(['--bind', '127.0.0.1'], port);
  t.teardown(() => master.stop());
  const watcherPort = await freePort();
  const watcher = await TestRedis.startSentinel(watcherPort, 'main', port);
  t.teardown(() => watcher.stop());
  const clients = new RedisClients(`redis-sentinel://127.0.0.1:${watcherPort}/main`, keepingLogger());
  t.teardown(() => clients.close('the test is over'));
  await clients.ready(10_000);
  t.equal(await clients.call.ping(), 'PONG');
  t.match(await clients.background.info('server'), `tcp_port:${port}`);
});
