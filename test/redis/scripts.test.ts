import { readdirSync } from 'node:fs';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { RedisClients } from '../../src/redis/clients.js';
import { Deadlines } from '../../src/redis/deadlines.js';
import { loadScript } from '../../src/redis/lua.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';
import { numbers, World } from '../numbers/fixture.js';

const SCRIPTS = readdirSync(new URL('../../../src/numbers/scripts/', import.meta.url))
  .filter((name) => name.endsWith('.lua'))
  .map((name) => name.slice(0, -4));

const redis = await TestRedis.start();
t.teardown(() => redis.stop());

t.test('includes are put in once; circles and missing files are refused by name', async (t) => {
  const directory = t.testdir({
    includes: {
      'a.lua': '--- @include "b"\nlocal a = b',
      'b.lua': 'local b = 1',
      'loop.lua': '--- @include "pool"',
      'pool.lua': '--- @include "loop"',
    },
    'good.lua': '--- @include "includes/a"\n--- @include "includes/b"\nreturn a',
    'round.lua': '--- @include "includes/loop"',
    'lost.lua': '--- @include "includes/nowhere"',
  });
  t.equal(loadScript(directory, 'good'), 'local b = 1\nlocal a = b\n\nreturn a');
  t.throws(() => loadScript(directory, 'round'), {
    code: 'badScript',
    message: /round\.lua > .*loop\.lua > .*pool\.lua > .*loop\.lua/,
  });
  t.throws(() => loadScript(directory, 'lost'), { code: 'badScript', message: /missing.*nowhere\.lua/ });
  t.throws(() => loadScript(directory, 'none'), { code: 'badScript' });
});

t.test('every script says its keys, arguments and returns', async (t) => {
  const directory = new URL('../../src/numbers/scripts/', import.meta.url).pathname;
  for (const name of SCRIPTS) {
    const text = loadScript(directory, name);
    t.match(text, /^-- [^\n]+\n(.*\n)*?-- KEYS\[1\](.*\n)*?-- ARGV\[1\](.*\n)*?-- returns /, name);
    t.notMatch(text, /@include/, `${name} has its includes`);
  }
});

t.test('what a script says becomes an error with its code, without the arguments', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tagswitch-lua-'));
  t.teardown(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'includes'));
  const texts: Record<string, string> = {
    allocate: "return redis.error_reply('FULL no room')",
    renew: 'return nothing.at.all',
    end: "return redis.error_reply('LOADING not yet')",
    resolve: "return redis.call('HGET', KEYS[1], 'x')",
    reserve: 'return #ARGV',
  };
  for (const name of SCRIPTS) {
    await writeFile(join(directory, `${name}.lua`), texts[name] ?? 'return 1');
  }
  const clients = new RedisClients(redis.url, keepingLogger());
  t.teardown(() => clients.close('the test is over'));
  await clients.ready(5_000);
  const scripts = new RedisScripts(clients.call, 200, directory);
  await clients.background.set('text', 'x');
  const secret = '+12025550123';
  for (const [name, code] of [
    ['allocate', 'FULL'],
    ['renew', 'ERR'],
    ['end', 'storeUnavailable'],
    ['resolve', 'WRONGTYPE'],
  ] as const) {
    const error: unknown = await scripts.run(name, ['text'], [secret]).catch((error: unknown) => error);
    t.match(error, { code }, name);
    t.notMatch(
      JSON.stringify(Object.entries(error as Error)) + String(error),
      secret,
      'arguments stay out of it',
    );
  }
  t.equal(await scripts.run('reserve', ['k'], [1, 'two', '']), 3, 'numbers and empty texts arrive');
});

t.test('scripts come back after SCRIPT FLUSH, alone and many at once', async (t) => {
  const w = await World.open(redis.url);
  t.teardown(() => w.close());
  await w.pools.reserve(w.account, w.pool.id, numbers(100));
  const one = await w.allocate('s1');
  await w.redis.script('FLUSH');
  t.match(await w.allocate('s1'), { number: one.number, fresh: false }, 'alone');
  await w.resolver.resolve(w.call(one.number));

  await w.redis.script('FLUSH');
  const before = await commandCount(w, 'evalsha');
  const many = await Promise.all(Array.from({ length: 50 }, (_, i) => w.allocate(`m${i}`)));
  t.equal(new Set(many.map((one) => one.number)).size, 50, 'in one pipeline');
  t.ok((await commandCount(w, 'evalsha')) >= before + 50, 'they were sent by their hash');
  t.equal(await w.redis.hlen(w.keys.holders), 51, 'and none ran twice for another holder');
  t.equal((await w.resolver.resolve(w.call(one.number))).session, 's1');
});

async function commandCount(w: World, command: string): Promise<number> {
  const stats = await w.redis.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

t.test('one timer watches all: who is late is told, in time and once', async (t) => {
  const limit = 40;
  const deadlines = new Deadlines(limit);
  const late: string[] = [];
  const started = performance.now();
  const took: number[] = [];
  const done = new Promise<void>((resolve) => {
    const thing = (name: string) => ({
      over: false,
      late: () => {
        late.push(name);
        took.push(performance.now() - started);
        if (name === 'later') resolve();
      },
    });
    const settled = thing('settled');
    deadlines.add(thing('first'));
    deadlines.add(settled);
    deadlines.add(thing('second'));
    settled.over = true;
    setTimeout(() => deadlines.add(thing('later')), limit / 2);
  });
  await done;
  t.strictSame(late, ['first', 'second', 'later']);
  t.ok((took[0] ?? 0) >= limit - 1 && (took[2] ?? 0) >= 1.5 * limit - 2, took.join(', '));
});

t.test('a Redis that hangs keeps nobody waiting, and what it says too late is dropped', async (t) => {
  const clients = new RedisClients(redis.url, keepingLogger());
  t.teardown(() => clients.close('the test is over'));
  await clients.ready(5_000);
  const scripts = new RedisScripts(clients.call, 60);
  await scripts.run('keep', ['k'], ['', 0]);
  redis.pause();
  const started = performance.now();
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => scripts.run('keep', ['k'], ['', 0])));
  const took = performance.now() - started;
  redis.resume();
  t.ok(
    all.every(
      (one) => one.status === 'rejected' && (one.reason as { code?: string }).code === 'storeUnavailable',
    ),
  );
  t.ok(took >= 59 && took < 190, `its own limit, before ioredis's 200 ms (${took} ms)`);
  t.equal(await scripts.run('keep', ['k'], ['', 0]), 0, 'and the next answer is its own');
});
