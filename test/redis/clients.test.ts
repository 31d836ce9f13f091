import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import t from 'tap';
import { RedisClients } from '../../src/redis/clients.js';
import { parseRedisUrl } from '../../src/redis/url.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';
import { numbers, World } from '../numbers/fixture.js';

/** How long a caller may wait for "Redis does not answer": the deadline and some time for a busy machine. */
const PATIENCE_MS = 250;

async function timed(promise: Promise<unknown>): Promise<{ ms: number; code: unknown }> {
  const start = performance.now();
  const error: unknown = await promise.then(
    () => new Error('it was answered'),
    (error: unknown) => error,
  );
  return { ms: performance.now() - start, code: (error as { code?: unknown }).code };
}

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within 5 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

t.test('Redis hangs: calls and pages go on within 250 ms, background work waits, all recovers', async (t) => {
  const redis = await TestRedis.start();
  t.teardown(() => redis.stop());
  const w = await World.open(redis.url);
  t.teardown(() => w.close());
  await w.pools.reserve(w.account, w.pool.id, numbers(100));
  const one = await w.allocate('s1');

  redis.pause();
  const waiting = w.pools.reserve(w.account, w.pool.id, ['+12025550250']);
  // The second of the two is held back by ioredis until the first pipeline is over: it must not wait twice as long.
  const first = timed(w.resolver.resolve(w.call(one.number)));
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const { ms, code } of await Promise.all([
    first,
    timed(w.allocate('s2')),
    timed(w.allocator.renew(w.account, one.link ?? '')),
  ])) {
    t.equal(code, 'storeUnavailable');
    t.ok(ms < PATIENCE_MS, `${Math.round(ms)} ms`);
  }
  // Longer than the silent connection is kept: it is replaced, and the new one hangs as well.
  await until('the silent connection is replaced', () => !w.clients.up);
  const fast = await timed(w.allocate('s3'));
  t.equal(fast.code, 'storeUnavailable');
  t.ok(fast.ms < 50, 'without a connection there is nothing to wait for');

  redis.resume();
  t.equal(await waiting, 1, 'background work was done late');
  await until('the call path is back', () => w.clients.up);
  t.match(await w.allocate('s1'), { number: one.number });
});

t.test('Redis dies and comes back', async (t) => {
  const redis = await TestRedis.start();
  t.teardown(() => redis.stop());
  const lines = keepingLogger();
  const clients = new RedisClients(redis.url, lines);
  t.teardown(() => clients.close('the test is over'));
  await clients.ready(5_000);
  t.ok(clients.up);
  await redis.kill();
  await until('noticed', () => !clients.up);
  const { ms } = await timed(clients.call.ping());
  t.ok(ms < PATIENCE_MS, 'refused at once');
  const patient = clients.background.ping();
  t.match(await timed(clients.ready(300)), { code: 'redisDown' });
  await redis.start();
  t.equal(await patient, 'PONG', 'background work waited');
  await clients.ready(5_000);
  t.ok(clients.up);
  const texts = lines.lines
    .filter((line) => (line.fields as { client?: string }).client === 'tagswitch-call')
    .map((line) => line.text);
  t.strictSame(
    texts,
    ['connected to Redis', 'no connection to Redis', 'connected to Redis'],
    'each change once, however often it tried',
  );
});

t.test(
  'a master that was made a replica: pages are refused, background work waits for a master',
  async (t) => {
    const redis = await TestRedis.start();
    t.teardown(() => redis.stop());
    const w = await World.open(redis.url);
    t.teardown(() => w.close());
    await w.pools.reserve(w.account, w.pool.id, numbers(5));
    await w.redis.replicaof('127.0.0.1', 1);
    t.equal((await timed(w.allocate('s1'))).code, 'storeUnavailable');
    let done = false;
    const waiting = w.pools.reserve(w.account, w.pool.id, numbers(1, 12025550150)).then((added) => {
      done = true;
      return added;
    });
    await until('it was sent and refused more than once', async () => {
      const stats = await w.redis.info('errorstats');
      return Number(/errorstat_READONLY:count=(\d+)/.exec(stats)?.[1] ?? 0) > 2;
    });
    t.notOk(done);
    await w.redis.replicaof('NO', 'ONE');
    t.equal(await waiting, 1);
    await until('pages are served', () => w.clients.up);
    t.match(await w.allocate('s1'), { level: 'session' });
  },
);

t.test('closing is done once, also without a connection, and ends all connections', async (t) => {
  const redis = await TestRedis.start();
  t.teardown(() => redis.stop());
  const clients = new RedisClients(redis.url, keepingLogger());
  await clients.ready(5_000);
  const extra = clients.dedicated('test');
  await extra.ping();
  const last = clients.background.set('x', '1');
  t.equal(clients.close('first'), clients.close('second'), 'one closing');
  await clients.close('third');
  t.equal(await last, 'OK', 'what was under way is finished');
  t.notOk(clients.up);
  t.throws(() => clients.dedicated('late'), { code: 'redisDown' });
  t.match(await timed(extra.ping()), { code: undefined }, 'closed');

  const lost = new RedisClients(`${redis.url}.not`, keepingLogger());
  const stranded = lost.background.ping();
  const refused = timed(stranded);
  await t.rejects(lost.ready(100), { code: 'redisDown' });
  await lost.close('nothing there');
  t.ok((await refused).ms < 5_000, 'a command that waited for a connection is told');
});

t.test('a Redis that is too old is refused by name', async (t) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (data) => {
      for (const command of data
        .toString()
        .split(/\*\d+\r\n/)
        .slice(1)) {
        const info = '# Server\r\nredis_version:6.2.14\r\nloading:0\r\n';
        if (/\r\nhello\r\n/i.test(command)) socket.write('%1\r\n$5\r\nproto\r\n:3\r\n');
        else if (/\r\ninfo\r\n/i.test(command)) socket.write(`$${info.length}\r\n${info}\r\n`);
        else socket.write('+OK\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients = new RedisClients(
    `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keepingLogger(),
  );
  await t.rejects(clients.ready(5_000), { code: 'redisTooOld', message: /6\.2\.14.*7 or later/ });
  await clients.close('too old');
  for (const socket of sockets) socket.destroy();
  server.close();
});

t.test('the five forms of REDIS_URL', async (t) => {
  const single = (text: string) => {
    const target = parseRedisUrl(text);
    return target.kind === 'single' ? target.options : t.fail(text);
  };
  t.strictSame(single('redis://localhost'), { host: 'localhost', port: 6379 });
  t.strictSame(single('redis://u%40x:p%3A@10.0.0.1:7000/3'), {
    username: 'u@x',
    password: 'p:',
    host: '10.0.0.1',
    port: 7000,
    db: 3,
  });
  t.strictSame(single('redis://:p@[::1]:7000/'), { password: 'p', host: '::1', port: 7000 });
  t.match(single('rediss://r.example.com'), {
    host: 'r.example.com',
    port: 6379,
    tls: { servername: 'r.example.com' },
  });
  t.strictSame(single('/run/redis.sock'), { path: '/run/redis.sock' });
  t.strictSame(single('redis+unix:///run/my%20redis.sock?db=2'), { path: '/run/my redis.sock', db: 2 });
  t.strictSame(single('redis-sentinel://:p@a,b:1234/main'), {
    password: 'p',
    sentinels: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 1234 },
    ],
    name: 'main',
  });
  t.strictSame(parseRedisUrl('redis-cluster://u:p@a:1,b:2'), {
    kind: 'cluster',
    nodes: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
    options: { username: 'u', password: 'p' },
  });
  const bad = [
    '',
    'localhost',
    'http://x',
    'redis://',
    'redis://a,b',
    'redis://a/x',
    'redis://a:0',
    'redis://a:99999',
    'redis://secret@a',
    'redis+unix://run/x',
  ];
  bad.push(
    'redis-sentinel://a',
    'redis-cluster://a/1',
    'redis-cluster://a?db=1',
    'redis://u:%zz@a',
    'redis://a:b:c',
  );
  for (const text of bad) {
    t.throws(() => parseRedisUrl(text), { code: 'badRedisUrl' }, text);
  }
  t.throws(
    () => parseRedisUrl('redis://u:hunter2@a:b'),
    { message: /^(?!.*hunter2)/ },
    'the password stays out of it',
  );
});
