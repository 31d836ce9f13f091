import t from 'tap';
import type { Test } from 'tap';
import { holderField } from '../../src/numbers/keys.js';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { poolOfLink } from '../../src/numbers/links.js';
import { parseHolderLog } from '../../src/numbers/holder-log.js';
import { TestRedis } from '../support/redis.js';
import { makePool, makeSite, numbers, T0, World } from './fixture.js';

const redis = await TestRedis.start();
t.teardown(() => redis.stop());

async function world(t: Test, count: number, given: Parameters<typeof World.open>[1] = {}): Promise<World> {
  const world = await World.open(redis.url, given);
  t.teardown(() => world.close());
  await world.pools.reserve(world.account, world.pool.id, numbers(count));
  return world;
}

t.test('S1.3 a request with an id that could be taken for another spends no number', async (t) => {
  const w = await world(t, 2);
  for (const over of [
    { endpoint: '' },
    { site: 'a:b' },
    { endpoint: 'x}y' },
    { account: 'a b' },
    { endpoint: 'e'.repeat(65) },
  ]) {
    await t.rejects(w.allocate('s', over), { code: 'badId' });
  }
  await t.rejects(w.allocate(''), { code: 'badId' }, 'no session');
  t.equal(await w.redis.exists(w.keys.holders, w.keys.links, w.keys.numbers), 0, 'nothing is in Redis');
  t.equal(await w.redis.zcount(w.keys.ends(w.pool.id), 0, 0), 2, 'both numbers are still unused');
  t.not(holderField('a', 'b', 'c:d'), holderField('a', 'b', 'c'), 'a session may hold anything');
});

t.test('S1.4 the same triple has the same number, also under 100 parallel requests', async (t) => {
  const w = await world(t, 100);
  const all = await Promise.all(Array.from({ length: 100 }, () => w.allocate('s1')));
  t.equal(new Set(all.map((one) => one.number)).size, 1, 'one number');
  t.equal(new Set(all.map((one) => one.link)).size, 1, 'one link');
  t.equal(all.filter((one) => one.fresh).length, 1, 'made once');
  t.equal(await w.redis.zcount(w.keys.ends(w.pool.id), 0, 0), 99, 'one number spent');

  w.now += 30_000;
  const again = await w.allocate('s1');
  t.match(again, {
    number: all[0]?.number,
    link: all[0]?.link,
    fresh: false,
    level: 'session',
    until: w.now + 60_000,
  });
  const others = await Promise.all(Array.from({ length: 50 }, (_, i) => w.allocate(`other${i}`)));
  t.equal(
    new Set([again, ...others].map((one) => one.number)).size,
    51,
    'fifty others have fifty other numbers',
  );
});

t.test('an allocation says what the page needs, and Redis holds the map both ways (S1.6)', async (t) => {
  const w = await world(t, 1);
  const touch = JSON.stringify({ source: 'näher "dran"', medium: 'cpc\n' });
  const one = await w.allocate('s1', { visitor: 'v1', touch });
  t.match(one, {
    number: '+12025550100',
    level: 'session',
    until: T0 + 60_000,
    holdMs: 60_000,
    heartbeatMs: 20_000,
    fresh: true,
  });
  t.equal(poolOfLink(one.link ?? ''), w.pool.id, 'the link tells its pool');
  t.equal(await w.redis.hget(w.keys.holders, holderField(w.endpoint, w.site.id, 's1')), one.number);
  t.equal(await w.redis.hget(w.keys.links, one.link ?? ''), one.number);
  t.strictSame(parseHolderLog((await w.redis.hget(w.keys.numbers, one.number)) ?? ''), [
    {
      link: one.link,
      endpoint: w.endpoint,
      site: w.site.id,
      level: 'session',
      session: 's1',
      visitor: 'v1',
      touch,
      pool: w.pool.id,
      startedAt: T0,
      seenAt: T0,
      until: T0 + 60_000,
      hold: 60_000,
    },
  ]);
});

t.test('who may not be recognised shares a number with all who came the same way', async (t) => {
  const w = await world(t, 5);
  const ask = (source: string, over: object = {}) =>
    w.allocate('', { anonymous: true, touch: JSON.stringify({ source, medium: 'cpc' }), ...over });
  const all = await Promise.all(Array.from({ length: 50 }, () => ask('ads')));
  t.equal(new Set(all.map(({ number }) => number)).size, 1, 'one number for fifty');
  t.equal(all[0]?.level, 'bucket');
  t.equal(all.filter(({ fresh }) => fresh).length, 1);
  const other = await ask('news');
  t.not(other.number, all[0]?.number, 'another source, another number');
  t.not((await w.allocate('s1')).number, all[0]?.number, "nobody's own number");
  const kept = JSON.stringify(await w.redis.hgetall(w.keys.numbers));
  t.notMatch(kept, /visitor|"session":/, 'nothing of him is kept');
  w.now += 30_000;
  t.match(await w.allocator.renew(w.account, all[0]?.link ?? ''), { state: 'renewed', level: 'bucket' });
  t.equal((await ask('ads', { area: '+1202' })).number, all[0]?.number);
  const [entry] = parseHolderLog((await w.redis.hget(w.keys.numbers, other.number)) ?? '');
  t.match(
    entry,
    { level: 'bucket', touch: '{"source":"news","medium":"cpc"}' },
    'the call tells which way he came',
  );
});

t.test('an anonymous visitor shares the number of the bucket that a crowded site has', async (t) => {
  const bucket = { criteria: ['source'], threshold: 0, switchAt: 'above', backAt: 0 } as const;
  const w = await world(t, 5, { site: { bucket, degrade: ['session', 'bucket'] } });
  const crowd = await w.allocate('s1', { touch: '{"source":"ads"}' });
  t.equal(crowd.level, 'bucket');
  const anonymous = await w.allocate('', { anonymous: true, touch: '{"source":"ads","medium":"cpc"}' });
  t.equal(anonymous.number, crowd.number);
});

t.test('S1.7 a link ends by itself and on request, and its number rests for the margin', async (t) => {
  const w = await world(t, 1);
  const first = await w.allocate('s1');
  w.now = T0 + 60_000 + MARGIN_MS - 1;
  t.match(
    await w.allocate('s2'),
    { level: 'none', link: null, number: '+12025550199', until: null },
    'still resting',
  );
  w.now += 1;
  const second = await w.allocate('s2');
  t.match(second, { number: first.number, level: 'session', fresh: true });
  t.not(second.link, first.link);
  t.strictSame(
    await w.allocator.renew(w.account, first.link ?? ''),
    { state: 'unknown' },
    'the former link is gone',
  );

  t.equal(await w.allocator.end(w.account, second.link ?? ''), 'done');
  t.equal(await w.allocator.end(w.account, second.link ?? ''), 'ended', 'a second time');
  t.strictSame(await w.allocator.renew(w.account, second.link ?? ''), { state: 'ended' });
  t.match(await w.allocate('s2'), { level: 'none' }, 'a link that ended is never served again');
  w.now += MARGIN_MS;
  t.match(await w.allocate('s3'), { number: first.number, level: 'session' });
});

t.test(
  'a heartbeat keeps the link alive, and a lowered hold never takes back what a page was told',
  async (t) => {
    const w = await world(t, 1);
    const one = await w.allocate('s1');
    w.now += 59_999;
    t.strictSame(await w.allocator.renew(w.account, one.link ?? ''), {
      state: 'renewed',
      number: one.number,
      until: w.now + 60_000,
      endpoint: w.endpoint,
      site: w.site.id,
      holdMs: 60_000,
      level: 'session',
      confirmed: false,
    });
    const told = w.now + 60_000;
    const impatient = { ...w.site, holdMs: 1_000 };
    t.match(await w.allocator.allocate(w.request('s1'), { pools: [w.pool], site: impatient }), {
      fresh: false,
      until: told,
    });
    w.now = told;
    t.strictSame(await w.allocator.renew(w.account, one.link ?? ''), { state: 'ended' }, 'at its very end');
    for (const link of ['', 'lnk_x', 'lnk_00000000000000000000000000000000', `${one.link}x`]) {
      t.strictSame(await w.allocator.renew(w.account, link), { state: 'unknown' });
      t.equal(await w.allocator.end(w.account, link), 'unknown');
    }
  },
);

t.test('a page that is left has a grace, and another site cannot touch its link', async (t) => {
  const w = await world(t, 2);
  const one = await w.allocate('s1');
  const link = one.link ?? '';
  const others = ['site_0000000000000000', 'site_1111111111111111'];
  t.strictSame(await w.allocator.renew(w.account, link, others), { state: 'unknown' });
  t.equal(await w.allocator.end(w.account, link, others), 'unknown');
  t.match(await w.allocator.renew(w.account, link, [...others, w.site.id]), { state: 'renewed' });

  t.equal(await w.allocator.end(w.account, link, [w.site.id], 25_000), 'done');
  w.now += 24_999;
  t.match(
    await w.allocate('s1'),
    { link, fresh: false, until: w.now + 60_000 },
    'the next page of the visit keeps it',
  );
  t.equal(await w.allocator.end(w.account, link, [], 25_000), 'done');
  w.now += 25_000;
  t.strictSame(await w.allocator.renew(w.account, link), { state: 'ended' }, 'nobody came: over');
  const second = await w.allocate('s2');
  t.equal(await w.allocator.end(w.account, second.link ?? '', [], 90_000), 'done');
  w.now += 60_000;
  t.strictSame(
    await w.allocator.renew(w.account, second.link ?? ''),
    { state: 'ended' },
    'a grace never lengthens',
  );
  w.now += MARGIN_MS;
  const next = await Promise.all([w.allocate('s3'), w.allocate('s4')]);
  t.strictSame(
    next.map((n) => n.number),
    [one.number, second.number],
    'by the end that it had at last',
  );
});

t.test('numbers go round: the least recently held first', async (t) => {
  const w = await world(t, 4);
  const given: string[] = [];
  for (const session of ['a', 'b', 'c', 'd']) {
    given.push((await w.allocate(session)).number);
    w.now += 1_000;
  }
  t.strictSame(given, numbers(4), 'those never used first');
  const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map((session) => w.allocate(session)));
  for (const one of [c, a, d, b]) {
    w.now += 1_000;
    await w.allocator.end(w.account, one?.link ?? '');
  }
  w.now += 60_000;
  const next: string[] = [];
  for (const session of ['e', 'f', 'g', 'h']) next.push((await w.allocate(session)).number);
  t.strictSame(
    next,
    [c, a, d, b].map((one) => one?.number),
  );
});

t.test('S1.8 reserved pools serve their site and endpoint alone, before the open ones', async (t) => {
  const w = await world(t, 1);
  const other = makeSite();
  const ofSite = makePool({ site: w.site.id });
  const ofOther = makePool({ site: other.id });
  const ofEndpoint = makePool({ reservedEndpoint: w.endpoint });
  const ofOtherEndpoint = makePool({ reservedEndpoint: 'end_0000000000000000' });
  const all = [w.pool, ofOther, ofSite, ofOtherEndpoint, ofEndpoint];
  let first = 12025550110;
  for (const pool of all.slice(1)) await w.pools.reserve(w.account, pool.id, numbers(1, first++));
  const ends = ['s1', 's2', 's3', 's4'].map((session) => w.allocate(session, {}, all));
  t.strictSame(
    (await Promise.all(ends)).map((one) => one.number),
    ['+12025550113', '+12025550111', '+12025550100', '+12025550199'],
    'endpoint, site, open; then the printed number, though others have numbers left',
  );
  t.match(await w.allocate('s5', {}, []), { level: 'none', number: '+12025550199' }, 'no pool at all');

  const moved = await w.allocate('s1', {}, [
    { ...ofEndpoint, reservedEndpoint: 'end_0000000000000000' },
    w.pool,
  ]);
  t.match(
    moved,
    { level: 'none' },
    'a number of a pool that is reserved to another by now is not served again',
  );
});

t.test('an allocation, a heartbeat and a lookup are one command each', async (t) => {
  const w = await world(t, 10);
  // What Redis has not heard of since it started takes two: the hash, then the text.
  const one = await w.allocate('warm');
  await w.allocator.renew(w.account, one.link ?? '');
  await w.resolver.resolve(w.call(one.number));
  await w.allocator.end(w.account, (await w.allocate('gone')).link ?? '');
  const monitor = await counting(w);
  t.teardown(() => monitor.stop());
  await w.allocate('s1', { visitor: 'v' });
  await w.allocate('s1');
  await w.allocator.renew(w.account, one.link ?? '');
  await w.resolver.resolve(w.call(one.number));
  await w.allocator.end(w.account, one.link ?? '');
  const sent = await monitor.commands();
  t.strictSame(sent, ['evalsha', 'evalsha', 'evalsha', 'evalsha', 'evalsha']);
});

t.test('the holder log keeps eight links, the hashes one a number', async (t) => {
  const w = await world(t, 2);
  for (let i = 0; i < 30; i++) {
    await w.allocate(`s${i}`);
    await w.allocate(`t${i}`);
    w.now += 60_000 + MARGIN_MS;
  }
  t.equal(await w.redis.hlen(w.keys.holders), 2);
  t.equal(await w.redis.hlen(w.keys.links), 2);
  for (const number of numbers(2)) {
    const log = parseHolderLog((await w.redis.hget(w.keys.numbers, number)) ?? '');
    t.equal(log.length, 8);
    t.ok(
      log.every((one, i) => i === 0 || one.startedAt < (log[i - 1]?.startedAt ?? 0)),
      'newest first',
    );
  }
});

t.test('without a clock of ours the time is that of Redis', async (t) => {
  const w = await world(t, 1, { realTime: true, site: { holdMs: 30_000 } });
  const before = Date.now();
  const { until } = await w.allocate('s1');
  t.ok((until ?? 0) >= before + 30_000 && (until ?? 0) <= Date.now() + 30_001, 'now and the hold');
});

/** The names of the commands that clients (not scripts) send until `commands` is asked for. */
async function counting(w: World) {
  const watcher = w.clients.dedicated('monitor');
  if (!('monitor' in watcher)) throw new Error('one server, no cluster');
  const monitor = await watcher.monitor();
  const seen: string[] = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua') seen.push((args[0] ?? '').toLowerCase() + (args[0] === 'get' ? args[1] : ''));
  });
  return {
    async commands(): Promise<string[]> {
      await w.redis.get('fence');
      while (!seen.includes('getfence')) await new Promise((resolve) => monitor.once('monitor', resolve));
      return seen.filter((name) => name !== 'getfence');
    },
    stop: () => monitor.disconnect(),
  };
}
