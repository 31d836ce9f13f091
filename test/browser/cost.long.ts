/**
 * What the tag costs a page.
 *
 * Main thread: Chromium's trace says when it compiled and ran a script, called a function, fired a timer and ran microtasks.
 * No other script is in the page, so that the union of these spans is the tag's; what Playwright itself evaluates carries
 * another address. Styles and layout that a changed text brings are not in it. The spans are of the thread's own time, times
 * four: Chromium's own throttling does the same by spinning, but by the clock on the wall, so that whatever else this machine
 * does would count four times. The median of five loads: told in ms, and held against that of a script that does the least that one
 * with a number for each visit has to do, in turn with it, since this machine's own speed changes twofold within an hour.
 *
 * A page of a site that was looked at before comes in a process that ran its scripts before; the first one, in one that is new: there
 * everything is dearer. Chromium takes a new one for every load where it keeps left pages for the way back.
 */
import type { CDPSession, Page, Request } from 'playwright-core';
import t, { type Test } from 'tap';
import { openBrowser } from './browser.js';
import { open, openSite, snippetOf, strictest } from './site.js';
import { families } from './swap-fixtures.js';

t.setTimeout(120_000);
const LOADS = 5;
const SLOWER = 4;
const LATENCY_MS = 40;

const warm = await openBrowser();
const cold = await openBrowser([], ['--disable-back-forward-cache']);
const site = await openSite();
t.teardown(async () => {
  await Promise.all([warm.close(), cold.close()]);
  site.close();
});

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  /** Microseconds of the thread's own time: what other processes of this machine do meanwhile is not in it. */
  readonly tts?: number;
  readonly tdur?: number;
  readonly args: { readonly data?: { readonly url?: string } };
}

const OF_A_SCRIPT = /^(?:EvaluateScript|v8\.compile|v8\.produceCache|FunctionCall|TimerFire|RunMicrotasks)$/;

const OF_THE_PAGE = /^(?:ParseHTML|UpdateLayoutTree|Layout|Paint)$/;

/** For how long scripts of this address kept the page's main thread, ms. */
const ofScripts = (events: readonly TraceEvent[], base: string) =>
  spent(
    events.filter(({ name, args }) => OF_A_SCRIPT.test(name) && (args.data?.url ?? base).startsWith(base)),
  );

/** How long all of these took, ms of a thread that is slower; what is within another one counts once. */
function spent(events: readonly TraceEvent[]): number {
  const spans = events
    .filter(({ ph }) => ph === 'X')
    .map(({ tts = NaN, tdur = NaN }) => ({ from: tts, to: tts + tdur }))
    .sort((a, b) => a.from - b.from);
  let sum = 0;
  let end = 0;
  for (const { from, to } of spans) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return (sum / 1_000) * SLOWER;
}

async function traced(session: CDPSession, body: () => Promise<void>): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: unknown[] }) => void events.push(...(value as TraceEvent[]));
  session.on('Tracing.dataCollected', collect);
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {
      includedCategories: ['devtools.timeline', 'v8', 'v8.execute', 'disabled-by-default-v8.compile'],
    },
  });
  await body();
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  session.off('Tracing.dataCollected', collect);
  return events;
}

/**
 * What no such script does without: storage and cookie read, one request, the page's text looked through once and its list item by
 * item, its links asked for, changes watched. It decides nothing, keeps no session and writes no text.
 */
const least = (base: string) => `(() => {
  let done;
  const answered = new Promise((resolve) => (done = resolve));
  window.tagswitch = { number: () => answered };
  localStorage.setItem('least', localStorage.getItem('least') + document.cookie.length);
  for (const name of ['visibilitychange', 'online', 'pageshow', 'pagehide', 'storage', 'click'])
    addEventListener(name, () => {});
  fetch('${base}/v1/allocations', { method: 'POST', body: '{}', signal: AbortSignal.timeout(5_000) })
    .then((response) => response.json())
    .then(done);
  document.addEventListener('DOMContentLoaded', () => {
    const page = document.documentElement;
    new MutationObserver(() => {}).observe(document, { subtree: true, childList: true, characterData: true });
    window.found = [/0199/.test(page.textContent)];
    for (let item = page.querySelector('ul').firstChild; item; item = item.nextSibling)
      if (/0199/.test(item.textContent)) found.push(item);
    for (const link of page.querySelectorAll('[href*="99"]')) found.push(link);
  });
})()`;

const median = (all: readonly number[]) => [...all].sort((a, b) => a - b)[all.length >> 1] ?? NaN;

/** A page of that many elements and texts, as a shop's list is: the number in its head, its foot and some of its items. */
function longPage(nodes: number): string {
  // An item is of about 16 nodes.
  const items = Array.from({ length: Math.floor(nodes / 16) }, (_, nth) => {
    const call =
      nth % (nodes / 16 / 8) < 1 ? 'Call <a href="tel:+12025550199">202-555-0199</a>' : 'In <i>stock</i>';
    return `<li class="item"><a href="/item/${nth}" title="Item ${nth}"><img alt="Picture ${nth}"><b>Item ${nth}</b></a><p>It came on 2026-11-${10 + (nth % 20)} and weighs ${nth * 7}.50 kg, no. ${(nth * 7_919) % 1_000_000}.</p><p>$${nth + 5}.99 <s>$${nth * 2}.00</s></p><p>${call}</p></li>`;
  });
  return `<body><div id="app"><header><a href="tel:+12025550199">(202) 555-0199</a></header><main><ul>${items.join('')}</ul></main><footer>Call (202) 555-0199</footer></div></body>`;
}

const pageOf = (script: string, body: string) =>
  `<!doctype html><title>x</title><link rel="icon" href="data:,">${script}${body}`;

async function setUp(
  t: Test,
  body: string,
  browser = warm,
): Promise<{ base: string; page: Page; session: CDPSession }> {
  const { w, base } = await open({ heartbeatMs: 20_000 }, site.origin);
  t.teardown(() => w.http.close());
  site.serve(pageOf(await snippetOf(base), body), strictest(base));
  const page = await browser.context.newPage();
  t.teardown(() => page.close());
  const session = await browser.context.newCDPSession(page);
  await session.send('Network.enable');
  return { base, page, session };
}

for (const [nodes, most, browser] of [
  [5_000, 4, warm],
  [5_000, 5, cold],
  [50_000, 2.5, warm],
] as const) {
  const where = `${nodes} nodes in a ${browser === warm ? 'process that knows them' : 'new process'}`;
  t.test(`${where} cost at most ${most} times the least`, async (t) => {
    t.setTimeout(100_000);
    const body = longPage(nodes);
    const { base, page, session } = await setUp(t, body, browser);
    const script = `${site.origin}/least.js`;
    site.serve(least(base), '', '/least.js');
    site.serve(pageOf(`<script async src="${script}"></script>`, body), '', '/least');
    /** Loads a page and says for how long the script kept it, and what it cost itself, ms. */
    const load = async (path: string, from: string) => {
      await page.goto('about:blank');
      const events = await traced(session, async () => {
        await page.goto(site.origin + path);
        await page.evaluate('tagswitch.number()');
        await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))');
      });
      const own = spent(events.filter(({ name }) => OF_THE_PAGE.test(name)));
      return { ours: ofScripts(events, from), own };
    };
    const all: number[] = [];
    const leasts: number[] = [];
    const owns: number[] = [];
    for (let nth = 0; nth < LOADS; nth++) {
      leasts.push((await load('/least', script)).ours);
      const { ours, own } = await load('', base);
      all.push(ours);
      owns.push(own);
    }
    const found = await page.evaluate<number>(
      'tagswitch.places().filter(({ before }) => before.includes("0199")).length',
    );
    t.equal(found, body.match(/555-?0199/g)?.length, 'all places were found');
    const times = median(all) / median(leasts);
    t.ok(times <= most, `${times.toFixed(2)} times: ${all.map((ms) => ms.toFixed(1)).join(', ')} ms`);
    const [tag, floor, own] = [median(all), median(leasts), median(owns)].map((ms) => ms.toFixed(1));
    t.comment(`${where}: tag ${tag} ms, the least ${floor} ms, the page itself ${own} ms`);
  });
}

t.test('the number is there soon after the page, for one request', async (t) => {
  const { base, page, session } = await setUp(t, longPage(1_000));
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: LATENCY_MS,
    downloadThroughput: -1,
    uploadThroughput: -1,
  });
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  await page.addInitScript({
    content: `document.addEventListener('tagswitch', () => (window.shownAt ??= performance.now()))`,
  });
  const all: number[] = [];
  for (let nth = 0; nth < LOADS; nth++) {
    // As a visitor who was never here: what was shown before would be there at once.
    await session.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'local_storage' });
    await page.goto('about:blank');
    const ours: string[] = [];
    const note = (request: Request) =>
      void (request.url().startsWith(base) && ours.push(new URL(request.url()).pathname));
    page.on('request', note);
    await page.goto(site.origin);
    await page.evaluate('tagswitch.number()');
    all.push(
      await page.evaluate<number>(
        `shownAt - performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd`,
      ),
    );
    page.off('request', note);
    t.match(ours, [/^\/t\/\w+\.js$/, '/v1/allocations']);
    t.equal(ours.length, 2, 'the script, one request, and nothing else');
  }
  t.ok(median(all) <= 300, `${all.map((ms) => ms.toFixed(0)).join(', ')} ms after the page was there`);
});

for (const { name, printed, number, fixtures } of families) {
  t.test(`nothing moves: ${name}`, async (t) => {
    const { w, base } = await open({}, site.origin, [number]);
    t.teardown(() => w.http.close());
    const body = fixtures.map(({ html }) => `<section>${html}</section>`).join('');
    site.serve(pageOf(await snippetOf(base, { number: printed }), `<body>${body}`), '');
    const page = await warm.context.newPage();
    t.teardown(() => page.close());
    await page.goto(site.origin);
    await page.evaluate('tagswitch.number()');
    const shifts = await page.evaluate<number[]>(`new Promise((resolve) => {
      const all = [];
      new PerformanceObserver((list) => all.push(...list.getEntries().map(({ value }) => value)))
        .observe({ type: 'layout-shift', buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 0, all)));
    })`);
    t.strictSame(shifts, []);
  });
}
