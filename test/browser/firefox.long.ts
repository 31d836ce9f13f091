import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import t from 'tap';
import { until } from '../support/until.js';
import { endLinks } from './site.js';
import { openSite } from './tagged-site.js';

t.setTimeout(120_000);
const BODY = `
  <p id="text">Call (202) 555-0199, +1 202-555-0199 or 202.555.0199</p>
  <a id="tel" href="tel:+1-202-555-0199" title="202 555 0199">202-555-0199</a>
  <p id="off" data-tagswitch-off>202-555-0199</p>`;

/** A Firefox with a profile of its own. Ended and removed by `close`. */
async function openFirefox(): Promise<{ browser: Browser; close: () => Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), 'tagswitch-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env['FIREFOX'] ?? '/usr/bin/firefox-esr',
    headless: true,
    userDataDir: profile,
    timeout: 60_000,
    extraPrefsFirefox: { 'app.update.enabled': false, 'datareporting.policy.dataSubmissionEnabled': false },
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

let browser: Browser;
t.before(async () => {
  const opened = await openFirefox();
  browser = opened.browser;
  t.teardown(opened.close);
});

async function open(life: Parameters<typeof openSite>[0] = {}) {
  const site = await openSite(life);
  const html = (body: string) =>
    `<!doctype html><meta charset="utf-8"><title>x</title><link rel="icon" href="data:,">${site.snippet}<body>${body}</body>`;
  site.files.set('/', { body: html(BODY) });
  site.files.set('/next', { body: html('<p id="text">Or call 202-555-0199</p>') });
  const page = await browser.newPage();
  const wrong: string[] = [];
  page.on('pageerror', (error) => void wrong.push(String(error)));
  return { ...site, page, wrong };
}

async function shows(page: Page, selector: string, wanted: string): Promise<void> {
  const look = () => page.evaluate(`document.querySelector(${JSON.stringify(selector)})?.textContent`);
  await until(async () => (await look()) === wanted).catch(async () => {
    throw new Error(`${selector} has the text ${String(await look())}, not ${wanted}`);
  });
}

t.test('Firefox: the number is shown, kept, and told of', async (t) => {
  const { w, origin, page, wrong, close } = await open();
  t.teardown(close);
  await page.goto(`${origin}/?utm_source=ads`);
  await shows(page, '#text', 'Call (202) 555-0100, +1 202-555-0100 or 202.555.0100');
  await shows(page, '#tel', '202-555-0100');
  t.equal(await page.evaluate(`document.querySelector('#tel').getAttribute('href')`), 'tel:+12025550100');
  t.equal(await page.evaluate(`document.querySelector('#tel').title`), '202 555 0100');
  await shows(page, '#off', '202-555-0199');
  t.match(w.links.links[0]?.request.touch, /"source":"ads"/);

  await page.evaluate(`
    document.body.insertAdjacentHTML('beforeend', '<p id="late">Late: (202) 555-0199</p><a id="fax" href="tel:+12025550111">x</a>');
    document.querySelector('#late').firstChild.data += ' and 202.555.0199';
    for (const link of document.links) link.addEventListener('click', (event) => event.preventDefault());`);
  await shows(page, '#late', 'Late: (202) 555-0100 and 202.555.0100');

  await page.click('#fax');
  await page.click('#tel');
  await until(() => w.links.links[0]?.tapped === 1);
  t.pass('a tap on it is told, and on nothing else');

  const left = () => (w.links.links[0]?.until ?? 0) - Date.now();
  t.ok(left() > 26_000, 'a full hold');
  await page.goto('about:blank');
  await until(() => left() < 26_000);
  t.pass('the leave is told');
  await page.goto(`${origin}/next`);
  await shows(page, '#text', 'Or call 202-555-0100');
  await until(() => left() > 26_000);
  t.equal(w.links.links.length, 1, 'the next page of the visit has it again');
  await page.reload();
  await shows(page, '#text', 'Or call 202-555-0100');
  t.match(await page.evaluate('tagswitch.number()'), { state: 'held', number: '+12025550100' });
  t.equal(w.links.links.length, 1, 'a reload keeps it');
  t.strictSame(wrong, []);
  await page.close();
});

t.test('Firefox: a page that comes back out of the cache asks for its number again', async (t) => {
  const { w, origin, files, page, wrong, close } = await open();
  t.teardown(close);
  files.set('/plain', { body: '<!doctype html><title>x</title><p id="plain">no tag</p>' });
  await page.goto(origin);
  await shows(page, '#tel', '202-555-0100');
  await page.evaluate(`addEventListener('pageshow', ({ persisted }) => (window.persisted = persisted))`);
  const left = () => (w.links.links[0]?.until ?? 0) - Date.now();
  const comeBack = async () => {
    await page.evaluate('history.back()');
    await shows(page, '#off', '202-555-0199');
    t.equal(await page.evaluate('window.persisted'), true, 'it is the page that was left, as it was');
  };
  await page.goto(`${origin}/plain`);
  await until(() => left() < 26_000);
  await comeBack();
  await until(() => left() > 26_000);
  t.equal(w.links.links.length, 1, 'its number is kept again');

  await page.evaluate('history.forward()');
  await shows(page, '#plain', 'no tag');
  endLinks(w);
  await comeBack();
  await shows(page, '#tel', '202-555-0101');
  t.strictSame(wrong, []);
  await page.close();
});

t.test('Firefox: where storage is refused each page is a visit', async (t) => {
  const { w, origin, page, wrong, close } = await open();
  t.teardown(close);
  await page.evaluateOnNewDocument(
    `Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('refused', 'SecurityError'); } })`,
  );
  await page.goto(origin);
  await shows(page, '#tel', '202-555-0100');
  await page.goto(`${origin}/next`);
  await shows(page, '#text', 'Or call 202-555-0101');
  t.equal(w.links.links.length, 2);
  t.strictSame(wrong, []);
  await page.close();
});

t.test('Firefox: whatever fails, the page shows its printed number', async (t) => {
  const { w, origin, page, wrong, close } = await open({ holdMs: 2_000, heartbeatMs: 300 });
  t.teardown(close);
  w.links.failure = new Error('a fault of ours');
  await page.goto(origin);
  t.match(await page.evaluate('tagswitch.number()'), { state: 'printed' }, 'a 500');
  await shows(page, '#tel', '202-555-0199');
  t.equal(await page.evaluate(`getComputedStyle(document.querySelector('#tel')).visibility`), 'visible');
  w.links.failure = undefined;
  await page.reload();
  await shows(page, '#tel', '202-555-0100');
  t.strictSame(wrong, []);
  await w.http.close();
  await shows(page, '#text', 'Call (202) 555-0199, +1 202-555-0199 or 202.555.0199');
  t.equal(
    await page.evaluate(`document.querySelector('#tel').getAttribute('href')`),
    'tel:+1-202-555-0199',
    'its end',
  );
  await page.close();
});
