import fc from 'fast-check';
import t from 'tap';
import { StoreUnavailable } from '../../src/numbers/ports.js';
import { KEY, ORIGIN, OTHER_KEY, OTHER_ORIGIN, PRINTED, T0, World } from './fixture.js';

const GOOD = { endpoint: 'sales', site: 'web', session: 's1' };

interface Reply {
  link: string | null;
  number: string;
  level: string;
}
interface Faults {
  code: string;
  status: number;
  errors: { field: string; expected: string }[];
}

t.test('a page gets a number, the same one again, and one of the first answers is 201', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const first = await w.allocate({
    ...GOOD,
    visitor: 'v1',
    touch: { medium: 'cpc', source: 'ads', clickIds: { gclid: 'x1' } },
  });
  t.equal(first.statusCode, 201);
  const { link } = first.json<Reply>();
  t.strictSame(first.json(), {
    link,
    number: '+12025550100',
    display: '(202) 555-0100',
    level: 'session',
    until: new Date(T0 + 60_000).toISOString(),
    holdMs: 60_000,
    heartbeatMs: 20_000,
  });
  t.match(w.links.links[0]?.request, {
    account: w.acme.id,
    site: w.acme.sites[0]?.id,
    endpoint: w.acme.endpoints[0]?.id,
    session: 's1',
    visitor: 'v1',
    touch: '{"source":"ads","medium":"cpc","clickIds":{"gclid":"x1"}}',
  });
  const again = await w.allocate({
    site: w.acme.sites[0]?.id,
    endpoint: w.acme.endpoints[0]?.id,
    session: 's1',
  });
  t.equal(again.statusCode, 200, 'ids do as names do');
  t.equal(again.json<Reply>().link, link);

  const all = await Promise.all(Array.from({ length: 100 }, () => w.allocate({ ...GOOD, session: 'same' })));
  t.equal(new Set(all.map((one) => one.json<Reply>().number)).size, 1, 'one number for a hundred at once');
  t.equal(all.filter((one) => one.statusCode === 201).length, 1);
  t.equal(all.filter((one) => one.statusCode === 200).length, 99);

  const plain = await w.allocate(JSON.stringify({ ...GOOD, session: 's3' }), {
    'content-type': 'text/plain;charset=UTF-8',
  });
  t.equal(plain.statusCode, 201, 'text/plain is JSON too');
  const text = (await w.metrics.text()).body;
  t.match(text, /tagswitch_allocations_total\{outcome="new"\} 3/);
  t.match(text, /tagswitch_allocations_total\{outcome="kept"\} 100/);
});

t.test('every fault of a body is named at once, and no number is spent', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const long = 'x'.repeat(129);
  const cases: [string, unknown, string[]][] = [
    ['nothing', {}, ['endpoint', 'session', 'site']],
    ['no session', { endpoint: 'sales', site: 'web' }, ['session']],
    [
      'all wrong',
      { endpoint: 5, site: '', session: 'a b', visitor: null },
      ['endpoint', 'session', 'site', 'visitor'],
    ],
    ['too long', { endpoint: long, site: long, session: long }, ['endpoint', 'session', 'site']],
    ['a line feed', { ...GOOD, session: 's\n' }, ['session']],
    ['unknown members', { ...GOOD, sesion: 1, 'a/b~c': 1 }, ['a/b~c', 'sesion']],
    ['an array', [], ['body']],
    ['text', '"hello"', ['body']],
    ['null', 'null', ['body']],
    ['an empty body', '', ['body']],
    ['touch no object', { ...GOOD, touch: 'ads' }, ['touch']],
    [
      'touch',
      {
        ...GOOD,
        touch: { source: 1, campaign: 'x'.repeat(257), referrer: 'a\u0000b', landingPage: 'a\r\nb', what: 1 },
      },
      ['touch.campaign', 'touch.landingPage', 'touch.referrer', 'touch.source', 'touch.what'],
    ],
    ['click ids', { ...GOOD, touch: { clickIds: { gclid: 1 } } }, ['touch.clickIds.gclid']],
    ['click id names', { ...GOOD, touch: { clickIds: { 'g clid': 'x' } } }, ['touch.clickIds.g clid']],
    ['tag', { ...GOOD, tag: '' }, ['tag']],
    ['an unknown site', { ...GOOD, site: 'nowhere' }, ['site']],
    ['an unknown endpoint', { ...GOOD, endpoint: 'nobody' }, ['endpoint']],
    ["another account's endpoint", { ...GOOD, endpoint: w.other.endpoints[0]?.id }, ['endpoint']],
  ];
  for (const [name, body, fields] of cases) {
    const reply = await w.allocate(body);
    t.equal(reply.statusCode, 400, name);
    t.match(reply.headers['content-type'], /^application\/problem\+json/, name);
    const problem = reply.json<Faults>();
    t.match(problem, { code: 'badValue', status: 400, type: 'urn:tagswitch:problem:badValue' });
    t.strictSame(problem.errors.map(({ field }) => field).sort(), fields, name);
    t.ok(
      problem.errors.every(({ expected }) => expected.length > 0 && expected !== 'another value'),
      name,
    );
  }
  const closed = await w.allocate(
    { endpoint: 'sales', site: 'closed', session: 's' },
    { origin: OTHER_ORIGIN },
  );
  t.equal(closed.json<Faults>().errors[0]?.field, 'endpoint', 'an endpoint that the site may not name');

  for (const bad of ['{', '{"a":1,}', '{"__proto__":{}}', Buffer.from([0x22, 0xff, 0x22])]) {
    const reply = await w.allocate(bad);
    t.match(reply.json(), { code: 'badJson', status: 400 });
  }
  t.match((await w.allocate('x'.repeat(2049))).json(), { code: 'bodyTooLarge', status: 413 });
  t.match((await w.allocate(GOOD, { 'content-type': 'application/xml' })).json(), {
    code: 'mediaType',
    status: 415,
  });
  t.equal(w.links.asked, 0, 'nothing reached the numbers');
});

t.test('whatever the body is, it is answered without a 5xx and spends no number', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const value = fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom('web', 'sales', 's1', 'v1'));
  const shaped = fc.record(
    {
      endpoint: value,
      site: value,
      session: value,
      visitor: value,
      touch: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), value)),
      tag: value,
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    shaped.map((one) => JSON.stringify(one)),
    fc.json(),
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary', maxLength: 2500 }),
  );
  await fc.assert(
    fc.asyncProperty(
      body,
      fc.constantFrom('application/json', 'text/plain', 'text/html', ''),
      async (payload, type) => {
        // A site that nobody has: a body that chance made whole still spends nothing.
        const text = typeof payload === 'string' ? payload.replaceAll('"web"', '"nowhere"') : payload;
        const reply = await w.allocate(text, { 'content-type': type });
        if (reply.statusCode >= 500 || reply.statusCode < 400)
          throw new Error(`${reply.statusCode} ${reply.body}`);
        if (!String(reply.headers['content-type']).startsWith('application/problem+json'))
          throw new Error('no problem+json');
      },
    ),
    { numRuns: 300 },
  );
  t.equal(w.links.asked, 0);
  t.equal(w.logger.lines.length, 0, 'nothing of it is logged');
});

t.test('origins, keys and CORS', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const ask = (headers: Record<string, string>, body: unknown = GOOD) =>
    w.http.inject({
      method: 'POST',
      url: '/v1/allocations',
      headers: { 'content-type': 'application/json', ...headers },
      payload: JSON.stringify(body),
    });
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
  const rows: [string, Record<string, string>, unknown, number, string | undefined, string | undefined][] = [
    ['the origin of the site', { origin: ORIGIN }, GOOD, 201, undefined, ORIGIN],
    ['of another site of the account', { origin: OTHER_ORIGIN }, GOOD, 403, 'originNotListed', OTHER_ORIGIN],
    [
      'of another account with a site of this name',
      { origin: 'https://other.example.com' },
      { ...GOOD, session: 'o' },
      201,
      undefined,
      'https://other.example.com',
    ],
    [
      "another account's site by id",
      { origin: 'https://other.example.com' },
      { ...GOOD, site: w.acme.sites[0]?.id },
      403,
      'originNotListed',
      'https://other.example.com',
    ],
    ['of nobody', { origin: 'https://evil.example.com' }, GOOD, 403, 'originNotListed', undefined],
    ['no prefix', { origin: `${ORIGIN}.evil.example` }, GOOD, 403, 'originNotListed', undefined],
    ['other case', { origin: ORIGIN.toUpperCase() }, GOOD, 403, 'originNotListed', undefined],
    ['http for https', { origin: ORIGIN.replace('https', 'http') }, GOOD, 403, 'originNotListed', undefined],
    ['null', { origin: 'null' }, GOOD, 403, 'originNotListed', undefined],
    [
      'a key does not make an origin good',
      { origin: 'https://evil.example.com', ...bearer(KEY) },
      GOOD,
      403,
      'originNotListed',
      undefined,
    ],
    ['nothing', {}, GOOD, 401, 'keyMissing', undefined],
    ['a key', bearer(KEY), { ...GOOD, session: 'k' }, 201, undefined, undefined],
    ['a wrong key', bearer('nope'), GOOD, 401, 'keyUnknown', undefined],
    ['no Bearer', { authorization: `Basic ${KEY}` }, GOOD, 401, 'keyMissing', undefined],
    [
      "another account's key and our site",
      bearer(OTHER_KEY),
      { ...GOOD, site: w.acme.sites[0]?.id },
      400,
      'badValue',
      undefined,
    ],
  ];
  for (const [name, headers, body, status, code, allowed] of rows) {
    const reply = await ask(headers, body);
    t.equal(reply.statusCode, status, name);
    t.equal(reply.json<{ code?: string }>().code, code, name);
    t.equal(reply.headers['access-control-allow-origin'], allowed, name);
    t.equal(reply.headers.vary, 'Origin', name);
    t.equal(reply.headers['access-control-allow-credentials'], undefined, name);
    t.equal(reply.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined, name);
  }
  for (const [url, methods] of [
    ['/v1/allocations', 'POST'],
    ['/v1/links/lnk_x', 'PUT, DELETE'],
    ['/v1/links/lnk_x/leave', 'POST'],
  ] as const) {
    const listed = await w.http.inject({
      method: 'OPTIONS',
      url,
      headers: { origin: ORIGIN, 'access-control-request-method': 'POST' },
    });
    t.equal(listed.statusCode, 204, url);
    t.match(listed.headers, {
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': methods,
      'access-control-allow-headers': 'content-type',
      vary: 'Origin',
    });
    const stranger = await w.http.inject({
      method: 'OPTIONS',
      url,
      headers: { origin: 'https://evil.example.com' },
    });
    t.equal(stranger.statusCode, 403, url);
    t.equal(stranger.headers['access-control-allow-origin'], undefined, url);
  }
});

t.test(
  'the page keeps its printed number: pool empty, store down, bots, too many from one address',
  async (t) => {
    const printed = { link: null, number: PRINTED, display: '(202) 555-0199', level: 'none', until: null };
    await t.test('pool empty', async (t) => {
      const w = new World({}, undefined, ['+12025550100']);
      t.teardown(() => w.http.close());
      t.equal((await w.allocate(GOOD)).statusCode, 201);
      const reply = await w.allocate({ ...GOOD, session: 's2' });
      t.equal(reply.statusCode, 200);
      t.match(reply.json(), printed);
      w.now += 60_000;
      t.match((await w.allocate({ ...GOOD, session: 's2' })).json(), {
        number: '+12025550100',
        level: 'session',
      });
    });
    await t.test('store down, said once to the log', async (t) => {
      const w = new World();
      t.teardown(() => w.http.close());
      w.links.failure = new StoreUnavailable('no answer');
      for (let i = 0; i < 3; i++) {
        const reply = await w.allocate(GOOD);
        t.equal(reply.statusCode, 200);
        t.match(reply.json(), printed);
      }
      t.equal(w.logger.lines.length, 1);
      w.links.failure = undefined;
      t.equal((await w.allocate(GOOD)).statusCode, 201);
      t.equal(w.logger.lines.length, 2);
      w.links.failure = new TypeError(`a fault of ours with ${PRINTED}`);
      const broken = await w.allocate(GOOD);
      t.match(broken.json(), { code: 'internal', status: 500 });
      t.notMatch(broken.body, PRINTED, 'what broke is not told');
      t.match(w.logger.lines.at(-1), {
        level: 'error',
        fields: { requestId: broken.json<{ requestId: string }>().requestId },
      });
    });
    await t.test('bots', async (t) => {
      const w = new World();
      t.teardown(() => w.http.close());
      for (const agent of [
        'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
        'Mozilla/5.0 (compatible; bingbot/2.0)',
        'facebookexternalhit/1.1',
        'Mozilla/5.0 (X11) Chrome-Lighthouse',
      ]) {
        t.match((await w.allocate(GOOD, { 'user-agent': agent })).json(), printed, agent);
      }
      t.equal(w.links.asked, 0);
      const phone =
        'Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36';
      t.equal((await w.allocate(GOOD, { 'user-agent': phone })).statusCode, 201, 'a telephone, no bot');
    });
    await t.test('one address', async (t) => {
      const w = new World({ newLinks: { address: { burst: 3, perSecond: 1 } } });
      t.teardown(() => w.http.close());
      for (const session of ['a', 'a', 'a', 'b', 'b', 'c']) {
        t.type((await w.allocate({ ...GOOD, session })).json<Reply>().link, 'string', session);
      }
      t.equal(w.links.links.length, 3, 'a link that lives costs nothing');
      t.match((await w.allocate({ ...GOOD, session: 'd' })).json(), printed, 'the fourth new one');
      const keyed = await w.http.inject({
        method: 'POST',
        url: '/v1/allocations',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        payload: JSON.stringify({ ...GOOD, session: 'e' }),
      });
      t.equal(keyed.statusCode, 201, 'a server asks for all its visitors');
      const elsewhere = await w.http.inject({
        method: 'POST',
        url: '/v1/allocations',
        remoteAddress: '192.0.2.7',
        headers: { origin: ORIGIN, 'content-type': 'application/json' },
        payload: JSON.stringify({ ...GOOD, session: 'f' }),
      });
      t.equal(elsewhere.statusCode, 201, 'another address');
      const forwarded = (session: string, world: World, from: string) =>
        world.allocate({ ...GOOD, session }, { 'x-forwarded-for': from });
      const own = (await forwarded('g', w, '192.0.2.8')).json<Reply>();
      t.equal(own.link, null, 'nobody may name his own address');
      const behind = new World({
        newLinks: { address: { burst: 1, perSecond: 1 } },
        trustedProxies: ['127.0.0.0/8'],
      });
      t.teardown(() => behind.http.close());
      t.equal((await forwarded('a', behind, '192.0.2.8')).statusCode, 201, 'but our own proxy may');
      t.equal((await forwarded('b', behind, '192.0.2.9')).statusCode, 201);
      const spoofed = (await forwarded('c', behind, '198.51.100.1, 192.0.2.9')).json<Reply>();
      t.equal(spoofed.link, null, 'it speaks for the nearest stranger, who may name nobody');
      w.now += 1_000;
      t.equal((await w.allocate({ ...GOOD, session: 'd' })).statusCode, 201, 'a second later');
      t.match((await w.metrics.text()).body, /outcome="busyAddress"\} 2/);
    });
  },
);
