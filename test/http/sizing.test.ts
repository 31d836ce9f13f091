import t from 'tap';
import { Allocator } from '../../src/numbers/allocator.js';
import { PoolStore } from '../../src/numbers/pool-store.js';
import { HOUR_MS } from '../../src/numbers/traffic.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { readPoolTraffic } from '../../src/redis/traffic.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';
import { KEY, OTHER_KEY, World } from './fixture.js';

const redis = await TestRedis.start();
const clients = new RedisClients(redis.url, keepingLogger());
await clients.ready(5_000);
t.teardown(async () => {
  await clients.close('the test is over');
  await redis.stop();
});

interface Sizing {
  [name: string]: unknown;
  pool: string;
  offered: number;
  withoutNumber: { measured: number; erlangB: number };
  warnings: { what: string }[];
  proposal: { numbers: number; add: number; why: string };
}

const asOwner = { authorization: `Bearer ${KEY}` };
const poolTraffic = (account: string, pool: string) => readPoolTraffic(clients.background, account, pool);

t.test('a pool of 40 numbers that 1,000 visitors an hour ask, three minutes each', async (t) => {
  const w = new World({ poolTraffic });
  const [pool] = w.acme.pools;
  const [site] = w.acme.sites;
  if (pool === undefined || site === undefined) throw new Error('acme has a pool and a site');
  const numbers = Array.from({ length: 40 }, (_, i) => `+${12025550100 + i}`);
  const scripts = new RedisScripts(clients.background);
  // The last whole hour of Redis's own clock, a visitor each 3.6 s.
  const from = (Math.floor(Date.now() / HOUR_MS) - 1) * HOUR_MS;
  let now = from;
  const allocator = new Allocator(scripts, () => now);
  await new PoolStore(scripts).reserve(w.acme.id, pool.id, numbers);
  const life = { ...site, holdMs: 180_000 };
  const answers = [];
  for (let i = 0; i < 1000; i++) {
    now = from + i * 3600;
    answers.push(
      allocator.allocate(
        { account: w.acme.id, site: site.id, endpoint: 'end_x', session: `s${i}` },
        { pools: [pool], site: life },
      ),
    );
  }
  const served = (await Promise.all(answers)).filter(({ link }) => link !== null).length;

  const path = `/v1/pools/${pool.id}/sizing`;
  const reply = await w.http.inject({ url: path, headers: asOwner });
  t.equal(reply.statusCode, 200);
  const found: Sizing = reply.json();
  t.match(found, {
    pool: pool.id,
    target: 0.01,
    reuseMs: 1_800_000,
    numbers: 40,
    hour: new Date(from).toISOString(),
    arrivalsPerHour: 1000,
    meanHoldMs: 185_000,
    utilisation: Number,
    reuseWindowMs: 144_000,
  });
  t.ok(Math.abs(found.offered - 51.3889) < 1e-4, 'A = 1,000 an hour times 185 s');
  t.equal(found.withoutNumber.measured, Math.round((1000 - served) * 10) / 10_000);
  t.ok(found.withoutNumber.measured > 0.2 && found.withoutNumber.erlangB > 0.2, 'more load than numbers');
  t.same(
    found.warnings.map(({ what }) => what),
    ['utilisation', 'reuseMs', 'wrongHolder'],
  );
  t.equal(found.proposal.add, found.proposal.numbers - 40);
  t.ok(found.proposal.numbers > 500, 'half an hour until a number is shown again takes 500');

  const aimed = await w.http.inject({ url: `${path}?target=0.2&reuseMs=60000`, headers: asOwner });
  t.match(aimed.json(), { target: 0.2, reuseMs: 60_000, needed: { forReuse: 17 } });
  const byName = await w.http.inject({ url: `/v1/pools/main/sizing`, headers: asOwner });
  t.equal(byName.json<Sizing>().pool, pool.id, 'by name');
});

t.test('who may ask, and what', async (t) => {
  const w = new World({ poolTraffic });
  const id = w.acme.pools[0]?.id ?? '';
  const ask = async (query = '', headers: Record<string, string> = asOwner, pool = id) => {
    const reply = await w.http.inject({ url: `/v1/pools/${pool}/sizing${query}`, headers });
    return [reply.statusCode, reply.json<{ code?: string }>().code];
  };
  t.same(await ask('', {}), [401, 'keyMissing']);
  t.same(await ask('', { authorization: 'Bearer nobody' }), [401, 'keyUnknown']);
  t.same(await ask('', { authorization: `Bearer ${OTHER_KEY}` }), [404, 'poolNotFound'], "another's pool");
  t.same(await ask('', asOwner, 'pool_none'), [404, 'poolNotFound']);
  for (const query of [
    'target=0',
    'target=0.6',
    'target=x',
    'target=',
    'reuseMs=0',
    'reuseMs=1.5',
    'rate=1',
  ]) {
    t.same(await ask(`?${query}`), [400, 'badValue'], query);
  }
  const both = await w.http.inject({ url: `/v1/pools/${id}/sizing?target=2&reuseMs=-1`, headers: asOwner });
  t.same(
    both.json<{ errors: { field: string }[] }>().errors.map(({ field }) => field),
    ['target', 'reuseMs'],
    'every fault at once',
  );
  t.same(await ask('?target=0.001&reuseMs=1'), [200, undefined], 'a pool without traffic');
  const away = new World();
  const pool = away.acme.pools[0]?.id ?? '';
  const reply = await away.http.inject({ url: `/v1/pools/${pool}/sizing`, headers: asOwner });
  t.same([reply.statusCode, reply.json<{ code: string }>().code], [503, 'storeDown']);
});
