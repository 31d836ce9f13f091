/** What the demo page says of its number, for each level that the real allocator gives: nothing that is not true of it. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { Site } from '../../src/directory/model.js';
import { chunks } from '../../src/directory/ranges.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { PoolStore } from '../../src/numbers/pool-store.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { makeDirectory, makeRecord, World } from '../http/fixture.js';
import { keepingLogger } from '../support/logger.js';
import { freePort } from '../../src/start/ports.js';
import { TestRedis } from '../support/redis.js';
import { openBrowser } from './browser.js';

const redis = await TestRedis.start();
const clients = new RedisClients(redis.url, keepingLogger());
const browser = await openBrowser();
t.teardown(async () => {
  await browser.close();
  await clients.close('the test is over');
  await redis.stop();
});
await clients.ready(5_000);
// The patient client: a machine that is slow for a moment is no reason for the printed number here.
const scripts = new RedisScripts(clients.background);
const allocator = new Allocator(scripts);
const pools = new PoolStore(scripts);

const OVERFLOW = '+12025550190';
/** What nobody may read who does not have the number alone. */
const OWN = /yours|your number|your visit made|another visitor/i;

interface Demo {
  readonly w: World;
  readonly base: string;
  readonly page: Page;
  /** All text that a reader of the page sees. */
  text(): Promise<string>;
  /** Resolves once the page says how it stands with its number. */
  says(text: RegExp): Promise<void>;
}

/** The demo page of a site, with all numbers of its pool or with none. */
async function demo(t: Test, life: Partial<Site>, filled: boolean): Promise<Demo> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const directory = makeDirectory(undefined, base, { holdMs: 30_000, heartbeatMs: 400, ...life });
  const parts = { demo: { site: 'closed', endpoint: 'service' }, links: allocator, now: Date.now };
  const w = new World(parts, directory);
  t.teardown(() => w.http.close());
  for (const pool of filled ? w.acme.pools : []) {
    for (const numbers of chunks(pool.numbers, 1_000)) await pools.reserve(w.acme.id, pool.id, numbers);
  }
  await w.http.listen('127.0.0.1', port);
  const page = await browser.context.newPage();
  page.setDefaultTimeout(10_000); // less than the test has, so that a failure says what was awaited
  t.teardown(() => page.close());
  await page.goto(`${base}/demo?utm_source=ads`);
  return {
    w,
    base,
    page,
    text: () => page.locator('body').innerText(),
    says: async (text) => page.locator('#state').filter({ hasText: text }).waitFor(),
  };
}

/** For eyes: where TAGSWITCH_TEST_PICTURES names a folder, the page as it stands goes there. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['TAGSWITCH_TEST_PICTURES'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** The number that somebody else gets who comes the same way. */
async function numberOfAnother({ base }: Demo, session: string): Promise<string> {
  const answer = await fetch(`${base}/v1/allocations`, {
    method: 'POST',
    headers: { origin: base, 'content-type': 'text/plain' },
    body: JSON.stringify({ site: 'closed', endpoint: 'service', session, touch: { source: 'ads' } }),
  });
  return ((await answer.json()) as { number: string }).number;
}

/** Somebody called the number that the page shows, by its link. */
async function called({ w, page }: Demo): Promise<void> {
  const number = await shownBy(page);
  const site = w.acme.sites.find(({ name }) => name === 'closed')?.id ?? null;
  const link = await clients.background.hgetall(accountKeys(w.acme.id).links);
  const [id = null] = Object.entries(link).find(([, of]) => of === number) ?? [];
  const now = Date.now();
  w.callLog.records.push(
    makeRecord({ account: w.acme.id, site, number, link: id, startedAt: now, answeredAt: now, endedAt: now }),
  );
}

const shownBy = async (page: Page): Promise<string> =>
  ((await page.locator('#number').getAttribute('href')) ?? '').replace('tel:', '');
const command = (page: Page): Promise<string | null> => page.locator('#command').textContent();

t.test('level session: the number is the visit\u2019s alone', async (t) => {
  const one = await demo(t, {}, true);
  await one.says(/^This number is yours alone$/);
  const text = await one.text();
  t.match(text, /Yours for 0:\d\d, and longer while you look at this page/);
  t.match(text, /Calls to your number/);
  t.match(text, /the record of the call says that your visit made the phone ring/);
  t.match(text, /Open a private window: another visitor, another number/);
  t.not(await numberOfAnother(one, 'another'), await shownBy(one.page), 'and so it is');
  await picture(one.page, 'session');
});

t.test('level bucket: the number is shared by a class of visitors', async (t) => {
  const bucket = { criteria: ['source'], threshold: 0, switchAt: 'above', backAt: 0 } as const;
  const one = await demo(t, { degrade: ['session', 'bucket'], bucket }, true);
  await one.says(/^You share this number with visitors who came the way that you came$/);
  t.equal(await numberOfAnother(one, 'another'), await shownBy(one.page), 'and so it is');
  const text = await one.text();
  t.notMatch(text, OWN);
  t.match(text, /Held for 0:\d\d, and longer while one of those who share it looks/);
  t.match(text, /Calls to this number/);
  t.match(text, /the record of the call says which way its caller came, not which visit it was/);
  t.match(text, /A call appears here as soon as it comes in, whoever of you made it/);
  t.equal(await command(one.page), `bin/tagswitch call ${await shownBy(one.page)}`);
  await picture(one.page, 'bucket');
  await called(one);
  await one.page.getByRole('cell', { name: 'answered' }).waitFor();
  // The page's own listener came first: it has run when this one does.
  await one.page.evaluate(
    `new Promise((heard) => document.addEventListener('tagswitch', () => heard(null), { once: true }))`,
  );
  t.equal(await one.page.locator('#no-calls').isVisible(), false, 'no heartbeat says that there are none');
});

t.test('level overflow: the number is everybody\u2019s', async (t) => {
  const one = await demo(t, { degrade: ['session', 'overflow'], overflowNumber: OVERFLOW }, false);
  await one.says(/^The overflow number: all for whom there is no number of their own share it$/);
  t.equal(await shownBy(one.page), OVERFLOW);
  t.equal(await numberOfAnother(one, 'another'), OVERFLOW, 'and so it is');
  const text = await one.text();
  t.notMatch(text, OWN);
  t.notMatch(text, /appears here|is free for the next/, 'nothing is promised that needs a link');
  t.match(text, /no link by which this page could list its calls/);
  t.equal(await one.page.locator('#life').isVisible(), false, 'there is no time to run out');
  t.equal(await command(one.page), `bin/tagswitch call ${OVERFLOW}`);
  await picture(one.page, 'overflow');
});

t.test('level none: it is the printed number', async (t) => {
  const one = await demo(t, {}, false);
  await one.says(/^The printed number: none could be given to this visit$/);
  const text = await one.text();
  t.notMatch(text, OWN);
  t.notMatch(text, /appears here|is free for the next|in place|rings the demo agent|is connected to/);
  t.match(text, /no link by which this page could list its calls/);
  t.match(text, /none could be given, so it stays/);
  t.equal(await one.page.locator('#life').isVisible(), false);
  t.equal(await command(one.page), `bin/tagswitch call ${one.w.acme.sites[0]?.printedNumber}`);
  await picture(one.page, 'none');
});

t.test('a number that was lost: the page says nothing of it any more, until it has one again', async (t) => {
  const one = await demo(t, { holdMs: 3_000, heartbeatMs: 300 }, true);
  await one.says(/yours alone/);
  await called(one);
  await one.page.reload();
  await one.page.getByRole('cell', { name: 'answered' }).waitFor();
  await one.page.route('**/v1/**', (route) => route.abort());
  await one.says(/^The printed number/);
  const text = await one.text();
  t.notMatch(text, OWN);
  t.equal(await one.page.locator('#calls-box').isVisible(), false, 'nor of the calls to it');
  t.equal(await command(one.page), `bin/tagswitch call ${one.w.acme.sites[0]?.printedNumber}`);
  await one.page.unroute('**/v1/**');
  await one.page.reload();
  await one.says(/yours alone/);
  t.equal(await command(one.page), `bin/tagswitch call ${await shownBy(one.page)}`);
});
