import t from 'tap';
import type { Test } from 'tap';
import { RedisClients } from '../../src/redis/clients.js';
import { Lease } from '../../src/redis/lease.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const KEY = 'ts:lease:node:node-1';

async function stage(t: Test) {
  const redis = await TestRedis.start();
  const clients = new RedisClients(redis.url, keepingLogger());
  await clients.ready(5_000);
  const leases: Lease[] = [];
  const ask = (changes: boolean[] = []) => {
    const lease = new Lease(clients.call, KEY, keepingLogger(), {
      leaseMs: 400,
      changed: (may) => changes.push(may),
    });
    leases.push(lease);
    return lease;
  };
  t.teardown(async () => {
    await Promise.all(leases.map((lease) => lease.close('test')));
    await clients.close('test');
    await redis.stop();
  });
  return { redis, clients, ask };
}

t.test('one has it, and the next one when it is given up', async (t) => {
  const { ask, clients } = await stage(t);
  const changes: boolean[] = [];
  const first = ask(changes);
  await until(() => first.mayRead());
  const second = ask();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  t.strictSame([first.mayRead(), second.mayRead()], [true, false], 'for as long as it is renewed');
  await first.close('test');
  await first.close('again');
  t.strictSame(changes, [true, false]);
  await until(() => second.mayRead(), 300);
  t.ok((await clients.call.pttl(KEY)) > 0);
});

t.test('the holder dies', async (t) => {
  const { ask, clients } = await stage(t);
  await clients.call.set(KEY, 'a process that was killed', 'PX', 300);
  const lease = ask();
  await until(() => lease.mayRead(), 1_000);
  await clients.call.set(KEY, 'one that came while this one hung', 'PX', 10_000);
  await until(() => !lease.mayRead(), 1_000);
  await lease.close('test');
  t.equal(
    await clients.call.get(KEY),
    'one that came while this one hung',
    'what is not ours is not given up',
  );
});

t.test('Redis is down', async (t) => {
  const { ask, redis } = await stage(t);
  const [first, second] = [ask(), ask()];
  await until(() => first.mayRead() !== second.mayRead());
  await redis.kill();
  await until(() => first.mayRead() && second.mayRead());
  t.pass('every process may');
  await redis.start();
  await until(() => first.mayRead() !== second.mayRead());
  t.pass('one again');
  redis.pause();
  await until(() => first.mayRead() && second.mayRead());
  redis.resume();
  await until(() => first.mayRead() !== second.mayRead());
});
