import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import type { Test } from 'tap';
import { readEvent, writeEvent } from '../../src/calls/event-text.js';
import type { CallEvent } from '../../src/calls/events.js';
import { EventSpool } from '../../src/ledger/event-spool.js';
import { EventStream } from '../../src/numbers/event-stream.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { ACCOUNT, callId, ringing, T0 } from '../calls/samples.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const top = t.testdir();
let folders = 0;
const newFolder = () => join(top, `spool-${(folders += 1)}`);
const event = (n: number): CallEvent => ringing(callId(n), { at: T0 + n });

async function stage(t: Test, folder = newFolder()) {
  const redis = await TestRedis.start();
  const logger = keepingLogger();
  const clients = new RedisClients(redis.url, logger);
  await clients.ready(5_000);
  const stream = new EventStream(new RedisScripts(clients.call, CALL_DEADLINE_MS));
  const spool = new EventSpool(stream, folder, logger);
  t.teardown(async () => {
    await spool.close('test');
    await clients.close('test');
    await redis.stop();
  });
  /** The calls in the stream, in its order. */
  const inStream = async (): Promise<number[]> => {
    const entries = await clients.background.xrange(accountKeys(ACCOUNT).events, '-', '+');
    return entries.map(([, fields]) => (readEvent(fields[1] ?? '')?.at ?? 0) - T0);
  };
  return { redis, clients, spool, folder, inStream, logger };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
/** What this process has open below a folder, also what was removed meanwhile. */
const heldOpen = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return []; // the descriptor that the listing itself had
    }
  });
const files = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

t.test('Redis is stopped and started again', async (t) => {
  const { redis, spool, folder, inStream } = await stage(t);
  await spool.append(event(0));
  t.strictSame([files(folder), await inStream()], [[], [0]], 'straight into the stream');
  await redis.kill();
  const started = performance.now();
  for (const n of numbers(1, 40)) await spool.append(event(n));
  t.ok(performance.now() - started < 2_000, 'a down Redis holds nobody up');
  t.equal(spool.spooling, true);
  t.ok(files(folder).length > 0);
  await redis.start();
  await until(() => !spool.spooling);
  // A file whose replay was broken off is replayed from its beginning.
  t.strictSame(
    [...new Set(await inStream())],
    numbers(1, 40),
    'all of them, in order (the first went with the old Redis)',
  );
  t.strictSame(files(folder), [], 'and none is left on the disk');
  t.strictSame(heldOpen(folder), [], 'nor held open, where it would take up the disk');
  await spool.append(event(40));
  t.strictSame((await inStream()).at(-1), 40, 'straight again');
  t.match(spool.counts, { spooled: 39, torn: 0 });
  t.ok(spool.counts.replayed >= 39);
});

t.test('Redis hangs', async (t) => {
  const { redis, spool, inStream } = await stage(t);
  redis.pause();
  const started = performance.now();
  await Promise.all(numbers(0, 200).map((n) => spool.append(event(n))));
  t.ok(performance.now() - started < 1_500, 'all are safe within the deadline of one command');
  await Promise.all(numbers(200, 300).map((n) => spool.append(event(n))));
  redis.resume();
  await until(() => !spool.spooling);
  const there = await inStream();
  t.strictSame(
    [...new Set(there)].sort((a, b) => a - b),
    numbers(0, 300),
    'none is lost; some may be there twice',
  );
});

t.test('a stream that refuses an event holds up no other', async (t) => {
  const { clients, spool, folder, inStream, logger } = await stage(t);
  const { events } = accountKeys('acc_zzzzzzzzzzzzzzzz');
  await clients.call.set(events, 'no stream');
  await spool.append({ ...event(1), account: 'acc_zzzzzzzzzzzzzzzz' });
  await spool.append(event(2));
  await until(async () => (await inStream()).length === 1);
  t.equal(spool.spooling, true, 'the refused one waits');
  await clients.call.del(events);
  await until(() => !spool.spooling);
  t.equal(await clients.call.xlen(events), 1, 'and comes when its stream is well again');
  t.strictSame(files(folder), []);
  t.ok(logger.lines.some(({ text }) => text === 'Redis refuses an event'));
});

t.test('what dead processes left', async (t) => {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true });
  const host = hostname().replace(/[^A-Za-z0-9.]/g, '');
  const gone = join(folder, `events-${host}-4194300-aaaaaaaa.open.jsonl`);
  writeFileSync(
    gone,
    `${writeEvent(event(1))}\n\n${'x'.repeat(10)}\n${writeEvent(event(2))}\n${writeEvent(event(3)).slice(0, 40)}`,
  );
  const alive = join(folder, `events-${host}-${process.ppid}-bbbbbbbb.sealed-000001.jsonl`);
  writeFileSync(alive, `${writeEvent(event(4))}\n`);
  const before = join(folder, `events-${host}-${process.pid}-cccccccc.sealed-000001.jsonl`);
  writeFileSync(before, `${writeEvent(event(5))}\n`);
  const silent = join(folder, 'events-otherhost-1-dddddddd.open.jsonl');
  writeFileSync(silent, `${writeEvent(event(6))}\n`);
  utimesSync(silent, Date.now() / 1_000 - 60, Date.now() / 1_000 - 60);
  const talking = join(folder, 'events-otherhost-2-eeeeeeee.open.jsonl');
  writeFileSync(talking, `${writeEvent(event(7))}\n`);
  const { spool, inStream } = await stage(t, folder);
  await until(async () => (await inStream()).length === 4);
  t.strictSame(
    (await inStream()).sort((a, b) => a - b),
    [1, 2, 5, 6],
    'of the dead, of one with our id before us, of a silent machine',
  );
  t.strictSame(
    [gone, alive, before, silent, talking].map((path) => existsSync(path)),
    [false, true, false, false, true],
  );
  t.equal(spool.counts.torn, 2);
});

t.test('killed while Redis is down: every acknowledged event is replayed', async (t) => {
  const folder = newFolder();
  const { redis, inStream, clients } = await stage(t, newFolder());
  await redis.kill();
  const acknowledged: number[] = [];
  for (const from of [1_000, 100_000]) {
    const child = fork(new URL('./spool-child.js', import.meta.url), [folder, redis.url, String(from)], {
      silent: true,
    });
    if (child.stdout === null) throw new Error('no output');
    let count = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      acknowledged.push(Number(line));
      count += 1;
    });
    await until(() => count > 50);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
  for (const name of files(folder)) appendFileSync(join(folder, name), writeEvent(event(9)).slice(0, 30)); // torn
  await redis.start();
  await clients.ready(5_000);
  const logger = keepingLogger();
  const heir = new EventSpool(
    new EventStream(new RedisScripts(clients.call, CALL_DEADLINE_MS)),
    folder,
    logger,
  );
  await until(() => files(folder).length === 0);
  const there = new Set(await inStream());
  t.strictSame(
    acknowledged.filter((n) => !there.has(n)),
    [],
  );
  t.ok(acknowledged.length > 100);
  await heir.close('test');
});

t.test('taken for dead while it writes', async (t) => {
  const { redis, spool, folder, inStream } = await stage(t);
  await redis.kill();
  await spool.append(event(1));
  const [name = ''] = files(folder);
  renameSync(join(folder, name), join(folder, 'taken'));
  await spool.append(event(2));
  await until(() => files(folder).length === 1);
  t.match(
    readFileSync(join(folder, files(folder)[0] ?? ''), 'utf8'),
    writeEvent(event(2)),
    'what the new owner may not have read is in a new file',
  );
  await redis.start();
  await until(() => !spool.spooling);
  t.strictSame(await inStream(), [2]);
});

t.test('closing', async (t) => {
  const { redis, spool, folder } = await stage(t);
  await redis.kill();
  await spool.append(event(1));
  await spool.close('test');
  await spool.append(event(2));
  t.equal(files(folder).length, 1, 'what was spooled stays, and what comes late too');
  t.match(readFileSync(join(folder, files(folder)[0] ?? ''), 'utf8'), writeEvent(event(2)));
  await spool.close('again');
});

t.test('a disk that takes nothing', async (t) => {
  const folder = newFolder();
  const spool = new EventSpool(
    { append: () => Promise.reject(new Error('no Redis')) },
    folder,
    keepingLogger(),
  );
  rmSync(folder, { recursive: true });
  await t.rejects(spool.append(event(1)), { code: 'ENOENT' }, 'the caller is told');
  await spool.close('test');
});
