import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import type { CallRecord } from '../../src/calls/record.js';
import { parseCallQuery } from '../../src/http/call-query.js';
import { Connections } from '../../src/http/connections.js';
import { NewLinks } from '../../src/http/new-links.js';
import { problems } from '../../src/http/problems.js';
import { TokenBuckets } from '../../src/http/token-buckets.js';
import { StoreUnavailable } from '../../src/numbers/ports.js';
import { mintId } from '../../src/ids.js';
import {
  FakeCallLog,
  KEY,
  makeDirectory,
  makeRecord,
  ORIGIN,
  OTHER_KEY,
  OTHER_ORIGIN,
  T0,
  World,
} from './fixture.js';

const GOOD = { endpoint: 'sales', site: 'web', session: 's1' };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

t.test('a link is kept, left and ended, by its own site alone', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const { link } = (await w.allocate(GOOD)).json<{ link: string }>();
  const put = (headers: Record<string, string> = { origin: ORIGIN }, id = link) =>
    w.http.inject({ method: 'PUT', url: `/v1/links/${id}`, headers });
  w.now += 30_000;
  const kept = await put();
  t.equal(kept.statusCode, 200);
  t.strictSame(kept.json(), {
    link,
    number: '+12025550100',
    until: new Date(T0 + 90_000).toISOString(),
    holdMs: 60_000,
    heartbeatMs: 20_000,
  });
  t.equal(kept.headers['access-control-allow-origin'], ORIGIN);
  t.equal((await put(bearer(KEY))).statusCode, 200, 'a key of the account');

  for (const [name, headers, status, code] of [
    ['another site of the account', { origin: OTHER_ORIGIN }, 410, 'linkEnded'],
    ["another account's origin", { origin: 'https://other.example.com' }, 404, 'linkNotFound'],
    ["nobody's origin", { origin: 'https://evil.example.com' }, 403, 'originNotListed'],
    ["another account's key", bearer(OTHER_KEY), 404, 'linkNotFound'],
    ['no key', {}, 401, 'keyMissing'],
  ] as const) {
    for (const [method, url] of [
      ['PUT', `/v1/links/${link}`],
      ['DELETE', `/v1/links/${link}`],
      ['POST', `/v1/links/${link}/leave`],
    ] as const) {
      const reply = await w.http.inject({ method, url, headers });
      const quiet = status === 410 && method !== 'PUT'; // ending what is not there is no fault
      t.equal(reply.statusCode, quiet ? 204 : status, `${method} by ${name}`);
      if (!quiet) t.match(reply.json(), { code, status });
    }
  }
  t.equal(w.links.live.length, 1, 'and it lives on');
  for (const id of ['x', 'lnk_', `${link}x`, 'lnk_00000000000000000000000000000000', '%2f']) {
    t.match((await put({ origin: ORIGIN }, id)).json(), { code: 'linkNotFound', status: 404 }, id);
  }
  t.match(
    (await put({ origin: ORIGIN }, `${link.slice(0, -4)}0000`)).json(),
    { code: 'linkEnded' },
    'forgotten by the store',
  );
  t.match((await put({ origin: ORIGIN }, 'x'.repeat(300))).statusCode, 414);

  const leave = await w.http.inject({
    method: 'POST',
    url: `/v1/links/${link}/leave`,
    headers: { origin: ORIGIN, 'content-type': 'text/plain;charset=UTF-8' },
  });
  t.equal(leave.statusCode, 204);
  t.equal(w.links.links[0]?.until, w.now + 25_000, 'ends a heartbeat and 5 s later');
  t.equal((await put()).statusCode, 200, 'unless another tab is heard');
  t.equal(w.links.links[0]?.until, w.now + 60_000);

  const remove = () =>
    w.http.inject({ method: 'DELETE', url: `/v1/links/${link}`, headers: { origin: ORIGIN } });
  t.equal((await remove()).statusCode, 204);
  t.equal(w.links.live.length, 0, 'at once');
  t.match((await put()).json(), { code: 'linkEnded', status: 410 });
  t.equal((await remove()).statusCode, 204, 'twice is no fault');
  w.links.failure = new StoreUnavailable('down');
  const down = await put();
  t.match(down.json(), { code: 'storeDown', status: 503 });
  t.equal(down.headers['retry-after'], '2');
});

t.test('S1.1 tags are bound to their two ids', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const make = (body: unknown, headers: Record<string, string> = bearer(KEY)) =>
    w.http.inject({
      method: 'POST',
      url: '/v1/tags',
      headers: { 'content-type': 'application/json', host: 'numbers.example.com', ...headers },
      payload: JSON.stringify(body),
    });
  const made = await make({ endpoint: 'sales', site: 'web' });
  t.equal(made.statusCode, 201);
  const tags = made.json<{ communicationTag: string; analyticsTag: string; snippet: string }>();
  t.equal(tags.snippet, tags.communicationTag, 'both tags are in one element');
  t.match(tags.snippet, ' data-number="+1 2025550199"', 'with a blank after the country code');
  t.strictSame(
    (await make({ endpoint: w.acme.endpoints[0]?.id, site: w.acme.sites[0]?.id })).json(),
    tags,
    'the same for ever',
  );
  t.match(
    tags.communicationTag,
    `data-site="${w.acme.sites[0]?.id}" data-endpoint="${w.acme.endpoints[0]?.id}"`,
  );
  const signature = /data-tag="([^"]+)"/.exec(tags.communicationTag)?.[1] ?? '';

  for (const [name, over, status] of [
    ['as made', {}, 201],
    ['another endpoint', { endpoint: 'service' }, 403],
    ['a changed signature', { tag: `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}` }, 403],
    ['a cut signature', { tag: signature.slice(0, 10) }, 403],
  ] as const) {
    const reply = await w.allocate({ ...GOOD, tag: signature, ...over });
    t.equal(reply.statusCode, status, name);
    if (status === 403) t.match(reply.json(), { code: 'tagAltered' });
  }
  t.equal(w.links.asked, 1, 'altered ids spend nothing');
  for (const [body, fields] of [
    [{}, ['endpoint', 'site']],
    [{ endpoint: 'x', site: 'y' }, ['endpoint', 'site']],
    [{ endpoint: 'sales', site: 'closed' }, ['endpoint']],
    [{ endpoint: 'sales', site: 'web', more: 1 }, ['more']],
  ] as const) {
    const reply = await make(body);
    t.equal(reply.statusCode, 400);
    t.strictSame(
      reply
        .json<{ errors: { field: string }[] }>()
        .errors.map(({ field }) => field)
        .sort(),
      fields,
    );
  }
  t.equal((await make({ endpoint: 'sales', site: 'web' }, {})).statusCode, 401);

  for (const tag of [tags.analyticsTag, tags.communicationTag]) {
    const [, src = '', integrity = ''] =
      /src="http:\/\/numbers\.example\.com(\/t\/[0-9a-f]{20}\.js)" integrity="(sha384-[^"]+)"/.exec(tag) ??
      [];
    const script = await w.http.inject({ method: 'GET', url: src });
    t.equal(script.statusCode, 200, src);
    t.match(script.headers, {
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'access-control-allow-origin': '*',
    });
    t.equal(`sha384-${createHash('sha384').update(script.rawPayload).digest('base64')}`, integrity);
  }
});

t.test('the tags stay small, and hold nothing that a strict policy refuses', async (t) => {
  const read = (name: string) => readFileSync(new URL(`../../tag/${name}.js`, import.meta.url));
  const loader = read('loader');
  const size = gzipSync(loader, { level: 9 }).length;
  t.ok(size <= 4_096, `${size} bytes of gzip, 4,096 at most`);
  t.ok(loader.length <= 8_400, `${loader.length} bytes as they are, 8,400 at most`);
  t.ok(gzipSync(read('debug'), { level: 9 }).length <= 8_192, 'the overlay: 8 KB of gzip');
  for (const code of [loader, ...['debug', 'demo', 'playground', 'playground-page'].map(read)]) {
    t.notMatch(
      code.toString(),
      /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|\bon\w+=/,
    );
  }
});

t.test('calls are read by their account, with filters', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const site = w.acme.sites[0]?.id ?? '';
  const endpoint = w.acme.endpoints[0]?.id ?? '';
  const own = [0, 1, 2].map((i) =>
    makeRecord({ account: w.acme.id, site, endpoint, startedAt: T0 + i, number: `+1202555010${i}` }),
  );
  const live = makeRecord({
    account: w.acme.id,
    caller: null,
    touch: null,
    answeredAt: null,
    endedAt: null,
    talkMs: null,
    result: null,
    reason: null,
    fault: null,
  });
  const unreadable = makeRecord({ account: w.acme.id, caller: 'other:+14155550123', touch: 'no json' });
  const others = makeRecord({ account: w.other.id });
  w.callLog.records.push(...own, live, unreadable, others);
  const id = own[0]?.id ?? '';
  w.callLog.steps.push(
    {
      v: 1,
      kind: 'received',
      account: w.acme.id,
      call: id,
      seq: 1,
      at: T0,
      number: '+12025550100',
      caller: 'sealed:+14155550123',
      callerHash: 'secret-hash',
      trunk: 'trk_1',
      level: 'session',
      late: false,
      touch: '{"source":"ads"}',
      test: false,
      why: 'linked',
    },
    {
      v: 1,
      kind: 'ended',
      account: w.acme.id,
      call: id,
      seq: 40,
      at: T0 + 12_500,
      result: 'answered',
      reason: { status: 200, q850: 16, text: 'x' },
      fault: 'unknown',
      answeredAt: T0 + 2_000,
    },
  );

  const one = await w.get(`/v1/calls/${id}`);
  t.equal(one.statusCode, 200);
  t.strictSame(one.json(), {
    id,
    number: '+12025550100',
    caller: '+14155550123',
    trunk: 'trk_1',
    account: w.acme.id,
    endpoint,
    site,
    session: 's1',
    visitor: 'v1',
    link: null,
    level: 'session',
    startedAt: '2026-01-01T00:00:00.000Z',
    ringingAt: '2026-01-01T00:00:00.120Z',
    answeredAt: '2026-01-01T00:00:02.000Z',
    endedAt: '2026-01-01T00:00:12.500Z',
    ringMs: 1_880,
    talkMs: 10_500,
    result: 'answered',
    reason: { status: 200, q850: 16, text: 'NORMAL_CLEARING' },
    fault: 'unknown',
    destination: 'sip:agent@127.0.0.1:5070',
    route: null,
    diverting: null,
    attestation: 'none',
    attestationWhy: null,
    mediaNode: 'fs1',
    media: 'bridged',
    late: false,
    why: 'linked',
    touch: { source: 'ads' },
    bucket: null,
    parameters: null,
    person: null,
    probability: null,
    ambiguous: false,
    redial: false,
    candidates: [],
    test: false,
  });
  t.match((await w.get(`/v1/calls/${live.id}`)).json(), {
    caller: null,
    touch: null,
    endedAt: null,
    result: null,
  });
  t.match((await w.get(`/v1/calls/${unreadable.id}`)).json(), { caller: null, touch: 'no json' });
  t.notMatch(JSON.stringify(w.logger.lines), '+14155550123', 'what cannot be opened is not logged');
  const events = await w.get(`/v1/calls/${id}/events`);
  t.match(events.json(), {
    items: [
      { kind: 'received', at: '2026-01-01T00:00:00.000Z', caller: '+14155550123', touch: { source: 'ads' } },
      {
        kind: 'ended',
        at: '2026-01-01T00:00:12.500Z',
        answeredAt: '2026-01-01T00:00:02.000Z',
        ringingAt: null,
      },
    ],
  });
  t.notMatch(events.body, 'secret-hash');

  for (const url of [
    `/v1/calls/${others.id}`,
    '/v1/calls/x',
    '/v1/calls/call_0',
    `/v1/calls/${others.id}/events`,
  ]) {
    t.match((await w.get(url)).json(), { code: 'callNotFound', status: 404 }, url);
  }
  t.equal((await w.get(`/v1/calls/${others.id}`, bearer(OTHER_KEY))).statusCode, 200);
  for (const url of ['/v1/calls', `/v1/calls/${id}`, `/v1/calls/${id}/events`]) {
    t.match((await w.get(url, {})).json(), { code: 'keyMissing', status: 401 }, url);
  }

  const list = async (query: string) =>
    (await w.get(`/v1/calls${query}`)).json<{ items: { id: string }[]; next: string | null }>();
  t.equal((await list('')).items.length, 5);
  t.equal((await list('?number=%2B12025550101')).items[0]?.id, own[1]?.id);
  t.equal((await list('?number=+12025550101')).items.length, 1, 'a plus sign as people type it');
  t.equal((await list('?site=web&endpoint=sales')).items.length, 3, 'names');
  t.equal((await list(`?site=${site}`)).items.length, 3, 'ids');
  t.equal((await list(`?site=${mintId('site')}`)).items.length, 0, 'an id that is not declared any more');
  t.equal((await list('?from=2026-01-01T00:00:00.001Z&to=2026-01-01T01:00:00.002%2B01:00')).items.length, 1);
  const page = await list('?limit=2');
  t.equal(page.items.length, 2);
  t.equal((await list(`?limit=2&cursor=${page.next}`)).items[0]?.id, own[2]?.id);
  for (const [query, fields] of [
    ['?number=12025550100', ['number']],
    [
      '?number=%2B1202555010a&site=nowhere&endpoint=nobody&from=yesterday&to=2026-02-31&limit=0&cursor=',
      ['cursor', 'endpoint', 'from', 'limit', 'number', 'site', 'to'],
    ],
    ['?limit=501', ['limit']],
    ['?limit=1e2', ['limit']],
    ['?from=2026-01-02&to=2026-01-01', ['to']],
    ['?site=web&site=web', ['site']],
    ['?sites=web', ['sites']],
    ['?cursor=zzz', ['cursor']],
    ['?from=2026-01-01T25:00:00Z', ['from']],
  ] as const) {
    const reply = await w.get(`/v1/calls${query}`);
    t.equal(reply.statusCode, 400, query);
    t.strictSame(
      reply
        .json<{ errors: { field: string }[] }>()
        .errors.map(({ field }) => field)
        .sort(),
      fields,
      query,
    );
  }
  t.strictSame(parseCallQuery({}, { site: () => undefined, endpoint: () => undefined }), { limit: 50 });
});

t.test('credits by a parameter of what held the numbers', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const held = (publisher: string, placement: string, more: Partial<CallRecord> = {}) =>
    makeRecord({
      account: w.acme.id,
      level: 'bucket',
      parameters: JSON.stringify({ placement, publisher }),
      ...more,
    });
  w.callLog.records.push(
    held('news', 'top'),
    held('blog', 'top', { answeredAt: null, startedAt: T0 + 86_400_000 }),
    held('news', 'foot', { answeredAt: null }),
    makeRecord({ account: w.acme.id, parameters: '{"placement":"top"}' }),
    makeRecord({ account: w.acme.id }),
    held('news', 'top', { account: w.other.id }),
  );
  t.strictSame((await w.get('/v1/reports/credits?by=publisher')).json(), {
    by: 'publisher',
    items: [
      { value: 'news', calls: 2, answered: 1 },
      { value: null, calls: 1, answered: 1 },
      { value: 'blog', calls: 1, answered: 0 },
    ],
  });
  t.match((await w.get('/v1/reports/credits?by=placement&from=2026-01-02')).json(), {
    items: [{ value: 'top', calls: 1, answered: 0 }],
  });
  t.strictSame((await w.get('/v1/reports/credits?by=toString')).json<{ items: unknown }>().items, [
    { value: null, calls: 4, answered: 2 },
  ]);
  for (const [query, field] of [
    ['', 'by'],
    ['?by=', 'by'],
    [`?by=${'x'.repeat(65)}`, 'by'],
    ['?by=a&by=b', 'by'],
    ['?by=a&from=soon', 'from'],
    ['?by=a&from=2026-01-02&to=2026-01-02', 'to'],
    ['?by=a&limit=3', 'limit'],
  ] as const) {
    const reply = await w.get(`/v1/reports/credits${query}`);
    t.equal(reply.statusCode, 400, query);
    t.match(reply.json(), { errors: [{ field }] });
  }
  t.equal((await w.get('/v1/reports/credits?by=publisher', {})).statusCode, 401);
});

t.test('health, metrics, and every refusal as problem+json', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  t.strictSame((await w.get('/healthz', {})).json(), { ok: true });
  t.strictSame((await w.get('/readyz', {})).json(), { ok: true, parts: { redis: { ok: true } } });
  w.ready = {
    ok: false,
    parts: { redis: { ok: true }, media: { ok: false, detail: 'no media node answers' } },
  };
  const unready = await w.get('/readyz', {});
  t.match(unready.json(), {
    code: 'notReady',
    status: 503,
    parts: { media: { ok: false, detail: 'no media node answers' } },
  });
  t.equal((await w.get('/healthz', {})).statusCode, 200);
  const metrics = await w.get('/metrics', {});
  t.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.match(metrics.body, /tagswitch_http_problems_total\{code="notReady"\} 1/);

  const rows = [
    ['GET', '/', 404, 'notFound'],
    ['POST', '/nope', 404, 'notFound'],
    ['GET', '/v1/allocations', 405, 'methodNotAllowed'],
    ['PATCH', '/v1/links/lnk_x', 405, 'methodNotAllowed'],
    ['POST', '/v1/calls', 405, 'methodNotAllowed'],
    ['DELETE', '/healthz', 405, 'methodNotAllowed'],
    ['GET', '/demo', 404, 'notFound'],
    ['GET', '/%zz', 400, 'badRequest'],
    ['POST', '/v1/tags', 415, 'mediaType'],
  ] as const;
  for (const [method, url, status, code] of rows) {
    const reply = await w.http.inject({
      method,
      url,
      headers: { 'content-type': 'application/xml' },
      ...(method !== 'GET' && { payload: '<a/>' }),
    });
    t.equal(reply.statusCode, status, `${method} ${url}`);
    t.match(reply.headers['content-type'], /^application\/problem\+json/, `${method} ${url}`);
    t.match(reply.json(), {
      code,
      status,
      type: `urn:tagswitch:problem:${code}`,
      requestId: reply.headers['x-request-id'],
    });
    if (status === 405) t.type(reply.headers.allow, 'string', `${method} ${url}`);
  }
  t.equal(
    (await w.http.inject({ method: 'PATCH', url: '/v1/links/lnk_x' })).headers.allow,
    'DELETE, OPTIONS, PUT',
  );
  w.callLog.get = () => Promise.reject(new Error('the disk is gone'));
  const broken = await w.get('/v1/calls/call_1');
  t.match(broken.json(), { code: 'internal', status: 500 });
  t.notMatch(broken.body, 'disk');

  const listed = readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8');
  for (const [code, { status }] of Object.entries(problems)) {
    t.match(
      listed,
      new RegExp(`\\| \`${code}\` +\\| ${status} +\\|`),
      `docs/reference/errors.md lists ${code}`,
    );
  }
});

t.test('on a socket: what is not HTTP, a request that never ends, and closing', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  t.equal(w.http.address(), undefined);
  await w.http.listen('127.0.0.1', 0);
  const { host, port } = w.http.address() ?? { host: '', port: 0 };
  t.equal(host, '127.0.0.1');
  const send = async (bytes: string): Promise<string> => {
    const socket = connect(port, host);
    socket.write(bytes);
    let text = '';
    socket.on('data', (data: Buffer) => (text += data.toString()));
    await once(socket, 'close');
    return text;
  };
  t.match(
    await send('INVITE sip:a SIP/2.0\r\n\r\n'),
    /^HTTP\/1\.1 400 [^]*problem\+json[^]*"code":"badRequest"/,
  );
  t.match(
    await send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 [^]*headersTooLarge/,
  );
  const second = new World();
  await t.rejects(second.http.listen(host, port), { code: 'EADDRINUSE' });
  await second.http.close();
  t.equal((await fetch(`http://${host}:${port}/healthz`)).status, 200);
  const before = performance.now();
  await w.http.close();
  await w.http.close();
  t.ok(performance.now() - before < 2_000, 'an idle connection does not hold it up');
  t.equal(w.http.address(), undefined);
});

t.test('how many new links a machine, a block of addresses and a site may have', (t) => {
  const [site] = makeDirectory().accounts[0]?.sites ?? [];
  if (site === undefined) throw new Error('there is a site');
  const quick = { burst: 1e6, perSecond: 1e6 };
  const machines = new NewLinks({ address: { burst: 2, perSecond: 10 }, block: quick });
  const take = (address: string, now: number) => machines.take(address, site, false, now);
  t.type(take('192.0.2.1', 0), 'object');
  const second = take('::ffff:192.0.2.1', 0);
  if (typeof second !== 'object') throw new Error('there was a second token');
  t.equal(take('192.0.2.1', 0), 'busyAddress', 'the same address in IPv6 clothes');
  second.giveBack();
  t.type(take('192.0.2.1', 0), 'object');
  t.equal(take('192.0.2.1', 99), 'busyAddress');
  t.type(take('192.0.2.1', 100), 'object', 'one token a tenth of a second');
  t.equal(take('192.0.2.1', 100), 'busyAddress');
  t.type(take('192.0.2.1', 100 - 3_600_000), 'object', 'the clock is set back: nobody waits an hour for it');
  t.type(take('2001:db8::1', 0), 'object');
  t.type(take('2001:db8:0:0:ffff::2', 0), 'object');
  t.equal(take('2001:0DB8:0000::3', 0), 'busyAddress', 'one bucket a /64');
  t.type(take('2001:db8:0:1::3', 0), 'object');

  const blocks = new NewLinks({ address: { burst: 1, perSecond: 1 }, block: { burst: 3, perSecond: 1 } });
  for (const [first, last, other] of [
    ['192.0.2.', '', '192.0.3.1'],
    ['2001:db8:0:1', '::1', '2001:db8:0:200::1'],
  ] as const) {
    for (const i of [0, 1, 2]) t.type(blocks.take(`${first}${i}${last}`, site, false, 0), 'object');
    t.equal(blocks.take(`${first}3${last}`, site, false, 0), 'busyBlock', first);
    t.type(blocks.take(`${first}3${last}`, site, true, 0), 'object', 'who is known is not held back');
    t.equal(blocks.take(`${first}3${last}`, site, true, 0), 'busyAddress', 'but by his own address');
    t.type(blocks.take(other, site, false, 0), 'object', other);
  }

  const sites = new NewLinks({ address: quick, block: quick });
  const capped = { ...site, newLinksPerSecond: 2 };
  const asked = [0, 0, 0, 499, 500].map((now, i) => sites.take(`198.51.${i}.1`, capped, false, now));
  t.strictSame(
    asked.map((one) => (typeof one === 'string' ? one : 'yes')),
    ['yes', 'yes', 'busySite', 'busySite', 'yes'],
  );
  t.type(sites.take('198.51.9.1', capped, true, 500), 'object', 'who is known is not held back');
  t.type(sites.take('198.51.9.1', site, false, 500), 'object', 'another site has its own');

  const bounded = new TokenBuckets();
  for (let i = 0; i < 60_000; i++) bounded.take(`key${i}`, quick, 1_000);
  t.equal(bounded.size, 50_000, 'memory is bounded');
  t.end();
});

t.test('pools and numbers are told to their account, and nobody is named', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const made = await w.allocate({ ...GOOD, session: 'secret-session', visitor: 'secret-visitor' });
  const { link, number } = made.json<{ link: string; number: string }>();
  const [pool] = w.acme.pools;
  const expected = {
    ...{ id: pool?.id, name: 'main', site: null, endpoint: null, defaultEndpoint: null, trunk: null },
    ...{ areas: [], numbers: 50, paused: 0, retired: 0, shown: 50, held: 1, free: 49 },
  };
  t.strictSame((await w.get('/v1/pools')).json(), { items: [expected] });
  t.strictSame((await w.get(`/v1/pools/${pool?.id ?? ''}`)).json(), expected);
  t.strictSame((await w.get('/v1/pools/main')).json(), expected, 'by name');
  const held = {
    ...{ link, level: 'session', endpoint: w.acme.endpoints[0]?.id, site: w.acme.sites[0]?.id },
    ...{ startedAt: new Date(T0).toISOString(), until: new Date(T0 + 60_000).toISOString() },
    ...{ seenAt: new Date(T0).toISOString(), ambiguous: false },
  };
  const about = { number, display: '(202) 555-0100', pool: pool?.id, state: 'active' };
  const alive = await w.get(`/v1/numbers/${encodeURIComponent(number)}`);
  t.strictSame(alive.json(), { ...about, link: held, lastHolder: null });
  t.notMatch(alive.body, 'secret');
  w.now += 60_000;
  t.strictSame((await w.get(`/v1/numbers/${number}`)).json(), { ...about, link: null, lastHolder: held });
  t.match((await w.get('/v1/numbers/+12025550149')).json(), { link: null, lastHolder: null });

  for (const [url, code] of [
    ['/v1/pools/nowhere', 'poolNotFound'],
    [`/v1/pools/${w.other.pools[0]?.id ?? ''}`, 'poolNotFound'],
    ['/v1/numbers/+12025550150', 'numberNotFound'],
    ['/v1/numbers/+14155550100', 'numberNotFound'],
    ['/v1/numbers/x', 'numberNotFound'],
    ['/v1/numbers/12025550100', 'numberNotFound'],
  ] as const) {
    t.match((await w.get(url)).json(), { code, status: 404 }, url);
  }
  for (const url of ['/v1/pools', '/v1/pools/main', '/v1/numbers/+12025550100']) {
    t.equal((await w.get(url, { origin: ORIGIN })).statusCode, 401, 'no page');
    w.links.failure = new StoreUnavailable('down');
    t.match((await w.get(url)).json(), { code: 'storeDown', status: 503 });
    w.links.failure = undefined;
  }
});

t.test('what would be done with a call', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const get = async (query: string, key = KEY) => {
    const answer = await w.http.inject({ method: 'GET', url: `/v1/route?${query}`, headers: bearer(key) });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };
  t.match((await get('number=%2B12025550100')).body, {
    standsFor: null,
    steps: [],
    turnedAway: 'unknownNumber',
    plan: null,
  });
  await w.allocate(GOOD);
  const good = await get('number=%2B12025550100&caller=%2B12125550123&at=2026-12-25T10:00:00Z');
  t.equal(good.status, 200);
  t.match(good.body, {
    number: '+12025550100',
    at: '2026-12-25T10:00:00.000Z',
    standsFor: { name: 'sales', why: 'linked' },
    steps: [{ name: 'sales', because: 'number' }],
    turnedAway: 'noWayOut',
    plan: null,
  });
  const bad = await get('number=1&caller=x&at=tomorrow&attestation=Z&more=1');
  t.equal(bad.status, 400);
  t.same((bad.body['errors'] as { field: string }[]).map(({ field }) => field).toSorted(), [
    'attestation',
    'caller',
    'more',
    'number',
  ]);
  t.match((await get('number=%2B12025550100&at=tomorrow')).body, {
    errors: [{ field: 'at', expected: /ISO 8601/ }],
  });
  t.equal((await get('number=%2B12025559999')).status, 404);
  t.equal((await get('number=%2B12025550100', OTHER_KEY)).status, 404, "another account's number");
  t.equal((await get('number=%2B12025550100', 'nobody-knows-this-key')).status, 401);
});

t.test('the demo page', async (t) => {
  const log = new FakeCallLog();
  const w = new World({ demo: { site: 'closed', endpoint: 'service' }, callLog: log });
  t.teardown(() => w.http.close());
  const page = await w.get('/demo', {});
  t.equal(page.statusCode, 200);
  t.match(page.headers['content-security-policy'], /default-src 'none'/);
  t.notMatch(
    page.body,
    /\{\{|<script>|style=|onclick|https?:\/\/(?!www\.w3\.org)/,
    'nothing inline, nothing from elsewhere',
  );
  t.notMatch(page.body, KEY, 'no API key');
  const made = await w.allocate(
    { endpoint: 'service', site: 'closed', session: 's' },
    { origin: OTHER_ORIGIN },
  );
  const { link, number } = made.json<{ link: string; number: string }>();
  const site = w.acme.sites[1]?.id ?? '';
  log.records.push(
    makeRecord({ account: w.acme.id, site, number, link, startedAt: w.now - 1_000 }),
    makeRecord({ account: w.acme.id, site, number, link: `lnk_${'0'.repeat(32)}`, startedAt: w.now - 1_000 }),
  );
  const calls = await w.get(`/demo/calls?link=${link}&number=${encodeURIComponent(number)}`, {});
  t.match(calls.json(), { items: [{ caller: '…23', result: 'answered' }] });
  t.equal(calls.json<{ items: unknown[] }>().items.length, 1, 'those of its own link');
  t.notMatch(calls.body, '+1415555', 'no caller');
  t.equal((await w.get('/demo/calls', {})).statusCode, 400);
  t.equal((await w.get(`/demo/calls?link=lnk_${'0'.repeat(32)}&number=%2B12025550100`, {})).statusCode, 404);
  t.equal((await w.get('/demo/style.css', {})).statusCode, 200);
  const none = new World({ demo: { site: 'nowhere', endpoint: 'service' } });
  t.teardown(() => none.http.close());
  t.equal((await none.get('/demo', {})).statusCode, 404);
});

t.test('the playground: a page for who sent it, from this server itself', async (t) => {
  const w = new World({ demo: { site: 'closed', endpoint: 'service' } });
  t.teardown(() => w.http.close());
  const own = { host: 'numbers.example.com', origin: 'https://numbers.example.com' };
  const send = (form: Record<string, string>, headers: Record<string, string> = own) =>
    w.http.inject({
      method: 'POST',
      url: '/demo/playground/page?utm_source=ads',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: new URLSearchParams(form).toString(),
    });
  const playground = await w.get('/demo/playground', {});
  t.equal(playground.statusCode, 200);
  t.match(playground.headers, {
    'content-security-policy':
      /default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'/,
    'x-robots-tag': 'noindex',
    'cache-control': 'no-store',
  });
  t.notMatch(playground.body, /\{\{|<script>|style=|onclick|https?:\/\/(?!www\.w3\.org)/, 'nothing inline');
  for (const name of ['playground', 'page'])
    t.equal((await w.get(`/demo/${name}.css`, {})).statusCode, 200, name);

  const form = {
    html: '<p>Call 202-555-0199</p>\r\n<script>alert(1)</script>',
    number: '+441632960150',
    consent: 'unset',
    analytics: 'matomo',
    rules: '[["#a","src","x{number}"]]',
    hide: '0',
    overlay: '1',
  };
  const page = await send(form);
  t.equal(page.statusCode, 200);
  t.match(page.headers, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      /script-src 'self'; connect-src 'self';.*frame-ancestors 'self'; sandbox allow-scripts/,
    'x-robots-tag': 'noindex',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  t.match(page.body, '<p>Call 202-555-0199</p>\n<script>');
  const tags = page.body.match(/<script (?:async|data-tag)[^>]+>/g) ?? [];
  t.equal(tags.length, 3, 'its own script, the tag, the overlay');
  t.match(
    tags[1],
    /data-number="\+44 1632960150".* data-consent="unset" data-hide="0" data-rules="\[\[&quot;#a/,
  );
  t.match(tags[1], /data-visitor="\(\?:\^\|; \)_pk_id/);
  const plain = await send({ html: '' });
  t.match(plain.body, 'data-number="+1 2025550199"', 'the number of the site');
  t.notMatch(plain.body, /data-(consent|hide|rules|visitor)/);

  const rows: readonly (readonly [headers: Record<string, string>, status: number])[] = [
    [{ ...own, 'sec-fetch-site': 'same-origin' }, 200],
    [{ host: own.host, 'sec-fetch-site': 'same-origin' }, 200],
    [{ ...own, 'sec-fetch-site': 'cross-site' }, 403],
    [{ ...own, 'sec-fetch-site': 'same-site' }, 403],
    [{ ...own, 'sec-fetch-site': 'none' }, 403],
    [{ host: own.host, origin: 'https://evil.example.net' }, 403],
    [{ host: own.host, origin: 'https://numbers.example.com.evil.example.net' }, 403],
    [{ host: own.host, origin: 'null' }, 403],
    [{ host: own.host }, 403],
  ];
  for (const [headers, status] of rows) {
    const reply = await send({ html: '<p>x</p>' }, headers);
    t.equal(reply.statusCode, status, JSON.stringify(headers));
    if (status === 200) continue;
    t.equal(reply.json<{ code: string }>().code, 'notSameOrigin');
    t.notMatch(reply.body, '<p>');
  }

  const problem = async (made: Record<string, string>, status: number, code: string, field?: string) => {
    const reply = await send(made);
    t.equal(reply.statusCode, status, code);
    t.match(reply.headers['content-type'], /^application\/problem\+json/);
    t.match(reply.json(), { code, ...(field !== undefined && { errors: [{ field }] }) });
  };
  t.equal(
    (await send({ html: '\u00fc\n'.repeat(5_461) })).statusCode,
    200,
    '16,383 bytes, most of them written as three',
  );
  t.equal((await send({ html: 'x'.repeat(16_384) })).statusCode, 200);
  await problem({ html: 'x'.repeat(16_385) }, 413, 'bodyTooLarge');
  await problem({ html: '\u00fc'.repeat(8_193) }, 413, 'bodyTooLarge');
  await problem({ html: 'x'.repeat(100_000) }, 413, 'bodyTooLarge');
  await problem({}, 400, 'badValue', 'html');
  await problem({ html: '', number: '0202' }, 400, 'badValue', 'number');
  await problem({ html: '', consent: 'perhaps' }, 400, 'badValue', 'consent');
  await problem({ html: '', analytics: 'function:a b' }, 400, 'badValue', 'analytics');
  for (const rules of ['[', '{}', '[["a","b"]]', '[["a","b",1]]'])
    await problem({ html: '', rules }, 400, 'badValue', 'rules');
  await problem({ html: '', other: 'x' }, 400, 'badValue', 'other');
  const json = await send({}, { ...own, 'content-type': 'application/json' });
  t.match([json.statusCode, json.json()], [415, { code: 'mediaType' }]);
  const elsewhere = await w.http.inject({
    method: 'POST',
    url: '/v1/allocations',
    headers: { origin: ORIGIN, 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'site=web',
  });
  t.equal(elsewhere.statusCode, 415, 'forms are read here alone');
  t.equal((await w.get('/demo/playground/page', {})).statusCode, 405);

  const none = new World();
  t.teardown(() => none.http.close());
  t.equal((await none.get('/demo/playground', {})).statusCode, 404, 'only where the demo is on');
  const page404 = await none.http.inject({
    method: 'POST',
    url: '/demo/playground/page',
    headers: { ...own, 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'html=x',
  });
  t.equal(page404.statusCode, 404);
});

t.test('a server that stops does not wait for connections on which nothing was asked', async (t) => {
  const w = new World();
  await w.http.listen('127.0.0.1', 0);
  const socket = connect(w.http.address()?.port ?? 0, '127.0.0.1');
  await once(socket, 'connect');
  const before = Date.now();
  const [ended] = await Promise.all([once(socket, 'close'), w.http.close()]);
  t.ok(Date.now() - before < 2_000 && ended.length > 0, 'it is ended at once');
});

t.test(
  'a server that stops answers what is under way whole, and then ends that connection too',
  async (t) => {
    let answer = (): void => undefined;
    const body = 'x'.repeat(4_000_000); // more than a socket takes at once
    const server = createServer((_request, response) => {
      answer = () => void response.end(body);
    });
    const connections = new Connections(server);
    const reached = once(server, 'request');
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    let received = 0;
    socket.on('data', (data: Buffer) => (received += data.length));
    const ended = once(socket, 'close');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await reached;
    // The answer promises to keep the connection: it does not know that the server stops.
    const before = Date.now();
    const closed = once(server.close(), 'close');
    connections.endIdle();
    answer();
    await Promise.all([ended, closed]);
    t.ok(received > body.length, 'the answer came whole');
    t.ok(Date.now() - before < 2_000, `${Date.now() - before} ms`);
  },
);
