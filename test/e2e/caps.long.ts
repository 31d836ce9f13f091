/** What an endpoint may have at once, under a burst of calls and through the death of the application. */
import { Redis } from 'ioredis';
import t from 'tap';
import { fictionalNumbers } from '../bench/numbers.js';
import { sipp } from '../bench/sipp.js';
import { freePort } from '../../src/start/ports.js';
import { until } from '../support/until.js';
import { Agent } from '../standalone/media-agent.js';
import { finalOf } from './ends.js';
import { System } from './system.js';

t.setTimeout(120_000);

const CROWD = '+12025550100';
const OUTLIVES = '+12025550101';
let system: System;
let caller: Agent;
let desk: Agent;

t.before(async () => {
  caller = await Agent.start();
  desk = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  const to = `['sip:agent@127.0.0.1:${String(desk.sip.port)}']`;
  system = await System.start(
    [
      '    trunks: [{name: carrier, addresses: [127.0.0.1/32]}]',
      '    endpoints:',
      `      - {name: crowd, destinations: ${to}, concurrentCalls: 10}`,
      `      - {name: outlives, destinations: ${to}, concurrentCalls: 2}`,
      '    pools:',
      `      - {name: crowd, numbers: ['${CROWD}'], trunk: carrier, defaultEndpoint: crowd}`,
      `      - {name: outlives, numbers: ['${OUTLIVES}'], trunk: carrier, defaultEndpoint: outlives}`,
      '',
    ].join('\n'),
  );
});

t.teardown(async () => {
  await system.stop();
  await Promise.all([caller.close(), desk.close()]);
});

t.test('a burst of forty, of which ten may be up: ten get through, and then another ten', async (t) => {
  for (const round of [1, 2]) {
    const list = fictionalNumbers(40).map((number) => ({ caller: number, number: CROWD }));
    // All of them come within half a second, and a call lasts a second.
    const run = { port: await freePort(), to: system.sip, calls: 40, list, perSecond: 80 };
    t.match(await sipp('caller', run), { successful: 10, failed: 30 });
    await until(async () => {
      const all = await system.records(CROWD);
      return all.length === 40 * round && all.every(({ result }) => result !== null);
    }, 10_000);
    const results = (await system.records(CROWD)).map(({ result }) => result);
    t.equal(results.filter((result) => result === 'answered').length, 10 * round);
    t.equal(results.filter((result) => result === 'busy').length, 30 * round);
  }
});

t.test('calls that outlive the application count on, and those that end meanwhile do not', async (t) => {
  const { body } = await system.api('GET', `/v1/route?number=${encodeURIComponent(OUTLIVES)}`);
  const redis = new Redis(system.redisUrl.replace('redis+unix://', ''));
  t.teardown(() => redis.disconnect());
  const keys = () => redis.keys(`*:up:${(body as { standsFor: { endpoint: string } }).standsFor.endpoint}`);
  t.same(await keys(), [], 'nothing is kept of an endpoint without calls');
  const calls = await Promise.all([1, 2].map(() => caller.call(system.sip, OUTLIVES)));
  for (const call of calls) t.equal(await finalOf(call), 200);
  const [key = ''] = await keys();
  await system.kill('application');
  // Should nobody come back, it is over by itself: LIVE_MS.
  const last = Number((await redis.zrange(key, '0', '-1', 'WITHSCORES')).at(-1));
  t.ok(last > Date.now() && last <= Date.now() + 200_000);
  const left = await redis.pttl(key);
  t.ok(left > 0 && left <= 200_000);
  await calls[0]?.send('BYE');
  await system.revive('application');
  await until(async () => (await redis.zcard(key)) === 1, 20_000);
  const [next, more] = [await caller.call(system.sip, OUTLIVES), await caller.call(system.sip, OUTLIVES)];
  t.equal(await finalOf(next), 200);
  t.equal(await finalOf(more), 486);
  for (const call of [calls[1], next]) await call?.send('BYE');
  await until(async () => (await redis.exists(key)) === 0, 10_000);
});
