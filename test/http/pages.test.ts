/** What pages ask beside a number of their own: a heartbeat in the same request, a cookie, AMP, a visitor who may not be recognised. */
import t from 'tap';
import { cookieScope } from '../../src/http/visitor-cookie.js';
import { pageOrigin } from '../../src/http/amp.js';
import { StoreUnavailable } from '../../src/numbers/ports.js';
import { KEY, makeDirectory, ORIGIN, OTHER_ORIGIN, PRINTED, World } from './fixture.js';

const GOOD = { endpoint: 'sales', site: 'web', session: 's1' };

interface Reply {
  link: string;
  number: string;
  until: string;
  pass?: string;
  code?: string;
}

t.test('a page that shows a number says so where it asks for one', async (t) => {
  const w = new World({}, makeDirectory(ORIGIN, OTHER_ORIGIN, { provisionalMs: 6_000 }));
  t.teardown(() => w.http.close());
  const first = (await w.allocate({ ...GOOD, visitor: 'v1' })).json<Reply & { heartbeatMs: number }>();
  t.equal(first.heartbeatMs, 2_000, 'to be heard soon: it is a link that lives for 6 s');
  const { link, number, until } = first;
  const beat = await w.allocate({ ...GOOD, visitor: 'v1', link, number, until });
  t.equal(beat.statusCode, 200);
  t.strictSame(
    w.links.claims,
    [{ session: 's1', number, until: Date.parse(until) }],
    'with what it was told',
  );
  const { pass, ...rest } = beat.json<Reply>();
  t.match(pass, /^[0-9a-z]+\.[\w-]{22}$/, 'known from now on');
  t.match(rest, {
    link,
    number,
    display: '(202) 555-0100',
    level: 'session',
    holdMs: 60_000,
    heartbeatMs: 20_000,
  });
  t.equal(w.links.links.length, 1);
  t.match((await w.metrics.text()).body, /tagswitch_links_total\{step="confirmed"\} 1/);

  w.links.failure = new StoreUnavailable('down');
  t.match(
    (await w.allocate({ ...GOOD, link, number, until })).json(),
    { code: 'storeDown', status: 503 },
    'it is not over',
  );
  t.match(
    (await w.allocate(GOOD)).json(),
    { level: 'none', number: PRINTED },
    'who has none gets the printed one',
  );
  w.links.failure = undefined;
  const other = w.links.links[0];
  if (other === undefined) throw new Error('there is a link');
  other.until = 0;
  const next = await w.allocate({ ...GOOD, link, number, until });
  t.equal(next.statusCode, 201, 'a link that is over makes room for another');
  t.not(next.json<Reply>().link, link);
  const service = await w.allocate(
    { ...GOOD, site: 'closed', endpoint: 'service', link },
    { origin: OTHER_ORIGIN },
  );
  t.equal(service.statusCode, 201, "another site's link is nothing to this one");
  for (const [field, value] of [
    ['link', ''],
    ['number', '12025550100'],
    ['until', 'soon'],
  ] as const) {
    const reply = await w.allocate({ ...GOOD, link, [field]: value });
    t.equal(reply.statusCode, 400);
    t.match(reply.json(), { errors: [{ field }] });
  }
});

t.test('who may not be recognised gets the number of all who came this way', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const touch = {
    query: { utm_source: 'ads', utm_medium: 'cpc', gclid: 'g1' },
    clickIds: { fbclid: 'f1' },
    landingPage: `${ORIGIN}/`,
  };
  const reply = await w.allocate({
    endpoint: 'sales',
    site: 'web',
    visitor: 'v1',
    consent: 'denied',
    touch,
  });
  t.ok(reply.statusCode === 200 || reply.statusCode === 201);
  const asked = w.links.lastRequest;
  t.match(asked, {
    anonymous: true,
    session: '',
    touch: `{"source":"ads","medium":"cpc","landingPage":"${ORIGIN}/"}`,
  });
  t.notOk('visitor' in (asked ?? {}), 'nothing that is his alone goes further');
  t.equal(
    (await w.allocate({ endpoint: 'sales', site: 'web' })).statusCode,
    400,
    'a session is needed otherwise',
  );
  t.match((await w.allocate({ ...GOOD, consent: 'maybe' })).json(), { errors: [{ field: 'consent' }] });
});

t.test('the cookie of a visitor', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const set = (body: unknown, headers: Record<string, string> = {}) =>
    w.http.inject({
      method: 'POST',
      url: '/v1/visitors/cookie',
      headers: {
        origin: ORIGIN,
        host: 'numbers.example.com',
        'content-type': 'text/plain;charset=UTF-8',
        ...headers,
      },
      payload: JSON.stringify(body),
    });
  const reply = await set({ site: 'web', visitor: '1-2-3-4' });
  t.equal(reply.statusCode, 204);
  t.equal(
    reply.headers['set-cookie'],
    'tsv=1-2-3-4; Path=/; Max-Age=34128000; SameSite=Lax; Domain=example.com',
  );
  t.equal(
    (await set({ site: 'web' })).headers['set-cookie'],
    'tsv=; Path=/; Max-Age=0; SameSite=Lax; Domain=example.com',
    'no visitor: it is taken away',
  );
  t.equal(
    (await set({ site: 'web', visitor: 'v' }, { host: 'www.example.com' })).headers['set-cookie'],
    'tsv=v; Path=/; Max-Age=34128000; SameSite=Lax',
    'of the page itself',
  );
  t.notOk('set-cookie' in (await set({ site: 'web', visitor: 'v' }, { host: 'tags.example.net' })).headers);
  for (const [body, headers, status, code] of [
    [{ site: 'web', visitor: 'a;b' }, {}, 400, 'badValue'],
    [{ visitor: 'v' }, {}, 400, 'badValue'],
    [{ site: 'web', visitor: 'v' }, { origin: 'https://evil.example' }, 403, 'originNotListed'],
  ] as const) {
    const refused = await set(body, headers);
    t.equal(refused.statusCode, status);
    t.match(refused.json(), { code });
    t.notOk('set-cookie' in refused.headers);
  }
  for (const [page, own, scope] of [
    ['www.example.com', 'www.example.com', ''],
    ['www.example.com', 'numbers.example.com', '; Domain=example.com'],
    ['example.com', 'numbers.example.com', '; Domain=example.com'],
    ['a.b.example.com', 'b.example.com', '; Domain=b.example.com'],
    ['WWW.Example.com', 'n.example.COM', '; Domain=example.com'],
    ['www.example.com', 'example.net', undefined],
    ['a.com', 'b.com', undefined],
    ['127.0.0.1', '127.0.0.2', undefined],
    ['localhost', 'other', undefined],
  ] as const)
    t.equal(cookieScope(page, own), scope, `${page} ${own}`);
});

t.test('AMP pages, which run no scripts of their own', async (t) => {
  const w = new World();
  t.teardown(() => w.http.close());
  const made = await w.http.inject({
    method: 'POST',
    url: '/v1/tags',
    headers: {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      host: 'numbers.example.com',
    },
    payload: { site: 'web', endpoint: 'sales' },
  });
  const { ampConfig } = made.json<{ ampConfig: string }>();
  t.match(ampConfig, /^http:\/\/numbers\.example\.com\/v1\/amp\?site=site_\w+&endpoint=end_\w+&tag=/);
  const path = ampConfig
    .slice('http://numbers.example.com'.length)
    .replace('CLIENT_ID(tsv)', 'amp-AbC_1')
    .replace('SOURCE_URL', encodeURIComponent(`${ORIGIN}/amp?utm_source=ads&gclid=g1`))
    .replace('DOCUMENT_REFERRER', encodeURIComponent('https://www.google.com/'));
  const cache = 'https://www-example-com.cdn.ampproject.org';
  const ask = (headers: Record<string, string>, url = path) => w.http.inject({ method: 'GET', url, headers });
  const reply = await ask({ origin: cache });
  t.equal(reply.statusCode, 200);
  t.strictSame(reply.json(), { phoneNumber: '+12025550100', formattedPhoneNumber: '(202) 555-0100' });
  t.equal(reply.headers['access-control-allow-origin'], cache);
  t.notOk('access-control-allow-credentials' in reply.headers);
  t.match(w.links.lastRequest, {
    session: 'amp-AbC_1',
    touch: `{"source":"ads","clickIds":{"gclid":"g1"},"landingPage":"${ORIGIN}/amp","referrer":"https://www.google.com/"}`,
  });
  t.equal(w.links.links[0]?.holdMs, 1_800_000, 'for as long as a visit, as nothing more is heard of it');
  t.equal(
    (await ask({ origin: ORIGIN })).json<{ phoneNumber: string }>().phoneNumber,
    '+12025550100',
    'the same visit',
  );
  const own = await ask({}, `${path}&__amp_source_origin=${encodeURIComponent(ORIGIN)}`);
  t.equal(own.statusCode, 200, "the page's own host");
  t.equal(own.headers['amp-access-control-allow-source-origin'], ORIGIN);
  const asked = w.links.asked;
  for (const [headers, url, status, code] of [
    [{ origin: 'https://evil-example.cdn.ampproject.org' }, path, 403, 'originNotListed'],
    [{ origin: 'https://www-example-com.cdn.evil.example' }, path, 403, 'originNotListed'],
    [{}, path, 403, 'originNotListed'],
    [{ origin: cache }, path.replace(/tag=[^&]{4}/, 'tag=AAAA'), 403, 'tagAltered'],
    [{ origin: cache }, path.replace(/&tag=[^&]*/, ''), 400, 'badValue'],
    [{ origin: cache }, path.replace('amp-AbC_1', '%20'), 400, 'badValue'],
  ] as const) {
    const refused = await ask(headers, url);
    t.equal(refused.statusCode, status, url);
    t.match(refused.json(), { code });
  }
  t.equal(w.links.asked, asked, 'and spent nothing');
  const denied = await ask({ origin: cache }, path.replace('amp-AbC_1', ''));
  t.equal(denied.statusCode, 200);
  t.match(w.links.lastRequest, { anonymous: true }, 'AMP gives no id where the visitor wants none');
  await ask({ origin: cache });
  t.notOk(w.links.lastRequest?.anonymous);
  await ask({ origin: cache, 'sec-gpc': '1' });
  t.match(w.links.lastRequest, { anonymous: true }, 'Global Privacy Control');
  w.links.failure = new StoreUnavailable('down');
  t.strictSame(
    (await ask({ origin: cache })).json(),
    { phoneNumber: PRINTED, formattedPhoneNumber: '(202) 555-0199' },
    'whatever fails',
  );
  t.equal(
    pageOrigin('https://my--shop-example-com.cdn.ampproject.org', ['https://my-shop.example.com']),
    'https://my-shop.example.com',
  );
});
