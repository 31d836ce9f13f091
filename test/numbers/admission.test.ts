/** How many calls an account, a trunk or an endpoint may have: counted by live calls, on a real Redis. */
import fc from 'fast-check';
import t from 'tap';
import { mintId } from '../../src/ids.js';
import { Admission, type Cap } from '../../src/numbers/admission.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { LIVE_MS } from '../../src/numbers/resolver.js';
import { EventStream } from '../../src/numbers/event-stream.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';

const redis = await TestRedis.start();
const clients = new RedisClients(redis.url, keepingLogger());
await clients.ready(10_000);
t.teardown(async () => {
  await clients.close('over');
  await redis.stop();
});
let now = 1_800_000_000_000;
const scripts = new RedisScripts(clients.background);
const admission = new Admission(scripts, () => now);
const stream = new EventStream(scripts, () => now);

const ended = (account: string, call: string) =>
  stream.append({
    v: 1,
    kind: 'ended',
    account,
    call,
    seq: 40,
    at: now,
    result: 'answered',
    fault: 'caller',
    reason: { status: 200, q850: 16, text: 'NORMAL_CLEARING' },
  });

t.test('as many at once as may be; an end makes room, and so does time', async (t) => {
  const account = mintId('acc');
  const cap: Cap = { owner: 'end_a', concurrentCalls: 2 };
  const take = (call: string) => admission.admit(account, call, [cap]);
  t.equal(await take('call_1'), undefined);
  t.equal(await take('call_2'), undefined);
  t.same(await take('call_3'), cap);
  t.equal(await take('call_2'), undefined, 'a call that asks again counts once');
  await ended(account, 'call_1');
  t.equal(await take('call_3'), undefined, 'there is room after an end');
  t.same(await take('call_4'), cap);

  // Nobody tells the end of these; the media node still has one of them.
  now += LIVE_MS - 1;
  t.same(await take('call_4'), cap);
  t.equal(await stream.keep(account, ['call_2'], 90_000), 1);
  now += 2;
  t.equal(await take('call_4'), undefined, 'the other one counts no more');
  t.same(await take('call_5'), cap, 'the one that was kept does');
  const keys = accountKeys(account);
  t.ok((await clients.background.pttl(keys.up('end_a'))) > 0, 'no key of a cap lives for ever');
});

t.test('all caps or none count a call, and the first one that is reached is told', async (t) => {
  const account = mintId('acc');
  const [whole, one] = [
    { owner: 'account', concurrentCalls: 10 },
    { owner: 'end_b', concurrentCalls: 1 },
  ];
  t.equal(await admission.admit(account, 'call_1', [whole, one]), undefined);
  t.same(await admission.admit(account, 'call_2', [whole, one]), one);
  t.equal(await clients.background.zcard(accountKeys(account).up('account')), 1, 'a refused call is nowhere');
  t.equal(
    await admission.admit(account, 'call_2', [whole, { owner: 'end_c', concurrentCalls: 1 }]),
    undefined,
  );
  t.equal(await clients.background.zcard(accountKeys(account).up('account')), 2);
});

t.test('new calls a second, over any second', async (t) => {
  const account = mintId('acc');
  const cap: Cap = { owner: 'account', callsPerSecond: 2 };
  const take = (call: string) => admission.admit(account, call, [cap]);
  t.equal(await take('call_1'), undefined);
  now += 600;
  t.equal(await take('call_2'), undefined);
  t.same(await take('call_3'), cap);
  now += 399;
  t.same(await take('call_4'), cap);
  now += 1;
  t.equal(await take('call_5'), undefined, 'the first one is a second old');
  t.same(await take('call_6'), cap);
});

t.test(
  'a call that is up counts again once somebody keeps it, and an end takes it out of every cap',
  async (t) => {
    const account = mintId('acc');
    const [whole, first, overflow] = [
      { owner: 'account', concurrentCalls: 1 },
      { owner: 'end_d', concurrentCalls: 1 },
      { owner: 'end_e', concurrentCalls: 1 },
    ];
    const take = (call: string, ...caps: Cap[]) => admission.admit(account, call, caps);
    t.equal(await take('call_1', whole, first), undefined);
    t.equal(await take('call_1', overflow), undefined, 'nobody answered: the overflow is rung');
    const counts = async () => {
      const keys = accountKeys(account);
      const owners = [whole, first, overflow].map(({ owner }) => keys.up(owner));
      return Promise.all(owners.map((up) => clients.background.zcard(up)));
    };
    t.same(await counts(), [1, 1, 1]);
    // No process was there to keep it.
    now += LIVE_MS + 1;
    t.equal(await take('call_2', overflow), undefined, 'nobody says that it is up');
    await ended(account, 'call_2');
    t.equal(await stream.keep(account, ['call_1'], 90_000), 1);
    t.same(await counts(), [1, 1, 1]);
    t.same(await take('call_3', whole), whole);
    await ended(account, 'call_1');
    t.same(await counts(), [0, 0, 0]);
    t.equal(await stream.keep(account, ['call_1'], 90_000), 0);
    t.same(await counts(), [0, 0, 0], 'what has ended is not counted again');
  },
);

t.test('a burst by several processes: as many as may be, and no more', async (t) => {
  const others = await Promise.all(
    [1, 2, 3].map(async () => {
      const more = new RedisClients(redis.url, keepingLogger());
      await more.ready(10_000);
      t.teardown(() => more.close('over'));
      return new Admission(new RedisScripts(more.background));
    }),
  );
  const account = mintId('acc');
  const caps = [
    { owner: 'account', concurrentCalls: 50 },
    { owner: 'end_f', concurrentCalls: 7, callsPerSecond: 20 },
  ];
  const reached = await Promise.all(
    Array.from({ length: 300 }, async (_, n) => others[n % 3]?.admit(account, `call_${String(n)}`, caps)),
  );
  t.equal(reached.filter((cap) => cap === undefined).length, 7);
  t.ok(reached.every((cap) => cap === undefined || cap === caps[1]));
});

t.test('whatever comes and goes, there are never more than may be', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.record({ call: fc.integer({ min: 0, max: 9 }), ends: fc.boolean() }), { maxLength: 40 }),
      async (most, steps) => {
        const account = mintId('acc');
        const up = new Set<string>();
        for (const { call, ends } of steps) {
          const id = `call_${String(call)}`;
          if (ends) {
            await ended(account, id);
            up.delete(id);
            continue;
          }
          const reached = await admission.admit(account, id, [{ owner: 'end_p', concurrentCalls: most }]);
          const mayCome = up.has(id) || up.size < most;
          t.equal(reached === undefined, mayCome);
          if (mayCome) up.add(id);
        }
        t.ok(up.size <= most);
      },
    ),
    { numRuns: 40 },
  );
});
