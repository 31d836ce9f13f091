/** The playground and the overlay: what a web developer is shown is what the tag did. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { KEY, makeDirectory, World } from '../http/fixture.js';
import { freePort } from '../../src/start/ports.js';
import { openBrowser } from './browser.js';

const PRINTED = '(212) 555-0150';
const SHOWN = '(202) 555-0100';
const browser = await openBrowser();
t.teardown(() => browser.close());
// The overlay is in a closed root, which nothing sees into; here it is open.
await browser.context.addInitScript({
  content: `{
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (init) { return attach.call(this, { ...init, mode: 'open' }); };
  }`,
});

async function open(
  t: Test,
  extraOrigin?: string,
): Promise<{ w: World; base: string; page: Page; wrong: string[] }> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const life = { holdMs: 30_000, heartbeatMs: 20_000, printedNumber: '+12125550150' };
  const directory = makeDirectory(extraOrigin, base, life);
  const w = new World({ demo: { site: 'closed', endpoint: 'service' }, now: Date.now }, directory);
  await w.http.listen('127.0.0.1', port);
  const page = await browser.context.newPage();
  page.setDefaultTimeout(8_000);
  const wrong: string[] = [];
  page.on('console', (message) => void (message.type() === 'error' && wrong.push(message.text())));
  page.on('pageerror', (error) => void wrong.push(error.message));
  t.teardown(async () => {
    await page.close();
    await w.http.close();
  });
  return { w, base, page, wrong };
}

const inFrame = (page: Page, selector: string) => page.frameLocator('#result').locator(selector);
const text = async (page: Page, selector: string) => (await inFrame(page, selector).innerText()).trim();
const shows = (page: Page, selector: string, hasText: string | RegExp) =>
  inFrame(page, selector).filter({ hasText }).first().waitFor();
const choose = (page: Page, example: string) => page.locator('#example').selectOption(example);
const says = (page: Page, hasText: string | RegExp) => page.locator('#status').filter({ hasText }).waitFor();
const linesOf = async (page: Page, list: string) => {
  const lines = inFrame(page, `[data-tagswitch-overlay] ${list} li`);
  // What is not drawn yet has no lines.
  await lines.first().waitFor();
  return (await lines.allInnerTexts()).map((line) => line.split('\n').filter(Boolean).slice(0, 2).join(': '));
};

t.test('the examples show what they promise, and no policy is broken', async (t) => {
  const { base, page, wrong, w } = await open(t);
  const response = await page.goto(`${base}/demo`);
  t.equal(response?.status(), 200);
  await page.getByRole('link', { name: 'Try the tag on a page of your own' }).click();

  await says(page, `The page shows ${SHOWN}: this visit\u2019s own number`);
  t.match(await text(page, 'body'), `Call ${SHOWN}, 202-555-0100 or 202.555.0100.`);
  t.match(await text(page, 'body'), /Fax: \(212\) 555-0199\. Order 4711212555015099\./);
  t.equal(await inFrame(page, 'a').getAttribute('href'), 'tel:+12025550100');
  t.equal(await inFrame(page, 'a').getAttribute('title'), `Rings ${SHOWN}`);
  t.match(
    await page.locator('#snippet').textContent(),
    /^<script async="" src="\/t\/|^<script async src="\/t\//,
  );
  t.match(await page.locator('#snippet').textContent(), 'data-number="+1 2125550150"');
  const asked = page.locator('#requests tr');
  await asked.filter({ hasText: '/v1/allocations' }).waitFor();
  t.match((await asked.allInnerTexts()).join('\n'), /GET\s+\/t\/\S+ \(the tag.*\)\s+200\s+[\d,]+ B/);
  t.match((await asked.allInnerTexts()).join('\n'), /POST\s+\/v1\/allocations\s+20[01]\s+\d+ B\s+\d+ ms/);

  await choose(page, 'vanity');
  await shows(page, 'h1', 'Dial 1-202-555-0100');

  await choose(page, 'late');
  await shows(page, '#late a', SHOWN);

  await choose(page, 'route');
  await shows(page, 'main', `Call ${SHOWN}`);
  await inFrame(page, 'button >> nth=1').click();
  await shows(page, 'main', 'Our line: 202-555-0100');
  await inFrame(page, 'button >> nth=2').click();
  await shows(page, 'main', 'Our line: 202-555-0101');
  t.match(w.links.lastRequest?.touch, /"source":"newsletter"/, 'a new campaign is another visit');

  await choose(page, 'shadow');
  await shows(page, '#handed p', /Handed over: \(202\) 555-01/);
  t.equal(await text(page, '#forgotten p'), `Forgotten: ${PRINTED}`);

  await choose(page, 'frame');
  await page
    .frameLocator('#result')
    .frameLocator('iframe')
    .locator('p')
    .filter({ hasText: /In the frame: \(202\) 555-01/ })
    .waitFor();

  await choose(page, 'picture');
  await inFrame(page, `#hotline[src*="(202) 555-01"]`).waitFor();

  await choose(page, 'print');
  await shows(page, 'p', /Call \(202\) 555-01/);
  await page.getByRole('button', { name: 'As on paper' }).click();
  await shows(page, 'p', `Call ${PRINTED}`);
  await page.getByRole('button', { name: 'As on paper' }).click();
  await shows(page, 'p', /Call \(202\) 555-01/);
  t.strictSame(wrong, []);
});

t.test('the overlay lists every place, and why others are none', async (t) => {
  const { base, page, wrong } = await open(t);
  await page.goto(`${base}/demo/playground`);
  await says(page, SHOWN);
  await page.getByLabel('Overlay').check();
  await inFrame(page, '[data-tagswitch-overlay] [role=status]')
    .filter({ hasText: /^6 places/ })
    .waitFor();
  t.strictSame(
    (await linesOf(page, 'ul:not(.left)')).map((line) => line.split(': ')[0]),
    ['text', 'text', 'attribute title', 'tel', 'split over elements', 'split over elements'],
  );
  t.strictSame(await linesOf(page, '.left'), [
    'other digits than the printed number: (212) 555-0199',
    'part of a longer number or word: 4711212555015099',
  ]);
  const known = inFrame(page, '[data-tagswitch-overlay] dl');
  await known.filter({ hasText: /State\s*held/ }).waitFor();
  const facts = await known.innerText();
  t.match(facts, /State\s+held/);
  t.match(facts, /Shown\s+\(202\) 555-0100 \(\+12025550100\)/);
  t.match(facts, /Level\s+session/);
  t.match(facts, /Session\s+(\d+-){3}\d+/);
  t.match(facts, /Consent\s+granted: nobody asked/);
  t.notMatch(facts, /lnk_|pass|tag=/, 'what is as good as a key stays out');

  await inFrame(page, '[data-tagswitch-overlay] li button >> nth=2').click();
  const mark = await inFrame(page, '[data-tagswitch-overlay] .mark').boundingBox();
  const place = await inFrame(page, 'body > p > a').boundingBox();
  t.ok(
    mark && place && mark.x < place.x + place.width && mark.y < place.y && mark.y > place.y - 12,
    'outlined',
  );

  await choose(page, 'off');
  await inFrame(page, '[data-tagswitch-overlay] [role=status]')
    .filter({ hasText: /^1 place found/ })
    .waitFor();
  t.strictSame(await linesOf(page, '.left'), [
    `opted out: data-tagswitch-off: ${PRINTED}`,
    `inside contenteditable: what people type is theirs: ${PRINTED}`,
    `inside <textarea>: what people type is theirs: ${PRINTED}`,
    'without its area code: it could be any town\u2019s: 555-0150',
    'other digits than the printed number: (212) 555-0199',
    'part of a longer number or word: 882125550150',
    'a reference or part of an address (# = & @ %): 2125550150',
    'an amount, not a telephone number: 2125550150',
    "another country's number: +44 1632 960150",
    'a date: 2019-05-21',
  ]);

  const panel = inFrame(page, '[data-tagswitch-overlay] .panel');
  const before = await panel.boundingBox();
  await inFrame(page, '[data-tagswitch-overlay]').getByRole('button', { name: /^Move/ }).press('ArrowUp');
  const after = await panel.boundingBox();
  t.equal(Math.round((before?.y ?? 0) - (after?.y ?? 0)), 24, 'moved by keyboard');
  await inFrame(page, '[data-tagswitch-overlay]').getByRole('button', { name: 'Fold' }).click();
  t.equal(await inFrame(page, '[data-tagswitch-overlay] .body').isVisible(), false);
  await panel.press('Escape');
  t.equal(await inFrame(page, '[data-tagswitch-overlay]').count(), 0, 'closed');
  t.strictSame(wrong, []);
});

t.test('settings of the form reach the tag; without consent there is the number of a class', async (t) => {
  const { w, base, page, wrong } = await open(t);
  await page.goto(`${base}/demo/playground#example=consent`);
  await says(page, `The page shows ${SHOWN}: the number of all who came this way`);
  t.match(w.links.lastRequest, { anonymous: true, session: '' });
  t.match(w.links.lastRequest?.touch, /"source":"ads"/);
  await inFrame(page, 'dl').filter({ hasText: 'bucket: of all who came this way' }).waitFor();
  const facts = await inFrame(page, 'dl').innerText();
  t.match(facts, /Session\s+none\s+Visitor\s+none is kept\s+Consent\s+not granted: data-consent/);

  await page.getByLabel('utm_source').fill('letters');
  await says(page, 'The page shows (202) 555-0101: the number of all who came this way');
  await page.getByLabel('Consent').selectOption('granted');
  await page.getByLabel('gclid').fill('click-1');
  await says(page, /this visit\u2019s own number/);
  t.match(w.links.lastRequest?.touch, /"clickIds":\{"gclid":"click-1"\}/);

  await page
    .getByLabel('HTML of the page')
    .fill('<p id="mine">Ring +44 1632 960150</p><script>alert(1)</script>');
  await page.getByLabel('Printed number (E.164)').fill('+441632960150');
  await shows(page, '#mine', /Ring \(202\) 555-01/);
  t.match(wrong.join(), /Content Security Policy/, 'a script in the HTML does not run');
  t.equal(wrong.length, 1, 'and nothing else is refused');
  await page.getByLabel('Rules (JSON)').fill('[["p"]]');
  await says(page, 'Some values are missing or malformed. rules: a JSON list');
  const asked = w.links.asked;
  await page.evaluate(`{
    const area = document.querySelector('#html');
    area.value = 'x'.repeat(16_385);
    area.dispatchEvent(new Event('input'));
  }`);
  await says(page, 'The page is too large');
  t.equal(w.links.asked, asked, 'it is not even sent');
});

t.test('the overlay on a page of another site, under a policy that allows no style at all', async (t) => {
  let html = '';
  let policy = '';
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', policy);
    response.end(html);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { base, page, wrong } = await open(t, origin);
  const tags = await fetch(`${base}/v1/tags`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site: 'web', endpoint: 'sales' }),
  });
  const { snippet, debugTag } = (await tags.json()) as { snippet: string; debugTag: string };
  policy = `default-src 'none'; script-src ${base}; connect-src ${base}; style-src 'none'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'`;
  html = `<!doctype html><title>x</title><link rel="icon" href="data:,">${snippet}${debugTag}<body><p id="p">${PRINTED}</p><p>By mail</p></body>`;
  await page.goto(origin);
  const status = page.locator('[data-tagswitch-overlay] [role=status]');
  await status.filter({ hasText: '1 place found, 0 left alone' }).waitFor();
  const panel = page.locator('[data-tagswitch-overlay] .panel');
  t.equal(
    await page.evaluate(
      `getComputedStyle(document.querySelector('[data-tagswitch-overlay]').shadowRoot.querySelector('.panel')).position`,
    ),
    'fixed',
    'it has its looks',
  );
  await page.evaluate(`document.body.append('Fax 212-555-0111')`);
  await status.filter({ hasText: '1 place found, 1 left alone' }).waitFor();
  t.ok((await panel.innerText()).includes(PRINTED), 'the tag leaves the panel alone');
  await page.emulateMedia({ media: 'print' });
  t.equal(await panel.isVisible(), false, 'never on paper');
  await page.emulateMedia({ media: 'screen' });
  await page.evaluate(
    `document.dispatchEvent(new CustomEvent('tagswitch', { detail: { state: 'printed', printed: '+12125550150' } }))`,
  );
  await page
    .locator('[data-tagswitch-overlay] dl')
    .filter({ hasText: 'the page shows its own number' })
    .waitFor();
  // As a bookmarklet does.
  const code = await fetch(/src="([^"]+)"/.exec(debugTag)?.[1] ?? '');
  await page.evaluate(await code.text());
  t.equal(await page.locator('[data-tagswitch-overlay]').count(), 0, 'a second time closes it');
  t.strictSame(wrong, []);
});
