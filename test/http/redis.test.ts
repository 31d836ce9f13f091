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
  /** A request of a page on a connection of its own, from that address of this machine (127.0.0.0/8). */
  from: (address: string, method: string, path: string, body: string) => Promise<{ text: string }>;
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
  const send = (method: string, path: string, origin: string, body?: string, localAddress?: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const headers = { origin, 'content-type': 'text/plain' };
      const own = localAddress === undefined ? {} : { localAddress, agent: false };
      const sent = request({ port, host: '127.0.0.1', method, path, headers, ...own }, (response) => {
        let text = '';
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
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
    from: (address, method, path, body) => send(method, path, ORIGIN, body, address),
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

t.test('a drain of 100 numbers by 1,000 addresses leaves numbers for whoever is known', async (t) => {
  // Long enough that no link of the drain ends before the test does, on a slow machine too.
  const { w, from } = await open({ ...signedIn, provisionalMs: 30_000, reservedShare: 0.3 }, [
    { first: '+13125550100', last: '+13125550199' },
  ]);
  t.teardown(() => w.http.close());
  const ask = async (address: string, body: object): Promise<Reply['body']> => {
    const text = JSON.stringify({ ...GOOD, ...body });
    return JSON.parse((await from(address, 'POST', '/v1/allocations', text)).text) as Reply['body'];
  };
  const count = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
  const levels = (all: readonly Reply['body'][]) => all.map(({ level }) => level);

  // Ten visitors looked at their pages before it began: they hold numbers, and have passes.
  const early = await Promise.all(
    count(10, async (i) => {
      const [address, who] = [`127.99.0.${i + 1}`, { session: `early${i}`, visitor: `early${i}` }];
      const { link, number, until } = await ask(address, who);
      const said = JSON.stringify({ ...who, number, until });
      const { text } = await from(address, 'PUT', `/v1/links/${link}`, said);
      const { pass } = JSON.parse(text) as { pass?: string };
      return { ...who, address, link, number, pass };
    }),
  );
  t.ok(
    early.every(({ pass }) => typeof pass === 'string'),
    'they are confirmed',
  );

  const drained: Reply['body'][] = [];
  const stolen = early[0]?.pass;
  const drain = count(1_000, (i) => async () => {
    // Some come with a pass that was made for another, and some with a proof that they made themselves.
    const forged = [{}, { visitor: `drain${i}`, pass: stolen }, { proof: proofOf(`drain${i}`).slice(0, -4) }][
      i % 3
    ];
    drained.push(await ask(`127.${16 + (i >> 8)}.${i & 255}.7`, { session: `drain${i}`, ...forged }));
  });
  for (const some of count(20, (i) => drain.slice(i * 50, i * 50 + 50)))
    await Promise.all(some.map((one) => one()));
  const taken = drained.filter(({ level }) => level === 'session');
  t.equal(drained.length, 1_000);
  t.equal(taken.length, 60, 'of 100 numbers, 30 are kept back and ten are held');
  t.strictSame(
    [...new Set(drained.filter((one) => !taken.includes(one)).map(({ number }) => number))],
    [PRINTED],
    'the others of the drain have the printed number',
  );

  const [kept, confirmed, signed] = await Promise.all([
    Promise.all(early.map(({ address, session, visitor }) => ask(address, { session, visitor }))),
    Promise.all(
      early.map(({ visitor, pass }, i) => ask(`127.99.1.${i + 1}`, { session: `late${i}`, visitor, pass })),
    ),
    Promise.all(
      count(20, (i) => ask(`127.99.2.${i + 1}`, { session: `known${i}`, proof: proofOf(`user${i}`) })),
    ),
  ]);
  t.strictSame(
    kept.map(({ link, number }) => ({ link, number })),
    early.map(({ link, number }) => ({ link, number })),
    'who is on his page keeps his number',
  );
  t.strictSame(
    levels(confirmed),
    Array(10).fill('session'),
    'all confirmed visitors who come back are served',
  );
  t.strictSame(levels(signed), Array(20).fill('session'), 'all visitors who signed in are served');
  const all = [...kept, ...confirmed, ...signed, ...taken].map(({ number }) => number);
  t.equal(new Set(all).size, 100, 'every number of the pool, each for one visitor');
  const none = await Promise.all([
    ask('127.99.3.1', { session: 'stranger' }),
    ask('127.99.3.2', { session: 'known', proof: proofOf('one too many') }),
  ]);
  t.strictSame(levels(none), ['none', 'none'], 'and then there is none');
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
