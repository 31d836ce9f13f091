/** Whose page view it is: sessions, consent, cookies, ids of other analytics, other tabs, and what a page does without a network. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { Site } from '../../src/directory/model.js';
import { KEY, makeDirectory, OTHER_ORIGIN, World } from '../http/fixture.js';
import { freePort } from '../../src/start/ports.js';
import { until } from '../support/until.js';
import { openBrowser } from './browser.js';

const browser = await openBrowser(['--host-resolver-rules=MAP *.example.com 127.0.0.1']);
t.teardown(() => browser.close());

interface Opened {
  readonly w: World;
  /** Where the switch is found, and the pages of the site. */
  readonly base: string;
  readonly site: string;
  /** HTML of the site's pages, whatever their path. */
  html: string;
  readonly snippet: (more?: string) => Promise<string>;
}

/** A site on `www.example.com` with its switch on `numbers.example.com`. */
async function open(t: Test, life: Partial<Site> = {}, body: object = {}): Promise<Opened> {
  const port = await freePort();
  const state = { html: '' };
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(request.url?.startsWith('/frame') ? '<p>frame</p>' : state.html);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const site = `http://www.example.com:${(server.address() as AddressInfo).port}`;
  const base = `http://numbers.example.com:${port}`;
  const directory = makeDirectory(site, OTHER_ORIGIN, { holdMs: 30_000, heartbeatMs: 20_000, ...life });
  const w = new World({ now: Date.now }, directory);
  await w.http.listen('127.0.0.1', port);
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await browser.context.clearCookies();
    await w.http.close();
  });
  const snippet = async (more = '') => {
    const made = await w.http.inject({
      method: 'POST',
      url: '/v1/tags',
      headers: { authorization: `Bearer ${KEY}`, host: `numbers.example.com:${port}` },
      payload: { site: 'web', endpoint: 'sales', ...body },
    });
    return made.json<{ snippet: string }>().snippet.replace('<script', `<script ${more}`);
  };
  return {
    w,
    base,
    site,
    snippet,
    get html() {
      return state.html;
    },
    set html(value) {
      state.html = value;
    },
  };
}

/** The page with this tag, and a text and a link that show the printed number. */
const pageWith = (tag: string, more = '') =>
  `<!doctype html><title>x</title><link rel="icon" href="data:,">${more}${tag}<body><p id="text">(202) 555-0199</p><a id="tel" href="tel:+12025550199">call</a></body>`;

const shows = (page: Page, text: string) => page.locator('#text', { hasText: text }).waitFor();
const visitOf = (page: Page) =>
  page.evaluate<{ session?: string; visitor?: string; touch: object }>('tagswitch.visit()');
const stored = (page: Page) => page.evaluate<number>('localStorage.length');

t.test(
  'S1.2 one session for a visit: the same while it goes on, a new one by a new campaign or half an hour',
  async (t) => {
    const o = await open(t);
    o.html = pageWith(await o.snippet());
    const page = await browser.context.newPage();
    const sessions: (string | undefined)[] = [];
    const visit = async (path: string) => {
      await page.goto(o.site + path);
      await shows(page, '(202) 555-01');
      await until(() => o.w.links.lastRequest?.session !== undefined);
      const { session } = await visitOf(page);
      sessions.push(session);
      return session;
    };
    const first = await visit('/?utm_source=ads&utm_medium=cpc&utm_campaign=spring&gclid=g1');
    t.equal(await visit('/prices'), first, 'the next page');
    t.match(
      o.w.links.lastRequest?.touch,
      /"source":"ads","medium":"cpc","campaign":"spring".*"gclid":"g1".*landingPage":"[^"]*com:\d+\/"/,
      'with what brought him',
    );
    t.equal(
      await visit('/?utm_source=ads&utm_medium=cpc&utm_campaign=spring&gclid=g1'),
      first,
      'the same campaign',
    );
    const second = await visit('/?utm_source=ads&utm_medium=cpc&utm_campaign=summer');
    t.not(second, first, 'another campaign');
    t.not(await visit('/?gclid=g2'), second, 'another click');
    const idle = `{ const [key] = Object.keys(localStorage); const kept = JSON.parse(localStorage.getItem(key));
    localStorage.setItem(key, JSON.stringify({ ...kept, seen: kept.seen - SHIFT })); }`;
    const third = sessions.at(-1);
    await page.evaluate(idle.replace('SHIFT', String(29 * 60_000)));
    t.equal(await visit('/'), third, 'after 29 minutes');
    await page.evaluate(idle.replace('SHIFT', String(31 * 60_000)));
    const fourth = await visit('/');
    t.not(fourth, third, 'after 31 minutes');
    await page.evaluate(idle.replace('SHIFT', String(-31 * 60_000)));
    t.not(await visit('/'), fourth, 'a clock that was set back');
    const visitors = new Set(o.w.links.links.map(({ request }) => request.visitor));
    t.equal(visitors.size, 1, 'one visitor');
    await page.close();
  },
);

t.test('nothing is kept of who said no, and he gets the number of all who came this way', async (t) => {
  const o = await open(t);
  const context = browser.context;
  for (const [name, tag, more] of [
    ['the tag says so', await o.snippet('data-consent="denied"'), ''],
    ['nobody was asked yet', await o.snippet('data-consent="unset"'), ''],
    [
      'Global Privacy Control',
      await o.snippet(),
      `<script>Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })</script>`,
    ],
    [
      'Google consent mode',
      await o.snippet(),
      `<script>dataLayer = []; function gtag() { dataLayer.push(arguments) } gtag('consent', 'default', { analytics_storage: 'denied' })</script>`,
    ],
  ] as const) {
    o.html = pageWith(tag, more);
    const page = await context.newPage();
    await page.goto(`${o.site}/?utm_source=ads&gclid=click-of-ads`);
    await shows(page, '(202) 555-0100');
    t.equal(await page.locator('#tel').getAttribute('href'), 'tel:+12025550100', name);
    t.match(o.w.links.lastRequest, { anonymous: true, touch: /"source":"ads"/ });
    t.notMatch(JSON.stringify(o.w.links.lastRequest), /click-of-ads|visitor/, 'no click id, no visitor');
    t.equal(await stored(page), 0, 'no storage');
    await page.goto('about:blank');
    t.strictSame(await context.cookies(o.site), [], 'no cookie');
    await page.close();
  }
  t.equal(o.w.links.links.length, 1, 'all of them share one');
});

t.test('a yes and a no that come later', async (t) => {
  const o = await open(t);
  const banner = `<script>dataLayer = []; function gtag() { dataLayer.push(arguments) } gtag('consent', 'default', { analytics_storage: 'denied' })</script>`;
  o.html = pageWith(await o.snippet(), banner);
  const page = await browser.context.newPage();
  await page.goto(o.site);
  await shows(page, '(202) 555-0100');
  await page.evaluate(`gtag('consent', 'update', { analytics_storage: 'granted' })`);
  await shows(page, '(202) 555-0101');
  t.match(o.w.links.lastRequest, { session: /^[\d-]+$/ }, 'Google consent mode: a number of his own');
  t.equal(await stored(page), 1);
  await page.evaluate(`tagswitch.consent('denied')`);
  await shows(page, '(202) 555-0100');
  t.equal(await stored(page), 0, 'what was kept is taken away');
  await page.evaluate(`tagswitch.consent('granted')`);
  await until(async () => (await stored(page)) === 1);
  t.equal(await stored(page), 1, 'a choice of his own outweighs all');
  await page.close();
});

t.test("the visitor's cookie is set by the server for the site's domain, and outlives storage", async (t) => {
  const o = await open(t);
  o.html = pageWith(await o.snippet());
  const page = await browser.context.newPage();
  await page.goto(o.site);
  await shows(page, '(202) 555-0100');
  const { visitor } = await visitOf(page);
  await page.goto(`${o.site}/next`);
  const cookies = async () => (await browser.context.cookies(o.site)).filter(({ name }) => name === 'tsv');
  await until(async () => (await cookies()).length > 0);
  const [cookie] = await cookies();
  t.match(cookie, { value: visitor, domain: '.example.com', path: '/', sameSite: 'Lax', httpOnly: false });
  const days = ((cookie?.expires ?? 0) - Date.now() / 1000) / 86_400;
  t.ok(days > 390 && days <= 400, `${days} days`);
  await page.evaluate('localStorage.clear()');
  await page.goto(`${o.site}/later`);
  await shows(page, '(202) 555-01');
  t.equal((await visitOf(page)).visitor, visitor, 'known again by the cookie alone');
  await page.evaluate(`tagswitch.consent('denied')`);
  await until(async () => (await cookies()).length === 0);
  t.strictSame(await cookies(), [], 'a no takes it away');
  await page.close();
});

t.test("ids of the page's own analytics", async (t) => {
  for (const [analytics, more, expected] of [
    [
      'ga4:G-ABC123',
      `document.cookie = '_ga=GA1.1.1111.2222; path=/'; document.cookie = '_ga_ABC123=GS2.1.s1700000000$o1$g0; path=/'`,
      { visitor: '1111.2222', session: '1111.2222.1700000000' },
    ],
    [
      'ga4:G-OLD456',
      `document.cookie = '_ga=GA1.2.3.4; path=/'; document.cookie = '_ga_OLD456=GS1.1.1700000001.5.1.1700000002.0.0.0; path=/'`,
      { visitor: '3.4', session: '3.4.1700000001' },
    ],
    [
      'matomo',
      `document.cookie = '_pk_id.1.1fff=0123456789abcdef.1700000000.; path=/'`,
      { visitor: '0123456789abcdef', session: /^[\d-]+$/ },
    ],
    [
      'function:mySession',
      `function mySession() { return 'mine-1' }`,
      { visitor: /^[\d-]+$/, session: 'mine-1' },
    ],
    ['ga4:G-NONE99', '', { visitor: /^[\d-]+$/, session: /^[\d-]+$/ }],
  ] as const) {
    const o = await open(t, {}, { analytics });
    o.html = pageWith(await o.snippet(), `<script>${more}</script>`);
    const page = await browser.context.newPage();
    await page.goto(o.site);
    await shows(page, '(202) 555-0100');
    t.match(o.w.links.lastRequest, expected, analytics);
    await page.close();
    await browser.context.clearCookies();
  }
});

t.test(
  'one number in all tabs; the next page shows it at once, also without a network until its end',
  async (t) => {
    const o = await open(t, { heartbeatMs: 1_000 });
    o.html = pageWith(await o.snippet());
    const page = await browser.context.newPage();
    await page.goto(o.site);
    await shows(page, '(202) 555-0100');
    const tab = await browser.context.newPage();
    await tab.goto(`${o.site}/tab`);
    await shows(tab, '(202) 555-0100');
    t.equal(o.w.links.links.length, 1);

    // The link is lost, and one tab is told so first.
    const [link] = o.w.links.links;
    if (link === undefined) throw new Error('there is a link');
    link.until = 0;
    o.w.links.links.push({
      ...link,
      request: { ...link.request, session: 'another' },
      until: Date.now() + 60_000,
    });
    await shows(page, '(202) 555-0101');
    await shows(tab, '(202) 555-0101');
    t.equal(o.w.links.links.length, 3, 'and no third number for the second tab');

    let answered = 0;
    await page.route('**/v1/allocations', async (route) => {
      answered += 1;
      await route.abort('internetdisconnected');
    });
    await page.goto(`${o.site}/offline`);
    await until(() => answered > 0);
    await shows(page, '(202) 555-0101');
    t.equal(
      await page.locator('#tel').getAttribute('href'),
      'tel:+12025550101',
      'without a network it is still his',
    );
    await page.unroute('**/v1/allocations');
    const asked = o.w.links.asked;
    await page.evaluate(`dispatchEvent(new Event('online'))`);
    await until(() => o.w.links.asked > asked);
    t.ok(o.w.links.asked > asked, 'back: it says so at once');
    await tab.close();
    await page.close();
  },
);

t.test(
  'one request a page view, a route of an application among them; none while nobody looks',
  async (t) => {
    const o = await open(t);
    o.html = pageWith(await o.snippet());
    const page = await browser.context.newPage();
    const requests: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/v1/'))
        requests.push(`${request.method()} ${new URL(request.url()).pathname}`);
    });
    await page.goto(o.site);
    await shows(page, '(202) 555-0100');
    await page.waitForLoadState('networkidle');
    t.strictSame(requests, ['POST /v1/allocations'], 'no preflight, nothing else');
    await page.evaluate(`history.pushState({}, '', '/route')`);
    await until(() => requests.length > 1);
    await page.evaluate(`history.replaceState({ scroll: 1 }, '', '/route')`);
    await page.goBack();
    await until(() => requests.length > 2);
    await page.waitForLoadState('networkidle');
    t.strictSame(requests.slice(1), Array(2).fill('POST /v1/allocations'), 'there and back');
    t.equal(o.w.links.links.length, 1, 'of the same number');
    await page.close();
  },
);

t.test('what a page may ask for', async (t) => {
  const o = await open(t);
  o.html = pageWith(await o.snippet());
  const page = await browser.context.newPage();
  await page.goto(o.site);
  const shown = await page.evaluate<object>(`tagswitch.number('+12025550199')`);
  t.match(shown, {
    state: 'held',
    printed: '+12025550199',
    number: '+12025550100',
    display: '(202) 555-0100',
    level: 'session',
  });
  const wait = page.evaluate<object>(
    `new Promise((done) => document.addEventListener('tagswitch', ({ detail }) => done(detail), { once: true }))`,
  );
  o.w.links.links.forEach((link) => (link.until = 0));
  const long = page.waitForRequest((request) => request.method() === 'POST');
  const words = Array.from({ length: 5 }, (_, nth) => `utm_${nth}=${encodeURIComponent('я'.repeat(190))}`);
  await page.evaluate(`history.pushState({}, '', '/other?${words.join('&')}')`);
  const body = (await long).postData() ?? '';
  t.notMatch(body, 'touch', 'what brought him here would make it more than 2 KB');
  t.ok(body.length > 200 && body.length < 2_048);
  t.match(await wait, { state: 'held', number: '+12025550100' }, 'an event tells of each change');
  o.html = pageWith((await o.snippet()).replace(/ data-endpoint="[^"]*"/, ''));
  const asked = o.w.links.asked;
  await page.goto(`${o.site}/analytics-only`);
  await page.waitForLoadState('networkidle');
  t.match((await visitOf(page)).session, /^[\d-]+$/);
  t.equal(await page.evaluate('tagswitch.number()'), undefined, 'the analytics tag alone asks for no number');
  t.equal(o.w.links.asked, asked + 1, 'but for the leave of the page before');
  await page.close();
});
