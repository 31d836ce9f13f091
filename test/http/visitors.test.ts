import { generateKeyPairSync, sign } from 'node:crypto';
import t from 'tap';
import type { Site } from '../../src/directory/model.js';
import type { NewLinkRates } from '../../src/http/new-links.js';
import { StoreUnavailable } from '../../src/numbers/ports.js';
import { personOf } from '../../src/visitors/person.js';
import { makePass } from '../../src/visitors/pass.js';
import { KEY, makeDirectory, ORIGIN, OTHER_KEY, passKey, personKey, PRINTED, T0, World } from './fixture.js';

const GOOD = { endpoint: 'sales', site: 'web', session: 's1' };
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const visitorKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const bearer = { authorization: `Bearer ${KEY}` };

function proof(over: object = {}): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'someone@example.com', aud: 'web', exp: T0 / 1000 + 600, ...over };
  const text = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

const open = (t: Tap, life: Partial<Site>, numbers?: readonly string[], rates?: NewLinkRates) => {
  const w = new World(
    rates === undefined ? {} : { newLinks: rates },
    makeDirectory(undefined, undefined, life),
    numbers,
  );
  t.teardown(() => w.http.close());
  return w;
};
type Tap = { teardown(what: () => Promise<void>): void };

const fields = (reply: { json<T>(): T }) =>
  reply
    .json<{ errors?: { field: string }[] }>()
    .errors?.map(({ field }) => field)
    .sort();

t.test('what a page may say beside its session goes to the numbers', async (t) => {
  const w = open(t, {});
  const parameters = { publisher: 'Daily', placement: 'top', item: 'a-1' };
  const first = await w.allocate({ ...GOOD, bucket: 'cpc', area: '+1202', parameters });
  t.equal(first.statusCode, 201);
  t.match(w.links.links[0]?.request, {
    bucket: 'cpc',
    area: '+1202',
    parameters: '{"item":"a-1","placement":"top","publisher":"Daily"}',
  });
  t.notOk('known' in (w.links.links[0]?.request ?? {}), 'a stranger');
  t.equal(
    (await w.allocate({ ...GOOD, session: undefined, parameters })).statusCode,
    201,
    'parameters instead of a session',
  );

  for (const [name, over, faulty] of [
    ['a session of ours', { session: '~v:x' }, ['session']],
    ['no parameters', { parameters: {} }, ['parameters']],
    [
      'nine parameters',
      { parameters: Object.fromEntries([...'abcdefghi'].map((one) => [one, 'x'])) },
      ['parameters'],
    ],
    ['names', { parameters: { 'a b': 'x' } }, ['parameters.a b']],
    [
      'values',
      { parameters: { a: 1, b: 'x'.repeat(129), c: 'a\n', d: '' } },
      ['parameters.a', 'parameters.b', 'parameters.c', 'parameters.d'],
    ],
    [
      'all of it',
      { bucket: 'a b', area: '1202', proof: 1, pass: null, session: undefined },
      ['area', 'bucket', 'pass', 'proof', 'session'],
    ],
  ] as const) {
    const reply = await w.allocate({ ...GOOD, ...over });
    t.equal(reply.statusCode, 400, name);
    t.strictSame(fields(reply), faulty, name);
    t.notMatch(reply.body, '"another value"', name);
  }
  t.equal(w.links.asked, 2);
});

t.test(
  'S12.1 who signed in is known by a hash; a bad proof breaks no page, and is told to a server',
  async (t) => {
    const w = open(t, { visitorKey });
    t.equal((await w.allocate({ ...GOOD, proof: proof() })).statusCode, 201);
    const site = w.acme.sites[0]?.id ?? '';
    const request = w.links.links[0]?.request;
    t.match(request, { known: true, person: personOf(personKey, site, 'someone@example.com') });
    t.notMatch(JSON.stringify(request), 'example.com', 'no e-mail address goes further');

    const bad = [proof({ aud: 'shop' }), proof({ exp: T0 / 1000 }), 'x.y.z', '', 'x'.repeat(1_100)];
    for (const [i, one] of bad.entries()) {
      t.equal(
        (await w.allocate({ ...GOOD, session: `bad${i}`, proof: one })).statusCode,
        201,
        one.slice(0, 10),
      );
      t.notOk('known' in (w.links.links.at(-1)?.request ?? {}), 'as a stranger');
      const server = await w.http.inject({
        method: 'POST',
        url: '/v1/allocations',
        headers: bearer,
        payload: { ...GOOD, proof: one, pass: 'x' },
      });
      t.equal(server.statusCode, 400);
      t.strictSame(fields(server), ['pass', 'proof']);
    }
    t.match((await w.metrics.text()).body, /visitor_proofs_total\{what="badProof"\} 10/);
    t.match((await w.metrics.text()).body, /visitor_proofs_total\{what="proof"\} 1/);

    const without = open(t, {});
    t.equal((await without.allocate({ ...GOOD, proof: proof() })).statusCode, 201);
    t.notOk('person' in (without.links.links[0]?.request ?? {}), 'a site without a key believes nobody');
  },
);

t.test(
  'a fresh link is confirmed by a heartbeat, and its visitor known by a pass from then on',
  async (t) => {
    const w = open(t, { provisionalMs: 10_000 });
    const made = await w.allocate({ ...GOOD, visitor: 'v1' });
    const { link, until, number } = made.json<{ link: string; until: string; number: string }>();
    t.match(made.json(), { confirmMs: 10_000, until: new Date(T0 + 10_000).toISOString() });
    const put = (body?: object | string, headers: object = { origin: ORIGIN }) =>
      w.http.inject({
        method: 'PUT',
        url: `/v1/links/${link}`,
        headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
        ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
    const claim = { session: 's1', visitor: 'v1', number, until };
    const confirmed = await put(claim);
    t.equal(confirmed.statusCode, 200);
    t.strictSame(w.links.claims[0], { session: 's1', number, until: T0 + 10_000 }, 'what the page was told');
    const { pass } = confirmed.json<{ pass: string }>();
    const site = w.acme.sites[0]?.id ?? '';
    t.equal(pass, makePass(passKey, { site, visitor: 'v1' }, T0 + 30 * 86_400_000));
    t.notOk('pass' in (await put(claim)).json<object>(), 'once');
    t.notOk('confirmMs' in (await w.allocate({ ...GOOD, visitor: 'v1' })).json<object>());

    const again = await w.allocate({ ...GOOD, session: 's2', visitor: 'v1', pass });
    t.notOk('confirmMs' in again.json<object>(), 'his next link needs no confirmation');
    t.match(w.links.links[1]?.request, { known: true });
    for (const [name, over] of [
      ['of another visitor', { visitor: 'v2' }],
      ['without a visitor', {}],
    ] as const) {
      t.ok(
        'confirmMs' in
          (await w.allocate({ ...GOOD, session: name.replaceAll(' ', '-'), ...over, pass })).json<object>(),
        name,
      );
    }
    w.now += 31 * 86_400_000;
    await w.allocate({ ...GOOD, session: 's3', visitor: 'v1', pass });
    t.notOk('known' in (w.links.links.at(-1)?.request ?? {}), 'it has ended');
    w.now = T0;
    t.equal((await put()).statusCode, 200, 'a heartbeat that says nothing');
    t.strictSame(w.links.claims.at(-1), {});
    for (const [body, faulty] of [
      [
        { number: '202', until: 'soon', session: '~x', visitor: '', more: 1 },
        ['more', 'number', 'session', 'until', 'visitor'],
      ],
      [[], ['body']],
      ['null', ['body']],
    ] as const) {
      const reply = await put(body);
      t.equal(reply.statusCode, 400);
      t.strictSame(fields(reply), faulty);
    }
    const text = (await w.metrics.text()).body;
    t.match(text, /links_total\{step="confirmed"\} 1/);
    t.match(text, /links_total\{step="renewed"\} 2/);
    t.match(text, /visitor_proofs_total\{what="badPass"\} 3/);

    const counted = open(t, { bucket: { criteria: ['source'], threshold: 1, switchAt: 'above', backAt: 0 } });
    const one = (await counted.allocate(GOOD)).json<{ link: string }>();
    await counted.http.inject({ method: 'PUT', url: `/v1/links/${one.link}`, headers: { origin: ORIGIN } });
    t.strictSame(
      counted.links.claims[0],
      { counting: [counted.acme.sites[0]?.id] },
      'sites whose sessions are counted',
    );
  },
);

t.test('a tap on the number is told by a beacon', async (t) => {
  const w = open(t, {});
  const { link } = (await w.allocate(GOOD)).json<{ link: string }>();
  const tap = (headers: object, id = link) =>
    w.http.inject({
      method: 'POST',
      url: `/v1/links/${id}/tap`,
      headers: { 'content-type': 'text/plain', ...headers },
    });
  t.equal((await tap({ origin: ORIGIN })).statusCode, 204);
  t.equal(w.links.links[0]?.tapped, 1);
  t.equal((await tap({ origin: 'https://evil.example.com' })).statusCode, 403);
  t.equal((await tap({ origin: 'https://other.example.com' })).statusCode, 404);
  t.equal(
    (await tap({ origin: ORIGIN }, `${link.slice(0, -1)}${link.endsWith('0') ? '1' : '0'}`)).statusCode,
    204,
  );
  t.equal(w.links.links[0]?.tapped, 1);
  w.links.failure = new StoreUnavailable('down');
  t.equal((await tap({ origin: ORIGIN })).statusCode, 503);
  t.match((await w.metrics.text()).body, /links_total\{step="tapped"\} 1/);
});

t.test('S12.2 a person is taken apart by whoever has the key', async (t) => {
  const w = open(t, { visitorKey });
  const site = w.acme.sites[0]?.id ?? '';
  const unmerge = (payload: object, headers: object = bearer) =>
    w.http.inject({ method: 'POST', url: '/v1/visitors/unmerge', headers: { ...headers }, payload });
  const person = personOf(personKey, site, 'someone@example.com');
  const asked = { site, person, endpoints: w.acme.endpoints.map(({ id }) => id) };
  t.equal((await unmerge({ site: 'web', person })).statusCode, 204);
  t.equal((await unmerge({ site, subject: 'someone@example.com' })).statusCode, 204);
  t.strictSame(w.links.parted, [asked, asked], 'by either name');
  t.equal((await unmerge({ site, person }, {})).statusCode, 401);
  t.equal((await unmerge({ site, person }, { authorization: `Bearer ${OTHER_KEY}` })).statusCode, 400);
  for (const [body, faulty] of [
    [{}, ['site']],
    [{ site }, ['person']],
    [{ site, person, subject: 'x' }, ['person']],
    [{ site, person: 'short', more: 1 }, ['more', 'person']],
  ] as const) {
    const reply = await unmerge(body);
    t.equal(reply.statusCode, 400);
    t.strictSame(fields(reply), faulty);
  }
  t.equal(w.links.parted.length, 2);
  w.links.failure = new StoreUnavailable('down');
  t.equal((await unmerge({ site, person })).statusCode, 503);
});

t.test('many at once: each row by itself, one round trip for all, by key alone', async (t) => {
  const w = open(t, { visitorKey }, ['+12025550100', '+12025550101']);
  const bulk = (items: unknown, headers: object = bearer) =>
    w.http.inject({
      method: 'POST',
      url: '/v1/allocations/bulk',
      headers: { ...headers },
      payload: { items } as object,
    });
  const reply = await bulk([
    GOOD,
    { ...GOOD, session: 's2', touch: { source: 1 } },
    { ...GOOD, session: 's2', proof: 'bad' },
    { ...GOOD, site: 'nowhere' },
    { ...GOOD, session: 's2' },
    5,
    GOOD,
    { ...GOOD, session: 's3', touch: { referrer: 'x'.repeat(1_000) } },
  ]);
  t.equal(reply.statusCode, 200);
  const { items } = reply.json<{ items: Record<string, unknown>[] }>();
  t.match(items, [
    { status: 201, number: '+12025550100', level: 'session' },
    { status: 400, code: 'badValue', errors: [{ field: 'touch.source' }] },
    { status: 400, code: 'badValue', errors: [{ field: 'proof' }] },
    { status: 400, code: 'badValue', errors: [{ field: 'site' }] },
    { status: 201, number: '+12025550101' },
    { status: 400, code: 'badValue', errors: [{ field: 'body' }] },
    { status: 200, number: '+12025550100' },
    { status: 200, number: PRINTED, level: 'none', link: null },
  ]);
  t.equal(items.length, 8);
  w.links.failure = new TypeError('a fault of ours');
  t.match((await bulk([GOOD])).json(), { items: [{ status: 500, code: 'internal' }] });
  t.equal(w.logger.lines.length, 1, 'it is logged');
  w.links.failure = undefined;

  t.equal((await bulk([GOOD], { origin: ORIGIN })).statusCode, 401, 'no page');
  t.equal(
    (await bulk([GOOD], { ...bearer, origin: ORIGIN })).headers['access-control-allow-origin'],
    undefined,
  );
  for (const [items, faulty] of [
    [[], ['items']],
    [undefined, ['items']],
    [Array.from({ length: 101 }, () => GOOD), ['items']],
  ] as const) {
    const refused = await bulk(items);
    t.equal(refused.statusCode, 400);
    t.strictSame(fields(refused), faulty);
  }
  t.equal(
    (await bulk(Array.from({ length: 100 }, () => ({ ...GOOD, x: 'x'.repeat(3_000) })))).statusCode,
    413,
  );
  const hundred = await bulk(
    Array.from({ length: 100 }, () => ({ ...GOOD, touch: { referrer: 'x'.repeat(1_000) } })),
  );
  t.equal(hundred.json<{ items: unknown[] }>().items.length, 100, 'a hundred whole ones fit');
});

t.test(
  'too many new links: who has a number keeps it, strangers share, who is known is served',
  async (t) => {
    const overflow = { degrade: ['session', 'overflow'], overflowNumber: '+12025550190' } as const;
    const w = open(t, { ...overflow, visitorKey, newLinksPerSecond: 1 });
    t.equal((await w.allocate(GOOD)).statusCode, 201);
    const stranger = { number: '+12025550190', level: 'overflow', link: null };
    t.match((await w.allocate({ ...GOOD, session: 's2' })).json(), stranger);
    t.equal((await w.allocate({ ...GOOD, session: 's3', proof: proof() })).statusCode, 201, 'signed in');
    t.match((await w.allocate(GOOD)).json(), { number: '+12025550100', level: 'session' }, 'he has it');
    w.now += 1_000;
    t.match((await w.allocate({ ...GOOD, session: 's2' })).json(), { level: 'session' }, 'a second later');
    t.match((await w.metrics.text()).body, /outcome="overflow"\} 1/);

    const block = open(t, {}, undefined, { block: { burst: 2, perSecond: 1 } });
    const from = (remoteAddress: string, session: string) =>
      block.http.inject({
        method: 'POST',
        url: '/v1/allocations',
        remoteAddress,
        headers: { origin: ORIGIN },
        payload: { ...GOOD, session },
      });
    for (const i of [1, 2]) t.equal((await from(`192.0.2.${i}`, `b${i}`)).statusCode, 201);
    t.match(
      (await from('192.0.2.3', 'b3')).json(),
      { level: 'none', number: PRINTED },
      'the third of a block',
    );
    t.match((await from('192.0.2.3', 'b1')).json(), { level: 'session' }, 'but for what somebody has');
    t.equal((await from('192.0.3.1', 'b4')).statusCode, 201, 'another block');
    t.match((await block.metrics.text()).body, /outcome="busyBlock"\} 1/);
  },
);

t.test("an embedded site's tags stand on any page, by their signature alone", async (t) => {
  const w = open(t, { embedded: true });
  const elsewhere = { origin: 'https://partner.example.net' };
  const tags = await w.http.inject({
    method: 'POST',
    url: '/v1/tags',
    headers: bearer,
    payload: { site: 'web', endpoint: 'sales' },
  });
  const tag = /data-tag="([^"]+)"/.exec(tags.json<{ communicationTag: string }>().communicationTag)?.[1];
  const site = w.acme.sites[0]?.id;
  const ask = (over: object, headers: Record<string, string> = elsewhere) =>
    w.allocate({ ...GOOD, site, ...over }, headers);
  t.match((await ask({})).json(), { code: 'originNotListed', status: 403 }, 'no signature');
  t.match((await ask({ tag: 'x'.repeat(22) })).json(), { code: 'tagAltered', status: 403 });
  t.match((await ask({ tag, endpoint: 'service' })).json(), { code: 'tagAltered', status: 403 });
  t.equal(w.links.asked, 0);
  const made = await ask({ tag });
  t.equal(made.statusCode, 201);
  t.equal(made.headers['access-control-allow-origin'], elsewhere.origin);
  t.equal((await ask({ session: 's2' }, { origin: ORIGIN })).statusCode, 201, 'its own pages need none');
  const { link } = made.json<{ link: string }>();
  const kept = await w.http.inject({ method: 'PUT', url: `/v1/links/${link}`, headers: elsewhere });
  t.equal(kept.statusCode, 200);
  const preflight = await w.http.inject({ method: 'OPTIONS', url: `/v1/links/${link}`, headers: elsewhere });
  t.equal(preflight.statusCode, 204);
  const other = await w.allocate({ ...GOOD, site: w.other.sites[0]?.id, tag }, elsewhere);
  t.equal(other.statusCode, 403, 'no other site');
});
