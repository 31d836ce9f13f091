import t from 'tap';
import type { Test } from 'tap';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import type { ResolutionRequest } from '../../src/numbers/types.js';
import { attributedEvent } from '../../src/numbers/resolution.js';
import { TestRedis } from '../support/redis.js';
import { numbers, World } from './fixture.js';

const redis = await TestRedis.start();
t.teardown(() => redis.stop());

const DAY = 86_400_000;
const [NUMBER = ''] = numbers(1);
const OTHER_END = 'end_0000000000000002';

async function world(t: Test): Promise<World> {
  const world = await World.open(redis.url);
  t.teardown(() => world.close());
  await world.pools.reserve(world.account, world.pool.id, [NUMBER]);
  return world;
}

/** A call as the switch takes it: resolved, and then noted. */
async function calls(w: World, caller?: string, more: Partial<ResolutionRequest> = {}) {
  const request = w.call(NUMBER, {
    ...(caller !== undefined && { callerHash: caller }),
    redialMs: 7 * DAY,
    ...more,
  });
  const resolution = await w.resolver.resolve(request);
  await w.resolver.remember(request, resolution);
  return resolution;
}

/** The link of whoever has the number ends, and another session gets it. */
async function handOver(w: World, session: string, endpoint = w.endpoint) {
  w.now += 60_000 + MARGIN_MS;
  const given = await w.allocate(session, { endpoint });
  t.equal(given.number, NUMBER);
  return given;
}

t.test('a tap makes the former holder the likelier one, and the call goes to his endpoint', async (t) => {
  const w = await world(t);
  const first = await w.allocate('s1', { touch: '{"source":"first"}' });
  w.now += 59_000;
  t.equal(await w.allocator.tap(w.account, first.link ?? ''), true);
  w.now += 1_000;
  await w.allocator.end(w.account, first.link ?? '');
  w.now += MARGIN_MS;
  await w.allocate('s2', { endpoint: OTHER_END, touch: '{"source":"second"}' });
  w.now += 2_000;
  const found = await calls(w, 'anna');
  t.match(found, {
    session: 's1',
    endpoint: w.endpoint,
    touch: '{"source":"first"}',
    late: true,
    why: 'lastHolder',
    candidates: [{ session: 's1' }, { session: 's2', endpoint: OTHER_END }],
  });
  t.ok((found.probability ?? 0) > 0.8, String(found.probability));
  const [received] = await w.events();
  t.match(received, { session: 's2', evidence: [{ session: 's2' }, { session: 's1', tapAt: Number }] });
  t.notMatch(JSON.stringify(received), 'first', 'touches of the older stay out of the event');
  w.now += DAY;
  t.match(await calls(w, 'anna'), { redial: true, endpoint: w.endpoint, session: 's1' }, 'noted as decided');
});

t.test('redial: what was reached before is reached again, after the number was given away', async (t) => {
  const w = await world(t);
  await w.allocate('s1');
  t.notOk('redial' in (await calls(w, 'anna')));
  await handOver(w, 's2', OTHER_END);
  t.match(await calls(w, 'anna'), {
    endpoint: w.endpoint,
    session: 's1',
    redial: true,
    level: 'session',
    why: 'lastHolder',
  });
  t.match(await calls(w, 'berta'), { endpoint: OTHER_END, session: 's2', why: 'linked' }, 'another caller');
  t.match(await calls(w), { endpoint: OTHER_END, session: 's2' }, 'an anonymous one');
  for (let i = 0; i < 8; i++) await handOver(w, `t${String(i)}`, OTHER_END);
  const forgotten = await calls(w, 'anna', { defaultEndpoint: 'end_default' });
  t.match(forgotten, { endpoint: w.endpoint, session: 's1', redial: true }, 'the log has forgotten him');
  t.equal(forgotten.candidates?.length, 8, 'at most eight');
  w.now += 7 * DAY + 1;
  t.match(await calls(w, 'anna'), { endpoint: OTHER_END }, 'too long ago');
  t.ok((await w.redis.pttl(w.keys.caller('anna'))) > 7 * DAY - 60_000, 'the notes go by themselves');
});

t.test('redial: not where it is off, not across accounts, not to an endpoint that is gone', async (t) => {
  const [w, other] = [await world(t), await world(t)];
  await w.allocate('s1');
  await calls(w, 'anna', { redialMs: 0 });
  t.equal(await w.redis.exists(w.keys.caller('anna')), 0);
  await calls(w, 'anna');
  await handOver(w, 's2', OTHER_END);
  t.match(await calls(w, 'anna', { redialMs: 0 }), { endpoint: OTHER_END, session: 's2' });
  await other.allocate('o1', { endpoint: OTHER_END });
  t.match(await calls(other, 'anna'), { endpoint: OTHER_END, session: 'o1' }, 'the account is not hers');
  w.goneEndpoints.add(w.endpoint);
  const found = await calls(w, 'anna', { defaultEndpoint: 'end_default' });
  t.match(found, { endpoint: 'end_default', why: 'poolDefault' });
  t.notOk('redial' in found);
});

t.test(
  'redial: who holds the number now, and is this caller himself, goes where his page says',
  async (t) => {
    const w = await world(t);
    await w.allocate('s1', { visitor: 'v1' });
    await calls(w, 'anna');
    w.now += 60_000 + MARGIN_MS;
    await w.allocate('s2', { visitor: 'v1', endpoint: OTHER_END });
    w.now += 30_000;
    const found = await calls(w, 'anna');
    t.match(found, { endpoint: OTHER_END, session: 's2', why: 'linked' });
    t.notOk('redial' in found);
    await handOver(w, 's3');
    t.match(await calls(w, 'anna'), { endpoint: OTHER_END, session: 's2', redial: true }, 'and is noted');
  },
);

t.test('a caller has notes of eight numbers, and of none that nobody held', async (t) => {
  const w = await world(t);
  const many = numbers(10);
  await w.pools.reserve(w.account, w.pool.id, many);
  const call = (number: string) =>
    w.resolver.resolve(w.call(number, { callerHash: 'anna', redialMs: DAY, defaultEndpoint: 'end_d' }));
  await call(NUMBER);
  t.equal(await w.redis.exists(w.keys.caller('anna')), 0, 'the default may change');
  for (let i = 0; i < 10; i++) {
    w.now += 1;
    await call((await w.allocate(`s${String(i)}`)).number);
  }
  const notes = JSON.parse((await w.redis.get(w.keys.caller('anna'))) ?? '') as { session: string }[];
  t.strictSame(
    notes.map(({ session }) => session),
    [9, 8, 7, 6, 5, 4, 3, 2].map((i) => `s${String(i)}`),
  );
});

t.test('the caller of the area that a visitor is in', async (t) => {
  const w = await world(t);
  await w.allocate('s1', { area: '+1202' });
  const what = async (callerNumber?: string) => {
    const found = await calls(w, undefined, callerNumber === undefined ? {} : { callerNumber });
    return found.candidates?.[0]?.because.map((one) => one.what);
  };
  t.strictSame(await what('+12025550190'), ['delay', 'open', 'sameArea']);
  t.strictSame(await what('+441632960100'), ['delay', 'open', 'otherArea']);
  t.strictSame(await what('2025550190'), ['delay', 'open'], 'a number that is not in E.164 tells nothing');
  t.strictSame(await what(), ['delay', 'open']);
  t.notMatch(JSON.stringify(await w.events()), '5550190', 'the caller is written nowhere');
});

t.test('doubly held: nobody is credited; the endpoint that all share, else the default', async (t) => {
  const w = await world(t);
  await w.allocate('s1');
  await handOver(w, 's2');
  const mark = async () => {
    const log = (await w.redis.hget(w.keys.numbers, NUMBER)) ?? '';
    const [line = '', ...older] = log.split('\n');
    const entry = { ...(JSON.parse(line) as object), ambiguous: true };
    await w.redis.hset(w.keys.numbers, NUMBER, [JSON.stringify(entry), ...older].join('\n'));
  };
  await mark();
  const shared = await calls(w, 'anna', { defaultEndpoint: 'end_d' });
  t.match(shared, {
    endpoint: w.endpoint,
    level: 'none',
    ambiguous: true,
    why: 'ambiguous',
  });
  t.same(shared.candidates?.map(({ session }) => session).sort(), ['s1', 's2'], 'both stay');
  for (const field of ['session', 'link', 'visitor', 'probability', 'note']) t.notOk(field in shared, field);
  t.match(
    (await w.events()).at(-1),
    { level: 'none', ambiguous: true, why: 'ambiguous' },
    'received says so too',
  );
  t.equal(await w.redis.exists(w.keys.caller('anna')), 0, 'and a redial goes by nothing');

  await handOver(w, 's3', OTHER_END);
  t.match(await calls(w), { session: 's3', level: 'session' }, 'a later holder is credited');
  await mark();
  t.match(await calls(w, 'anna', { defaultEndpoint: 'end_d' }), { endpoint: 'end_d', why: 'ambiguous' });
  t.match(await calls(w), { endpoint: OTHER_END, why: 'ambiguous' }, 'rather the newest than nobody');
});

t.test('a number that a set of parameters holds is credited to the set', async (t) => {
  const w = await world(t);
  const parameters = '{"placement":"top","publisher":"news"}';
  t.match(await w.allocate('', { parameters }), { level: 'bucket', number: NUMBER });
  w.now += 1_000;
  const request = w.call(NUMBER);
  const found = await w.resolver.resolve(request);
  t.match(found, { level: 'bucket', parameters, endpoint: w.endpoint, why: 'linked' });
  t.notOk('session' in found);
  t.match(attributedEvent(request, found), { kind: 'attributed', seq: 2, parameters, level: 'bucket' });
  t.match((await w.events())[0], { level: 'bucket', parameters });
});
