import { generateKeyPairSync, sign } from 'node:crypto';
import { request } from 'node:http';
import fc from 'fast-check';
import t from 'tap';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import type { NumberRange, Site } from '../../src/directory/model.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { chunks } from '../../src/directory/ranges.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { PoolStore } from '../../src/numbers/pool-store.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisNumberFacts } from '../../src/redis/number-facts.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';
import { KEY, makeDirectory, ORIGIN, OTHER_ORIGIN, PRINTED, World } from './fixture.js';

/** The real allocator on a real Redis, asked over real sockets. */
const redis = await TestRedis.start();
const clients = new RedisClients(redis.url, keepingLogger());
await clients.ready(5_000);
t.teardown(async () => {
  await clients.close('the test is over');
  await redis.stop();
});
const allocator = new Allocator(new RedisScripts(clients.call, CALL_DEADLINE_MS));
const pools = new PoolStore(new RedisScripts(clients.background));

interface Reply {
  status: number;
  body: { link: string; number: string; level: string; until: string; code?: string };
}

async function open(
  life: Partial<Site> = {},
  numbers?: readonly NumberRange[],
): Promise<{
  w: World;
  ask: (body: unknown) => Promise<Reply>;
  link: (method: string, path: string, origin?: string) => Promise<number>;
}> {
  const made = makeDirectory(undefined, undefined, life);
  const directory = {
    ...made,
    accounts: made.accounts.map((account, i) =>
      i > 0 || numbers === undefined
        ? account
        : { ...account, pools: account.pools.map((pool) => ({ ...pool, numbers })) },
    ),
  };
  const w = new World(
    { links: allocator, numberFacts: new RedisNumberFacts(clients.call), now: Date.now },
    directory,
  );
  for (const pool of w.acme.pools) {
    for (const numbers of chunks(pool.numbers, 1_000)) await pools.reserve(w.acme.id, pool.id, numbers);
  }
  await w.http.listen('127.0.0.1', 0);
  const port = w.http.address()?.port ?? 0;
  const send = (method: string, path: string, origin: string, body?: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(
        { port, host: '127.0.0.1', method, path, headers: { origin, 'content-type': 'text/plain' } },
        (response) => {
          let text = '';
          response.on('data', (data: Buffer) => (text += data.toString()));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    w,
    ask: async (body) => {
      const { status, text } = await send('POST', '/v1/allocations', ORIGIN, JSON.stringify(body));
      return { status, body: JSON.parse(text) as Reply['body'] };
    },
    link: async (method, path, origin = ORIGIN) => (await send(method, `/v1/links/${path}`, origin)).status,
  };
}

const GOOD = { endpoint: 'sales', site: 'web', session: 's1' };

t.test('S1.4 a hundred requests at once for one triple: one number, one 201', async (t) => {
  const { w, ask } = await open();
  t.teardown(() => w.http.close());
  t.same(new DirectoryIndex(w.directory).version, 1);
  const all = await Promise.all(Array.from({ length: 100 }, () => ask(GOOD)));
  t.equal(new Set(all.map(({ body }) => body.number)).size, 1);
  t.equal(all.filter(({ status }) => status === 201).length, 1);
  t.equal(all.filter(({ status }) => status === 200).length, 99);
});

t.test('S1.5 many sessions at once: no number twice, then the printed one', async (t) => {
  const { w, ask } = await open();
  t.teardown(() => w.http.close());
  const all = await Promise.all(Array.from({ length: 60 }, (_, i) => ask({ ...GOOD, session: `s${i}` })));
  const given = all.filter(({ status }) => status === 201);
  t.equal(given.length, 50, 'as many as the pool has');
  t.equal(new Set(given.map(({ body }) => body.number)).size, 50);
  t.strictSame(
    all.filter(({ status }) => status === 200).map(({ body }) => [body.level, body.link, body.number]),
    Array.from({ length: 10 }, () => ['none', null, PRINTED]),
  );
});

t.test('a link is kept, left and ended by its own site', async (t) => {
  const { w, ask, link } = await open();
  t.teardown(() => w.http.close());
  const { body } = await ask(GOOD);
  t.equal(await link('PUT', body.link), 200);
  t.equal(await link('PUT', body.link, OTHER_ORIGIN), 410, 'another site of the account');
  t.equal(await link('DELETE', body.link, OTHER_ORIGIN), 204);
  t.equal(await link('PUT', body.link), 200, 'and that changed nothing');
  t.equal(await link('POST', `${body.link}/leave`), 204);
  const keys = accountKeys(w.acme.id);
  const pool = w.acme.pools[0]?.id ?? '';
  const left = Number(await clients.background.zscore(keys.ends(pool), body.number)) - Date.now();
  t.ok(
    left > 20_000 && left <= 30_000,
    `ends a heartbeat (20 s) and 5 s later, and the margin of 5 s (${left} ms)`,
  );
  const back = await ask(GOOD);
  t.match([back.status, back.body.link], [200, body.link], 'the next page of the visit has the same number');
  t.ok(Date.parse(back.body.until) - Date.now() > 50_000, 'with its full hold');
  t.equal(await link('DELETE', body.link), 204);
  t.equal(await link('PUT', body.link), 410);
  const anew = await ask(GOOD);
  t.equal(anew.status, 201);
  t.not(anew.body.link, body.link);
});

t.test('S1.3 no body spends a number', async (t) => {
  const { w } = await open();
  t.teardown(() => w.http.close());
  const body = fc.oneof(
    fc.record(
      { endpoint: fc.jsonValue(), site: fc.constantFrom('web', 'x'), session: fc.string() },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
  );
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const reply = await w.allocate(value);
      if (reply.statusCode !== 400) throw new Error(`${reply.statusCode} ${reply.body}`);
    }),
    { numRuns: 100 },
  );
  t.equal(await clients.background.exists(accountKeys(w.acme.id).holders), 0);
});

const { publicKey, privateKey } = generateKeyPairSync('ed25519');

function proofOf(subject: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const text = `${part({ alg: 'EdDSA' })}.${part({ sub: subject, aud: 'web', exp })}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

const signedIn = { visitorKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };

t.test(
  'S12.1, S12.2 a second device of who signed in gets the number of the first; they are taken apart',
  async (t) => {
    const { w, ask } = await open(signedIn);
    t.teardown(() => w.http.close());
    const proof = proofOf('someone@example.com');
    const first = await ask({ ...GOOD, session: 'laptop', proof });
    t.equal(first.status, 201);
    const second = await ask({ ...GOOD, session: 'telephone', proof });
    t.match([second.status, second.body.number], [200, first.body.number], 'one number');
    const other = await ask({ ...GOOD, session: 'other', proof: proofOf('another@example.com') });
    t.not(other.body.number, first.body.number);
    for (const key of await clients.background.keys('*')) {
      const type = await clients.background.type(key);
      const text = type === 'hash' ? JSON.stringify(await clients.background.hgetall(key)) : '';
      t.notMatch(text, 'example.com', 'no e-mail address is stored');
    }
    const parted = await w.http.inject({
      method: 'POST',
      url: '/v1/visitors/unmerge',
      headers: { authorization: `Bearer ${KEY}` },
      payload: { site: 'web', subject: 'someone@example.com' },
    });
    t.equal(parted.statusCode, 204);
    t.match((await ask({ ...GOOD, session: 'laptop' })).body, { number: first.body.number });
    const alone = await ask({ ...GOOD, session: 'telephone' });
    t.equal(alone.status, 201);
    t.not(alone.body.number, first.body.number);
  },
);

t.test('many at once in one write; parameters hold a number of their own; a tap is noted', async (t) => {
  const { w, ask, link } = await open();
  t.teardown(() => w.http.close());
  const parameters = { publisher: 'Daily', placement: 'top' };
  const bulk = await w.http.inject({
    method: 'POST',
    url: '/v1/allocations/bulk',
    headers: { authorization: `Bearer ${KEY}` },
    payload: {
      items: [
        ...Array.from({ length: 60 }, (_, i) => ({ ...GOOD, session: `s${i}` })),
        { site: 'web', endpoint: 'service', parameters },
      ],
    },
  });
  const { items } = bulk.json<{ items: { status: number; number: string; level: string; link: string }[] }>();
  const given = items.filter(({ status }) => status === 201);
  t.equal(given.length, 50);
  t.equal(new Set(given.map(({ number }) => number)).size, 50);
  t.equal(items.filter(({ level }) => level === 'none').length, 11);

  const [one] = items;
  if (one === undefined) throw new Error('there is a row');
  t.equal(await link('DELETE', one.link), 204);
  const log = async () =>
    JSON.stringify(await clients.background.hget(accountKeys(w.acme.id).numbers, items[1]?.number ?? ''));
  t.notMatch(await log(), 'tapAt');
  t.equal(await link('POST', `${items[1]?.link ?? ''}/tap`), 204);
  t.match(await log(), 'tapAt');
  await clients.background.call(
    ...(['ZADD', accountKeys(w.acme.id).ends(w.acme.pools[0]?.id ?? ''), 'XX', 0, one.number] as const),
  );
  const set = await ask({ site: 'web', endpoint: 'service', parameters });
  t.match([set.status, set.body.level], [201, 'bucket']);
  const again = await ask({ site: 'web', endpoint: 'service', parameters, session: 'any' });
  t.match([again.status, again.body.link], [200, set.body.link], 'everybody of these parameters has it');
});

t.test('pools and numbers are told as Redis has them', async (t) => {
  const { w, ask, link } = await open();
  t.teardown(() => w.http.close());
  const get = async (url: string): Promise<Record<string, unknown>> => (await w.get(url)).json();
  t.match(await get('/v1/pools/main'), { numbers: 50, shown: 50, held: 0, free: 50 });
  const { body } = await ask(GOOD);
  t.match(await get('/v1/pools/main'), { shown: 50, held: 1, free: 49 });
  const path = `/v1/numbers/${body.number}`;
  t.match(await get(path), {
    state: 'active',
    link: { link: body.link, until: body.until },
    lastHolder: null,
  });
  t.equal(await link('DELETE', body.link), 204);
  t.match(await get(path), { link: null, lastHolder: { link: body.link } });
  t.match(await get('/v1/pools/main'), { held: 1 }, 'it rests');
  t.match(await get('/v1/numbers/+12025550149'), { link: null, lastHolder: null });
});

t.test('a drain by 1,000 addresses leaves numbers for whoever is known', async (t) => {
  const { w } = await open({ ...signedIn, provisionalMs: 600, reservedShare: 0.3 }, [
    { first: '+13125550100', last: '+13125550199' },
  ]);
  t.teardown(() => w.http.close());
  const ask = async (remoteAddress: string, body: object) => {
    const reply = await w.http.inject({
      method: 'POST',
      url: '/v1/allocations',
      remoteAddress,
      headers: { origin: ORIGIN },
      payload: { ...GOOD, ...body },
    });
    return reply.json<{ link: string; level: string; until: string; number: string }>();
  };
  const early = await ask('192.0.2.1', { session: 'early', visitor: 'early' });
  const confirmed = await w.http.inject({
    method: 'PUT',
    url: `/v1/links/${early.link}`,
    headers: { origin: ORIGIN },
    payload: { session: 'early', visitor: 'early', number: early.number, until: early.until },
  });
  const { pass } = confirmed.json<{ pass: string }>();
  t.type(pass, 'string', 'a visitor who was there before');

  let taken = 0;
  const drain = Array.from({ length: 1_000 }, (_, i) => async () => {
    const { level } = await ask(`10.${i >> 8}.${i & 255}.7`, { session: `drain${i}` });
    if (level === 'session') taken++;
  });
  for (let i = 0; i < drain.length; i += 50) await Promise.all(drain.slice(i, i + 50).map((one) => one()));
  t.equal(taken, 69, 'of 100 numbers, 30 are kept back and one is held');
  const strangers = await Promise.all([1, 2, 3].map((i) => ask(`192.0.2.${i}`, { session: `stranger${i}` })));
  const served = await Promise.all([
    ask('192.0.2.9', { session: 'late', visitor: 'early', pass }),
    ...Array.from({ length: 28 }, (_, i) =>
      ask(`192.0.2.${i}`, { session: `known${i}`, proof: proofOf(`user${i}`) }),
    ),
    ask('192.0.2.1', { session: 'early', visitor: 'early' }),
  ]);
  t.strictSame(
    served.map(({ level }) => level),
    served.map(() => 'session'),
    'whoever is known is served',
  );
  t.equal(served.at(-1)?.number, early.number, 'and keeps what he has');
  t.ok(
    strangers.every(({ level }) => level === 'none'),
    'strangers are not, until what was drained has ended',
  );
});

t.test('Redis hangs, then is gone: the printed number within 300 ms; back, and a number again', async (t) => {
  const { w, ask, link } = await open();
  t.teardown(() => w.http.close());
  const { body } = await ask(GOOD);
  redis.pause();
  for (const what of ['hangs', 'hangs-still']) {
    const started = performance.now();
    const reply = await ask({ ...GOOD, session: what });
    const took = performance.now() - started;
    t.match(reply, { status: 200, body: { level: 'none', number: PRINTED, link: null } }, what);
    t.ok(took < 300, `${took} ms`);
  }
  t.equal(await link('PUT', body.link), 503);
  redis.resume();
  const deadline = Date.now() + 5_000;
  let again = await ask({ ...GOOD, session: 'back' });
  while (again.status !== 201 && Date.now() < deadline) again = await ask({ ...GOOD, session: 'back' });
  t.match(again, { status: 201, body: { level: 'session' } }, 'it is back');
  await redis.kill();
  const started = performance.now();
  t.match(await ask({ ...GOOD, session: 'gone' }), { status: 200, body: { level: 'none' } });
  t.ok(performance.now() - started < 300);
  t.strictSame(
    w.logger.lines.map(({ level }) => level),
    ['warn', 'info', 'warn'],
    'the log is told of each change, once',
  );
});
