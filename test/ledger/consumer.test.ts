import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { CallLog } from '../../src/calls/ports.js';
import { StreamConsumer } from '../../src/ledger/consumer.js';
import type { ConsumerParts } from '../../src/ledger/consumer.js';
import { SqliteCallLog } from '../../src/ledger/sqlite-call-log.js';
import { EventStream } from '../../src/numbers/event-stream.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisEventStreams } from '../../src/redis/event-stream.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { ACCOUNT, callId, ended, received } from '../calls/samples.js';
import { keepingLogger } from '../support/logger.js';
import { freePort } from '../../src/start/ports.js';
import { TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const OTHER = 'acc_zzzzzzzzzzzzzzzz';
const top = t.testdir();
let logs = 0;

async function stage(t: Test, redisUrl?: string) {
  const redis = await TestRedis.start();
  const logger = keepingLogger();
  const clients = new RedisClients(redisUrl ?? redis.url, logger);
  t.teardown(() => clients.close('test'));
  await clients.ready(5_000);
  const path = join(top, `calls-${(logs += 1)}.db`);
  const callLog = await SqliteCallLog.open(path);
  const stream = new EventStream(new RedisScripts(clients.call, CALL_DEADLINE_MS));
  const streams = new RedisEventStreams(clients.background);
  const consumers: StreamConsumer[] = [];
  const consume = (more: Partial<ConsumerParts> = {}) => {
    const consumer = new StreamConsumer({
      streams,
      callLog,
      accounts: () => [ACCOUNT, OTHER],
      logger,
      roundMs: 100,
      idleMs: 300,
      ...more,
    });
    consumers.push(consumer);
    return consumer;
  };
  t.teardown(async () => {
    await Promise.all(consumers.map((consumer) => consumer.close('test')));
    await clients.close('test');
    await callLog.close();
    await redis.stop();
  });
  const left = async (account = ACCOUNT) => {
    const { events } = accountKeys(account);
    const [entries, groups] = [
      await clients.background.xlen(events),
      await clients.background.xinfo('GROUPS', events),
    ];
    const [group] = groups as unknown[][];
    return { entries, pending: group?.[group.indexOf('pending') + 1] };
  };
  const has = async (n: number) => (await callLog.get(ACCOUNT, callId(n))) !== undefined;
  return { redis, clients, callLog, path, stream, streams, consume, left, has, logger };
}

t.test('events go from the streams into the call log', async (t) => {
  const { stream, consume, callLog, left, has } = await stage(t);
  for (let n = 0; n < 1_200; n += 1) await stream.append(received(callId(n)));
  await stream.append(received(callId(5_000), { account: OTHER }));
  const consumer = consume({ roundMs: 60_000 });
  await until(() => consumer.caughtUp);
  t.ok(await has(1_199), 'more than one batch');
  t.ok(await callLog.get(OTHER, callId(5_000)));
  t.strictSame(await left(), { entries: 0, pending: 0 }, 'and out of the stream');
  const asked = performance.now();
  await stream.append(ended(callId(7)));
  consumer.grew(ACCOUNT);
  await until(async () => (await callLog.get(ACCOUNT, callId(7)))?.result === 'answered');
  t.ok(performance.now() - asked < 2_000, 'told, long before the next round');
  await until(async () => (await left()).entries === 0);
  t.equal(consumer.counts.committed, 1_202);
});

t.test('what is no event stays where it is', async (t) => {
  const { stream, clients, consume, left, has, logger } = await stage(t);
  const { events } = accountKeys(ACCOUNT);
  await clients.call.xadd(events, '*', 'e', '{"v":1}');
  await clients.call.xadd(events, '*', 'x', 'y');
  await clients.call.xadd(events, '*', 'e', JSON.stringify(received(callId(2), { account: OTHER })));
  await stream.append(received(callId(1)));
  const consumer = consume();
  await until(() => has(1));
  await until(async () => (await left()).pending === 0);
  t.strictSame(await left(), { entries: 3, pending: 0 });
  t.equal(consumer.counts.refused, 3);
  t.ok(logger.lines.some(({ level, text }) => level === 'error' && text.includes('no events')));
});

t.test('the call log is away for a while', async (t) => {
  const { stream, consume, callLog, left, has } = await stage(t);
  let down = true;
  const log: Pick<CallLog, 'append'> = {
    append: (events) => (down ? Promise.reject(new Error('locked')) : callLog.append(events)),
  };
  const consumer = consume({ callLog: log });
  await stream.append(received(callId(1)));
  await until(async () => (await left()).pending === 1);
  t.equal(consumer.caughtUp, false);
  t.equal(await has(1), false);
  down = false;
  await until(() => has(1));
  await until(async () => (await left()).entries === 0);
  await until(() => consumer.caughtUp);
});

t.test('closed while the call log is away: another consumer takes over', async (t) => {
  const { stream, consume, left, has } = await stage(t);
  const stuck = consume({ callLog: { append: () => Promise.reject(new Error('locked')) } });
  await stream.append(received(callId(1)));
  await until(async () => (await left()).pending === 1);
  await stuck.close('test');
  const heir = consume();
  await until(() => has(1));
  await until(async () => (await left()).entries === 0);
  t.equal(heir.counts.claimed, 1);
});

t.test('killed between the commit and the acknowledgement', async (t) => {
  const { redis, path, stream, consume, left, has, callLog } = await stage(t);
  await stream.append(received(callId(1)));
  await stream.append(ended(callId(1)));
  const child = fork(new URL('./consumer-child.js', import.meta.url), [path, redis.url]);
  await once(child, 'message'); // committed, and about to settle
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  t.ok(await has(1), 'it was committed');
  t.strictSame(await left(), { entries: 2, pending: 2 }, 'and not acknowledged');
  const before = await callLog.get(ACCOUNT, callId(1));
  const heir = consume();
  await until(async () => (await left()).entries === 0);
  t.strictSame(await left(), { entries: 0, pending: 0 });
  t.equal(heir.counts.claimed, 2);
  t.strictSame(await callLog.get(ACCOUNT, callId(1)), before, 'the second commit changed nothing');
  t.equal((await callLog.events(ACCOUNT, callId(1))).length, 2);
});

t.test('killed between the reading and the commit: a call does not wait long for its record', async (t) => {
  const { redis, path, stream, left, has, streams, callLog, logger } = await stage(t);
  await stream.append(received(callId(1)));
  const child = fork(new URL('./consumer-child.js', import.meta.url), [path, redis.url, 'reads']);
  await once(child, 'message');
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  const killed = performance.now();
  t.strictSame(await left(), { entries: 1, pending: 1 }, 'it is nobody else\u2019s');
  // With the times of the product, as the successor of a killed application has them.
  const heir = new StreamConsumer({ streams, callLog, accounts: () => [ACCOUNT], logger });
  t.teardown(() => heir.close('test'));
  await until(() => has(1), 20_000);
  const took = performance.now() - killed;
  t.ok(took < 10_000, `${Math.round(took)} ms`);
});

t.test('Redis is started again, and has lost its groups', async (t) => {
  const { redis, clients, stream, consume, has } = await stage(t);
  const consumer = consume();
  await stream.append(received(callId(1)));
  await until(() => has(1));
  await redis.kill();
  await redis.start();
  await until(() => clients.up);
  await stream.append(received(callId(2)));
  await until(() => has(2));
  await until(() => consumer.caughtUp);
  await redis.kill();
  const started = performance.now();
  await consumer.close('test');
  t.ok(performance.now() - started < 3_000, 'closing does not wait for Redis');
});

t.test('two consumers share the work', async (t) => {
  const { stream, consume, callLog, left } = await stage(t);
  const consumers = [consume(), consume()];
  await Promise.all(Array.from({ length: 400 }, (_, n) => stream.append(received(callId(n)))));
  await until(async () => (await left()).entries === 0);
  t.equal((await callLog.list(ACCOUNT, { limit: 500 })).items.length, 400);
  t.equal(
    consumers.reduce((sum, { counts }) => sum + counts.committed, 0),
    400,
    'each event once',
  );
});

t.test('consumers that are gone are forgotten', async (t) => {
  const { clients, streams } = await stage(t);
  await streams.read(ACCOUNT, 'first', 1);
  await clients.background.xadd(accountKeys(ACCOUNT).events, '*', 'e', 'x');
  t.equal((await streams.read(ACCOUNT, 'second', 1)).length, 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  await streams.tidy(ACCOUNT, 20);
  const names = (
    (await clients.background.xinfo('CONSUMERS', accountKeys(ACCOUNT).events, 'ledger')) as unknown[][]
  ).map((one) => one[1]);
  t.strictSame(names, ['second'], 'but for those that have something pending');
  await clients.background.xtrim(accountKeys(ACCOUNT).events, 'MAXLEN', 0);
  t.strictSame(
    await streams.claim(ACCOUNT, 'third', 0, 10),
    [],
    'an entry that was deleted while pending is no entry',
  );
});

t.test('in a cluster', async (t) => {
  const [port, bus] = [await freePort(), await freePort()];
  const options = ['--bind', '127.0.0.1', '--cluster-enabled', 'yes', '--cluster-port', String(bus)];
  const node = await TestRedis.start([...options, '--cluster-announce-ip', '127.0.0.1'], port);
  t.teardown(() => node.stop());
  const admin = new RedisClients(node.url, keepingLogger());
  t.teardown(() => admin.close('test'));
  await admin.ready(5_000);
  await admin.background.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
  await until(async () =>
    String(await admin.background.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  );
  const { stream, consume, callLog, has } = await stage(t, `redis-cluster://127.0.0.1:${node.port}`);
  const consumer = consume({ roundMs: 60_000 });
  await until(() => consumer.caughtUp);
  await stream.append(received(callId(1)));
  await stream.append(received(callId(2), { account: OTHER }));
  consumer.grew(ACCOUNT);
  consumer.grew(OTHER);
  await until(() => has(1));
  await until(async () => (await callLog.get(OTHER, callId(2))) !== undefined);
  t.pass('told, read and settled');
});
