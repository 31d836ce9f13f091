import type { Page } from 'playwright-core';
import t from 'tap';
import { OTHER_ORIGIN } from '../http/fixture.js';
import { openBrowser } from './browser.js';
import { until } from '../support/until.js';
import { complaints, HEARTBEAT, open, openSite, snippetOf, strictest } from './site.js';

const PRINTED = '(202) 555-0199';
const browser = await openBrowser();
t.teardown(() => browser.close());

const shownOn = (page: Page) => page.locator('#number').textContent();
const held = (page: Page) => page.locator('#state.held').waitFor();

t.test('the demo page shows a number of its own, the same after a reload and in another tab', async (t) => {
  const { w, base } = await open();
  t.teardown(() => w.http.close());
  const page = await browser.context.newPage();
  const wrong = complaints(page);
  const response = await page.goto(`${base}/demo?utm_source=ads&utm_medium=cpc&gclid=g1`);
  t.match(await response?.text(), `data-tagswitch>${PRINTED}<`, 'the printed number comes first');
  await held(page);
  t.equal(await shownOn(page), '(202) 555-0100');
  t.equal(await page.locator('#number').getAttribute('href'), 'tel:+12025550100');
  t.equal(await page.locator('#command').textContent(), 'bin/tagswitch call +12025550100');
  t.match(await page.locator('.what').textContent(), PRINTED, 'what is marked as off stays');
  const first = w.links.links[0]?.request;
  t.match(first, { session: /^(\d{1,10}-){3}\d{1,10}$/, visitor: /^(\d{1,10}-){3}\d{1,10}$/ });
  t.strictSame(JSON.parse(first?.touch ?? ''), {
    source: 'ads',
    medium: 'cpc',
    clickIds: { gclid: 'g1' },
    landingPage: `${base}/demo`,
  });

  await page.reload();
  await held(page);
  t.equal(await shownOn(page), '(202) 555-0100', 'a reload keeps it');
  const tab = await browser.context.newPage();
  await tab.goto(`${base}/demo`);
  await held(tab);
  t.equal(await shownOn(tab), '(202) 555-0100', 'another tab is the same visit');
  await tab.close();
  t.equal(w.links.links.length, 1);
  const told = w.links.links[0]?.until ?? 0;
  await until(() => (w.links.links[0]?.until ?? 0) > told);
  t.ok((w.links.links[0]?.until ?? 0) > Date.now() + 25_000, 'heartbeats give it its full hold again');

  await page.evaluate(`{
    const key = Object.keys(localStorage).find((name) => name.startsWith('tagswitch.'));
    const kept = JSON.parse(localStorage.getItem(key));
    localStorage.setItem(key, JSON.stringify({ ...kept, seen: kept.seen - 31 * 60_000 }));
  }`);
  await page.reload();
  await until(() => w.links.links.length === 2);
  const second = w.links.links[1]?.request;
  t.not(second?.session, first?.session, 'a new session after half an hour');
  t.equal(second?.visitor, first?.visitor, 'of the same visitor');
  t.strictSame(wrong, [], 'the policy of the page was never broken');
  await page.close();
});

t.test('a page that is left lets its link end soon', async (t) => {
  const { w, base } = await open();
  t.teardown(() => w.http.close());
  const page = await browser.context.newPage();
  await page.goto(`${base}/demo`);
  await held(page);
  await page.goto('about:blank');
  const left = () => (w.links.links[0]?.until ?? 0) - Date.now();
  await until(() => left() < 10_000);
  t.ok(left() < HEARTBEAT + 5_000 && left() > 0, `a heartbeat and 5 s are left (${left()} ms)`);
  await page.goBack();
  await held(page);
  await until(() => left() > 20_000);
  t.ok(left() > 20_000, 'who comes back has it again');
  t.equal(w.links.links.length, 1);
  await page.close();
});

t.test('a number that was taken away is replaced by another', async (t) => {
  const { w, base } = await open();
  t.teardown(() => w.http.close());
  const page = await browser.context.newPage();
  await page.goto(`${base}/demo`);
  await held(page);
  const link = w.links.links[0];
  if (link === undefined) throw new Error('there is a link');
  link.until = 0;
  w.links.links.push({
    ...link,
    request: { ...link.request, session: 'another' },
    until: Date.now() + 60_000,
  });
  await page.getByText('(202) 555-0101').waitFor();
  t.equal(await page.locator('#number').getAttribute('href'), 'tel:+12025550101');
  await page.close();
});

t.test('whatever fails, the page shows its printed number', async (t) => {
  const { w, base } = await open({ holdMs: 2_000, heartbeatMs: 300 });
  t.teardown(() => w.http.close());
  w.links.failure = new Error('a fault of ours');
  const page = await browser.context.newPage();
  await page.goto(`${base}/demo`);
  await page.locator('#state', { hasText: 'none could be given' }).waitFor();
  t.equal(await shownOn(page), PRINTED, 'a 500');
  w.links.failure = undefined;
  await page.reload();
  await held(page);
  t.equal(await shownOn(page), '(202) 555-0100');
  await w.http.close();
  await page.locator('#state', { hasText: 'none could be given' }).waitFor();
  t.equal(await shownOn(page), PRINTED, "the link ended unheard: the number may be another's by now");
  t.equal(await page.locator('#number').getAttribute('href'), 'tel:+12025550199');
  await page.close();
});

t.test('a refusal takes nothing back that was promised, and gives nothing', async (t) => {
  const { w, base } = await open({ heartbeatMs: 300 });
  t.teardown(() => w.http.close());
  const page = await browser.context.newPage();
  let refused = 0;
  await page.goto(`${base}/demo`);
  await held(page);
  await page.route('**/v1/allocations', (route) => {
    refused += 1;
    return route.fulfill({ status: 403, json: { status: 403, number: '+12025550155', display: 'no' } });
  });
  await until(() => refused > 2);
  t.equal(await shownOn(page), '(202) 555-0100', 'ours until its end');
  await page.addInitScript('localStorage.clear()');
  await page.reload();
  await page.locator('#state', { hasText: 'none could be given' }).waitFor();
  t.equal(await shownOn(page), PRINTED);
  await page.close();
});

t.test('heartbeats say what the page was told', async (t) => {
  const { w, base } = await open();
  t.teardown(() => w.http.close());
  const page = await browser.context.newPage();
  const told: unknown[] = [];
  page.on('response', (response) => {
    if (response.request().method() === 'OPTIONS') return;
    response.json().then(
      (body: unknown) => void told.push((body as { until?: unknown }).until),
      () => undefined,
    );
  });
  await page.goto(`${base}/demo`);
  await held(page);
  await until(() => w.links.claims.length > 1);
  const link = w.links.links[0];
  const ends = w.links.claims.map((claim) => new Date(claim?.until ?? 0).toISOString());
  t.match(w.links.claims[0], { session: link?.request.session, number: '+12025550100' });
  t.ok(
    ends.every((end) => told.includes(end)),
    'the ends that the server told, in its own words',
  );
  t.not(ends[0], ends[1], 'each time the newest');
  await page.close();
});

t.test(
  'a fresh link is confirmed once the page was looked at, and the visitor known from then on',
  async (t) => {
    const { w, base } = await open({ provisionalMs: 6_000, heartbeatMs: 20_000 });
    t.teardown(() => w.http.close());
    const page = await browser.context.newPage();
    const started = Date.now();
    await page.goto(`${base}/demo`);
    await held(page);
    t.ok((w.links.links[0]?.until ?? 0) < Date.now() + 6_000, 'a short life at first');
    await until(() => w.links.claims.length > 0);
    const after = Date.now() - started;
    t.ok(after >= 2_000 && after < 5_500, `looked at for 2 s (${after} ms)`);
    t.equal(w.links.links[0]?.fresh, false);
    const kept = () =>
      page.evaluate<string>(
        `Object.entries(localStorage).find(([name]) => name.startsWith('tagswitch.'))[1]`,
      );
    let pass: string | undefined;
    for (const end = Date.now() + 5_000; pass === undefined && Date.now() < end;)
      pass = (JSON.parse(await kept()) as { pass?: string }).pass;
    t.match(pass, /^[0-9a-z]+\.[\w-]{22}$/, 'the pass is kept beside the visitor');

    await page.evaluate(`{
    const key = Object.keys(localStorage).find((name) => name.startsWith('tagswitch.'));
    const kept = JSON.parse(localStorage.getItem(key));
    localStorage.setItem(key, JSON.stringify({ ...kept, seen: 0 }));
  }`);
    await page.reload();
    await until(() => w.links.links.length === 2);
    t.match(w.links.links[1]?.request, { known: true }, 'his next visit is no stranger');
    t.equal((JSON.parse(await kept()) as { pass?: string }).pass, pass);
    await page.close();
  },
);

t.test('a tap on the number is told, and on nothing else', async (t) => {
  const { w, base } = await open({ heartbeatMs: 20_000 });
  t.teardown(() => w.http.close());
  const page = await browser.context.newPage();
  await page.goto(`${base}/demo`);
  await held(page);
  await page.evaluate(`{
    document.querySelector('#number').addEventListener('click', (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
    });
    document.body.insertAdjacentHTML('beforeend', '<a id="fax" href="tel:+12025550111">fax</a>');
    document.querySelector('#fax').addEventListener('click', (event) => event.preventDefault());
  }`);
  await page.locator('#fax').click();
  await page.locator('#state').click();
  await page.locator('#number').click();
  await until(() => (w.links.links[0]?.tapped ?? 0) > 0);
  t.equal(w.links.links[0]?.tapped, 1);
  await page.locator('#number').click();
  await until(() => (w.links.links[0]?.tapped ?? 0) > 1);
  t.equal(w.links.links[0]?.tapped, 2, 'each time');
  await page.close();
});

t.test('the overflow number is shown, and nothing is kept of it', async (t) => {
  const overflow = { degrade: ['session', 'overflow'], overflowNumber: '+12025550190' } as const;
  const { w, base } = await open(overflow, undefined, []);
  t.teardown(() => w.http.close());
  const page = await browser.context.newPage();
  await page.goto(`${base}/demo`);
  await page.getByText('(202) 555-0190').waitFor();
  t.equal(await page.locator('#number').getAttribute('href'), 'tel:+12025550190');
  const { asked } = w.links;
  await page.waitForTimeout(2 * HEARTBEAT);
  t.equal(w.links.asked, asked, 'no heartbeats');
  await page.goto('about:blank');
  t.equal(w.links.asked, asked, 'no leave');
  await page.close();
});

t.test(
  "on a customer's page: every way of writing the number, and nothing else, across origins",
  async (t) => {
    const site = await openSite();
    t.teardown(() => {
      site.close();
    });
    const { w, base } = await open({}, site.origin);
    t.teardown(() => w.http.close());
    const snippet = await snippetOf(base);
    const body = `
    <p id="text">Call (202) 555-0199, +1 202-555-0199, 202.555.0199 or 1 202 555 0199 today</p>
    <p id="other">Fax 202-555-0111, order 12025550199123, 555-0199</p>
    <a id="tel" href="tel:+1-202-555-0199"><b>202-555-0199</b></a>
    <a id="elsewhere" href="tel:+12025550111">fax</a>
    <span id="marked" data-tagswitch>one-two-three</span>
    <p id="off" data-tagswitch-off>202-555-0199</p>
    <textarea id="area">202-555-0199</textarea>`;
    site.serve(
      `<!doctype html><title>x</title><link rel="icon" href="data:,">${snippet}<body>${body}</body>`,
      strictest(base),
    );
    const page = await browser.context.newPage();
    const wrong: string[] = [];
    page.on('pageerror', (error) => void wrong.push(error.message));
    page.on('console', (message) => void (message.text().includes('script') && wrong.push(message.text())));
    await page.goto(`${site.origin}/landing?utm_campaign=${'ü'.repeat(300)}&gclid=${'x'.repeat(600)}`);
    await page.getByText('Call (202) 555-0100').waitFor();
    const text = (id: string) => page.locator(`#${id}`).textContent();
    t.equal(await text('text'), 'Call (202) 555-0100, +1 202-555-0100, 202.555.0100 or 1 202 555 0100 today');
    t.equal(await text('other'), 'Fax 202-555-0111, order 12025550199123, 555-0199');
    t.equal(await page.locator('#tel').getAttribute('href'), 'tel:+12025550100');
    t.equal(await text('tel'), '202-555-0100');
    t.equal(await page.locator('#elsewhere').getAttribute('href'), 'tel:+12025550111');
    t.equal(await text('marked'), '(202) 555-0100');
    t.equal(await text('off'), '202-555-0199');
    t.equal(await page.locator('#area').inputValue(), '202-555-0199');
    t.match(JSON.parse(w.links.links[0]?.request.touch ?? ''), { campaign: /^ü{200}$/ }, 'a touch that fits');
    await until(() => w.links.asked > 1);
    t.ok(w.links.asked > 1, 'the heartbeat passes its preflight');
    await page.goto('about:blank');
    await until(() => (w.links.links[0]?.until ?? Infinity) < Date.now() + 10_000);
    t.ok(
      (w.links.links[0]?.until ?? Infinity) < Date.now() + 10_000,
      'the beacon arrives from another origin',
    );
    t.strictSame(wrong, []);

    await page.addInitScript({
      content: `Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('refused', 'SecurityError'); } })`,
    });
    await page.goto(`${site.origin}/landing`);
    await page.getByText('Call (202) 555-010').waitFor();
    t.equal(w.links.links.length, 2, 'without storage each page is a visit of its own');

    w.acme.sites.forEach((one) => Object.assign(one, { origins: [OTHER_ORIGIN] }));
    await page.goto(`${site.origin}/landing`);
    await page.waitForLoadState('networkidle');
    t.match(
      await text('text'),
      /^Call \(202\) 555-0199, \+1 202-555-0199/,
      'an origin that is not listed: as it was printed',
    );
    await page.close();
  },
);
