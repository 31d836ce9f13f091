import t from 'tap';
import type { Test } from 'tap';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { LIVE_MS } from '../../src/numbers/resolver.js';
import { readLookup, resolutionWithoutStore } from '../../src/numbers/resolution.js';
import { TestRedis } from '../support/redis.js';
import { makePool, numbers, T0, World } from './fixture.js';

const redis = await TestRedis.start();
t.teardown(() => redis.stop());

async function world(t: Test, count: number): Promise<World> {
  const world = await World.open(redis.url);
  t.teardown(() => world.close());
  await world.pools.reserve(world.account, world.pool.id, numbers(count));
  return world;
}

t.test(
  'S1.9 a call to a number with a live link is told whose it is, and the event is written',
  async (t) => {
    const w = await world(t, 1);
    const touch = '{"source":"a/b","note":"\\u0000 \\n é"}';
    const one = await w.allocate('s1', { visitor: 'v1', touch });
    w.now += 59_999;
    const seen = { link: one.link, session: 's1', visitor: 'v1' };
    const call = w.call(one.number, {
      caller: 'sealed+/=',
      callerHash: 'h',
      defaultEndpoint: 'end_default',
      test: true,
    });
    const visit = {
      endpoint: w.endpoint,
      site: w.site.id,
      session: 's1',
      visitor: 'v1',
      link: one.link,
      touch,
    };
    const found = { ...visit, level: 'session', late: false, why: 'linked' };
    const resolution = await w.resolver.resolve(call);
    t.match(resolution, { ...found, candidates: [{ ...seen, endpoint: w.endpoint }] });
    t.ok((resolution.probability ?? 0) > 0.99);
    t.strictSame(
      resolution.candidates?.[0]?.because.map(({ what }) => what),
      ['delay', 'open'],
    );
    t.strictSame(await w.events(), [
      {
        v: 1,
        kind: 'received',
        seq: 1,
        account: w.account,
        call: call.call,
        at: call.at,
        number: one.number,
        trunk: call.trunk,
        caller: 'sealed+/=',
        callerHash: 'h',
        test: true,
        ...found,
        evidence: [
          {
            ...seen,
            endpoint: w.endpoint,
            site: w.site.id,
            level: 'session',
            startedAt: T0,
            seenAt: T0,
            until: T0 + 60_000,
          },
        ],
      },
    ]);
    t.strictSame(JSON.parse((await w.redis.hget(w.keys.live, call.call)) ?? ''), {
      number: one.number,
      endpoint: w.endpoint,
      trunk: call.trunk,
      end: w.now + LIVE_MS,
    });
  },
);

t.test('S1.7 a call to a number whose link is over still connects, to its last holder', async (t) => {
  const w = await world(t, 1);
  const first = await w.allocate('s1');
  w.now += 60_000;
  t.match(await w.resolver.resolve(w.call(first.number, { defaultEndpoint: 'end_default' })), {
    endpoint: w.endpoint,
    session: 's1',
    link: first.link,
    level: 'session',
    late: true,
    why: 'lastHolder',
  });
  w.now += 24 * 3_600_000; // nobody calls a day later, when another has just seen the number
  const second = await w.allocate('s2');
  w.now += 30_000;
  t.match(await w.resolver.resolve(w.call(first.number)), { session: 's2', late: false, why: 'linked' });
  await w.allocator.end(w.account, second.link ?? '');
  const late = await w.resolver.resolve(w.call(first.number));
  t.match(late, { session: 's2', late: true, why: 'lastHolder' });
  t.notOk('visitor' in late || 'touch' in late, 'what the page did not tell is not there');
});

t.test('a number that nobody ever held goes to the default endpoint, or to nobody', async (t) => {
  const w = await world(t, 1);
  const [number = ''] = numbers(1);
  const byDefault = { endpoint: 'end_default', level: 'none', late: false, why: 'poolDefault' };
  const nobody = { level: 'none', late: false, why: 'unknownNumber' };
  t.strictSame(await w.resolver.resolve(w.call(number, { defaultEndpoint: 'end_default' })), byDefault);
  t.strictSame(await w.resolver.resolve(w.call(number)), nobody);
  const events = await w.events();
  t.match(events, [byDefault, nobody], 'both calls have their event');
  t.notOk('endpoint' in (events[1] ?? {}));
});

t.test('a link to an endpoint that is gone goes to the default endpoint', async (t) => {
  const w = await world(t, 1);
  const one = await w.allocate('s1');
  w.goneEndpoints.add(w.endpoint);
  const resolve = (defaultEndpoint?: string) =>
    w.resolver.resolve(w.call(one.number, defaultEndpoint === undefined ? {} : { defaultEndpoint }));
  t.match(await resolve('end_default'), {
    endpoint: 'end_default',
    session: 's1',
    level: 'session',
    why: 'poolDefault',
  });
  t.notOk('endpoint' in (await resolve()), 'no default: nobody to call');
  t.notOk('endpoint' in (await resolve(w.endpoint)), 'the default is gone as well');
});

t.test('each event is in the stream; the end of a call takes it out of the live ones', async (t) => {
  const w = await world(t, 1);
  const call = w.call(numbers(1)[0] ?? '');
  await w.resolver.resolve(call);
  const step = { v: 1, account: w.account, call: call.call, at: w.now + 5 } as const;
  await w.stream.append({ ...step, kind: 'ringing', seq: 20 });
  t.equal(await w.redis.hlen(w.keys.live), 1, 'ringing is not the end');
  const reason = { status: 486, q850: 17, text: 'busy' };
  await w.stream.append({ ...step, kind: 'ended', seq: 42, result: 'busy', reason, fault: 'callee' });
  t.equal(await w.redis.hlen(w.keys.live), 0);
  t.strictSame(
    (await w.events()).map((event) => event.kind),
    ['received', 'ringing', 'ended'],
  );
});

t.test('live calls are kept by their media node, and those that nobody keeps are dropped', async (t) => {
  const w = await world(t, 1);
  const calls = Array.from({ length: 10 }, () => w.call(numbers(1)[0] ?? ''));
  for (const call of calls) await w.resolver.resolve(call);
  const kept = calls.slice(0, 3).map((call) => call.call);
  t.equal(await w.stream.keep(w.account, [...kept, 'call_unknown'], LIVE_MS + 60_000), 3);
  w.now += LIVE_MS;
  t.equal(await w.stream.keep(w.account, kept, 0), 3, 'an earlier end does not shorten');
  t.strictSame((await w.redis.hkeys(w.keys.live)).sort(), kept.sort());
});

t.test('numbers enter once, leave all or none, and not while they are in use', async (t) => {
  const w = await world(t, 5);
  const [linked = '', called = '', free = '', held = ''] = numbers(5);
  const other = '+12025550150';
  t.equal(await w.pools.reserve(w.account, w.pool.id, numbers(6)), 1, 'five were there');
  const pool = w.pool.id;
  const one = await w.allocate('s1');
  t.equal(one.number, linked);
  const call = w.call(called);
  await w.resolver.resolve(call);
  await t.rejects(w.pools.withdraw(w.account, pool, [free, linked, called, free], false), {
    code: 'numbersInUse',
    numbers: [linked, called],
  });
  t.equal(await w.redis.zcard(w.keys.ends(pool)), 6, 'nothing left');
  w.now += LIVE_MS;
  t.equal(
    await w.pools.withdraw(w.account, pool, [called, free, free], false),
    2,
    'a call that nobody keeps is over',
  );
  t.equal(await w.pools.withdraw(w.account, pool, [called, free], false), 0, 'again');

  w.now += MARGIN_MS;
  const again = await w.allocate('s2');
  t.equal(again.number, held, 'never used goes first');
  t.equal(await w.pools.withdraw(w.account, pool, [held], true), 1, 'forced');
  t.strictSame(
    await w.allocator.renew(w.account, again.link ?? ''),
    { state: 'unknown' },
    'its page is told',
  );
  t.not((await w.allocate('s2')).number, held, 'and gets another number');
  t.match(
    await w.resolver.resolve(w.call(held)),
    { session: 's2', why: 'linked' },
    'who still sees it is still known',
  );

  const fresh = makePool();
  await w.pools.reserve(w.account, fresh.id, [held, other]);
  t.equal((await w.allocate('s3', {}, [fresh])).number, other);
  t.match(
    await w.allocate('s4', {}, [fresh]),
    { level: 'none' },
    'in its new pool it rests until its old end',
  );
  w.now += 60_000 + MARGIN_MS;
  t.equal((await w.allocate('s4', {}, [fresh])).number, held);
  t.equal(await w.redis.hlen(w.keys.holders), await w.redis.hlen(w.keys.links));
});

t.test('many numbers go in and out in one go', async (t) => {
  const w = await world(t, 0);
  const many = numbers(2_500, 441632960000);
  t.equal(await w.pools.reserve(w.account, w.pool.id, many), 2_500);
  const before: string[] = [];
  for (let i = 0; i < 1_100; i++) before.push((await w.allocate(`s${i}`)).number);
  w.now += 60_000 + MARGIN_MS;
  const now = await Promise.all(['s5', 's1050'].map((session) => w.allocate(session)));
  const former = [before[5] ?? '', before[1050] ?? ''];
  t.notMatch(
    former,
    now.map((one) => one.number),
    'both hold another number than they once did',
  );
  t.equal(await w.pools.withdraw(w.account, w.pool.id, former, false), 2);
  t.match(
    await w.allocate('s1050'),
    { number: now[1]?.number, fresh: false },
    'what he holds now is his still',
  );
  await t.rejects(w.pools.withdraw(w.account, w.pool.id, many, false), {
    code: 'numbersInUse',
    numbers: now.map((one) => one.number),
  });
  t.equal(await w.redis.hlen(w.keys.links), 1_100, 'a refusal changes nothing');
  t.equal(await w.pools.withdraw(w.account, w.pool.id, many, true), 2_498);
  t.equal(await w.redis.exists(w.keys.ends(w.pool.id), w.keys.holders, w.keys.links), 0);
});

t.test('what goes to the spool when Redis is down; what no script returns', async (t) => {
  const w = await world(t, 0);
  const call = w.call('+12025550100', { defaultEndpoint: 'end_default' });
  t.match(resolutionWithoutStore(call), {
    resolution: { endpoint: 'end_default', level: 'none', late: false, why: 'storeDown' },
    event: { kind: 'received', seq: 1, call: call.call, at: T0, endpoint: 'end_default', why: 'storeDown' },
  });
  t.notOk('endpoint' in resolutionWithoutStore(w.call('+12025550100')).resolution);
  for (const reply of [null, [], [99], [5, 'log'], ['5', '', ''], [5, null, '']]) {
    t.throws(() => readLookup(reply, 0), { code: 'unexpectedReply' });
  }
});
