/** What a page does after the tag has looked through it: it adds, changes, copies, prints, leaves and comes back. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { World } from '../http/fixture.js';
import { openBrowser } from './browser.js';
import { until } from '../support/until.js';
import { complaints, endLinks, open, openSite, snippetOf } from './site.js';

const browser = await openBrowser();
const site = await openSite();
const stranger = await openSite();
t.teardown(async () => {
  await browser.close();
  for (const { close } of [site, stranger]) close();
});

const PRINTED = '(202) 555-0199';
const FIRST = '(202) 555-0100';
const SECOND = '(202) 555-0101';

interface Given {
  readonly w: World;
  readonly page: Page;
  readonly wrong: readonly string[];
  readonly text: (selector: string) => Promise<string>;
  /** Runs in the page; what it changed has been looked at when this resolves. */
  readonly run: <T>(script: string) => Promise<T>;
  /** The page's number is another's, and it gets the next one. */
  readonly renumber: () => Promise<void>;
}

async function load(t: Test, body: string, numbers = ['+12025550100', '+12025550101']): Promise<Given> {
  const { w, base } = await open({}, site.origin, numbers);
  t.teardown(() => w.http.close());
  const snippet = await snippetOf(base);
  const policy = `default-src 'none'; script-src 'unsafe-inline' ${base}; connect-src ${base}; frame-src *; img-src data:`;
  site.serve(
    `<!doctype html><title>x</title><link rel="icon" href="data:,">${snippet}<body>${body}</body>`,
    policy,
  );
  const page = await browser.context.newPage();
  page.setDefaultTimeout(10_000);
  t.teardown(() => page.close());
  const wrong = complaints(page);
  await page.goto(site.origin);
  await page.evaluate('tagswitch.number()');
  const next = (state: string) => `new Promise((resolve) =>
    document.addEventListener('tagswitch', ({ detail }) => ${state} && resolve(null)))`;
  return {
    w,
    page,
    wrong,
    text: (selector) => page.evaluate<string>(`document.querySelector('${selector}').textContent`),
    run: (script) => page.evaluate(`(async () => { ${script} })()`),
    renumber: async () => {
      const changed = page.evaluate(next(`detail.number === '${numbers[1]}'`));
      for (const link of [...w.links.links]) {
        link.until = 0;
        w.links.links.push({ ...link, request: { ...link.request, session: 'another' }, until: Infinity });
      }
      await changed;
    },
  };
}

/** Once what was changed has been seen by all observers of the page. */
const SEEN = 'await new Promise((resolve) => setTimeout(resolve));';

t.test('a page that comes in pieces has the number in its first picture, and in what follows', async (t) => {
  let rest: ServerResponse | undefined;
  let start = `<p>${PRINTED}</p>`;
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.write(`<!doctype html><title>x</title><link rel="icon" href="data:,">${snippet}${start}`);
    rest = response;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { w, base } = await open({ heartbeatMs: 20_000 }, origin, ['+12025550100']);
  const snippet = await snippetOf(base);
  const page = await browser.context.newPage();
  t.teardown(async () => {
    await page.close();
    server.closeAllConnections();
    server.close();
    await w.http.close();
  });
  await page.goto(origin, { waitUntil: 'commit' });
  await page.locator('p', { hasText: FIRST }).waitFor();
  t.equal(await page.evaluate('document.readyState'), 'loading');
  rest?.end(`<footer>${PRINTED}</footer>`);
  await page.locator('footer', { hasText: FIRST }).waitFor();
  t.equal(w.links.links.length, 1);

  // On the next page it is known before the page is there, and a server has written it.
  start = '<p>Welcome</p>';
  await page.goto(origin, { waitUntil: 'commit' });
  await until(() => page.evaluate(`window.tagswitch?.number().then(({ state }) => state === 'held')`));
  t.equal(await page.evaluate('document.readyState'), 'loading');
  rest?.end(`<footer>${FIRST}</footer>`);
  await until(() => page.evaluate('tagswitch.places().length === 1'));
  endLinks(w);
  await page.evaluate(`history.pushState({}, '', '/next')`);
  await page.locator('footer', { hasText: PRINTED }).waitFor();
});

t.test(
  'a number that a server wrote is known, and a page without any is not looked through again',
  async (t) => {
    const written = await load(t, `<p>Call ${FIRST}</p>`);
    t.equal(await written.text('p'), `Call ${FIRST}`);
    t.equal(await written.run('return tagswitch.places().length'), 1);
    await written.renumber();
    t.equal(await written.text('p'), `Call ${SECOND}`, 'it goes on with the visit');

    const { w, run } = await load(t, '<p>Welcome</p>');
    t.equal(await run('return tagswitch.places().length'), 0);
    await run(`
    window.reads = 0;
    const { get } = Object.getOwnPropertyDescriptor(Node.prototype, 'firstChild');
    Object.defineProperty(Node.prototype, 'firstChild', { get() { window.reads++; return get.call(this); } });
  `);
    const { asked } = w.links;
    await until(() => w.links.asked > asked + 1);
    t.equal(await run('return window.reads'), 0, 'two heartbeats later');
  },
);

t.test('what is added, changed and copied later', async (t) => {
  const { text, run, renumber, wrong, w, page } = await load(
    t,
    `<p id="text">${PRINTED}</p><p id="other">x</p><a id="link" href="tel:2025550199" title="x">Call</a>
     <b id="marked" data-tagswitch>call us</b><div id="list"></div>
     <div id="slides"><p>Call <i>${PRINTED}</i> <a href="tel:+12025550199">now</a></p></div>`,
  );
  await run(`document.body.insertAdjacentHTML('beforeend',
    '<p id="added">${PRINTED}</p><a id="tel" href="tel:+12025550199">Call</a><b id="mark" data-tagswitch>us</b>'); ${SEEN}`);
  t.equal(await text('#added'), FIRST, 'added elements');
  t.equal(await page.locator('#tel').getAttribute('href'), 'tel:+12025550100');
  t.equal(await text('#mark'), FIRST);
  await run(`for (let nth = 0; nth < 500; nth++) {
    const item = document.querySelector('#list').appendChild(document.createElement('p'));
    item.append('Call ', '202-555-0199');
  } ${SEEN}`);
  t.equal(await text('#list'), 'Call 202-555-0100'.repeat(500), 'many, one by one');

  await run(`document.querySelector('#text').firstChild.data = 'Ring 202.555.0199'; ${SEEN}`);
  t.equal(await text('#text'), 'Ring 202.555.0100', 'changed text');
  await run(`document.querySelector('#text').textContent = 'no number'; ${SEEN}`);
  t.equal(await text('#text'), 'no number');
  await run(`document.querySelector('#text').innerHTML = '<b>202</b> 555 <i>0199</i>'; ${SEEN}`);
  t.equal(await text('#text'), '202 555 0100', 'replaced HTML');
  await run(`document.querySelector('#marked').textContent = 'ring us'; ${SEEN}`);
  t.equal(await text('#marked'), FIRST, 'a mark stays one');
  await run(
    `link.href = 'tel:1-202-555-0199'; link.title = '${PRINTED}'; link.setAttribute('aria-label', 'Call ${PRINTED}'); ${SEEN}`,
  );
  const attributes = `return [link.getAttribute('href'), link.title, link.getAttribute('aria-label')]`;
  t.strictSame(await run(attributes), ['tel:+12025550100', FIRST, `Call ${FIRST}`], 'changed attributes');
  await run(`link.removeAttribute('title'); link.href = '/contact'; ${SEEN}`);
  t.strictSame(await run(attributes), ['/contact', '', `Call ${FIRST}`]);

  await run(`slides.append(slides.firstElementChild.cloneNode(true)); ${SEEN}`);
  const slides = () => run<string>('return slides.innerHTML');
  const slide = (number: string, tel: string) =>
    `<p>Call <i>${number}</i> <a href="tel:${tel}">now</a></p>`.repeat(2);
  t.equal(await slides(), slide(FIRST, '+12025550100'), 'a copy of what was changed');
  await renumber();
  t.equal(await slides(), slide(SECOND, '+12025550101'), 'follows');
  t.equal(await text('#added'), SECOND);
  const lost = page.evaluate(`new Promise((resolve) =>
    document.addEventListener('tagswitch', ({ detail }) => detail.state === 'printed' && resolve(null)))`);
  endLinks(w);
  await lost;
  t.equal(await slides(), slide(PRINTED, '+12025550199'), 'and goes back');
  t.equal(await text('#list'), 'Call 202-555-0199'.repeat(500));
  t.equal(await text('#marked'), 'ring us', 'what the page wrote last');
  t.strictSame(wrong, []);
});

t.test('a page that always writes its number back has it in the end, and is not slowed down', async (t) => {
  const { run, text } = await load(
    t,
    `<p id="stubborn">${PRINTED}</p><p id="other">${PRINTED}</p>
    <script>new MutationObserver(() => {
      if (stubborn.textContent !== '${PRINTED}') stubborn.textContent = '${PRINTED}';
    }).observe(stubborn, { childList: true, characterData: true, subtree: true });</script>`,
  );
  t.equal(await text('#stubborn'), PRINTED);
  t.equal(await text('#other'), FIRST);
  const longest = await run<number>(`
    let longest = 0;
    for (let nth = 0, last = performance.now(); nth < 40; nth++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
    return longest`);
  t.ok(longest < 1_000, `two heartbeats long, no task of ${longest} ms`);
});

t.test('documents inside the page', async (t) => {
  stranger.serve(`<!doctype html><p id="in">${PRINTED}</p>`, '');
  const document = (id: string) =>
    `<!doctype html><p id="${id}">${PRINTED}</p><a href="tel:2025550199">x</a>`;
  site.serve(document('first'), '', '/first');
  site.serve(document('second'), '', '/second');
  const { page, run, text, wrong, renumber } = await load(
    t,
    `<p id="text">${PRINTED}</p><iframe name="own" src="/first"></iframe><iframe name="foreign" src="${stranger.origin}"></iframe>`,
  );
  const own = page.frame('own');
  await page.frameLocator('[name=own]').getByText(FIRST).waitFor();
  t.equal(await own?.locator('a').getAttribute('href'), 'tel:+12025550100', 'of the same site');
  t.equal(await page.frame('foreign')?.locator('#in').textContent(), PRINTED, 'a foreign one');
  await run(`document.querySelector('iframe').src = '/second'`);
  await page.frameLocator('[name=own]').locator('#second', { hasText: FIRST }).waitFor();
  await run(`document.body.insertAdjacentHTML('beforeend', '<iframe name="late" src="/first"></iframe>')`);
  await page.frameLocator('[name=late]').getByText(FIRST).waitFor();
  await renumber();
  t.equal(await page.frame('late')?.locator('#first').textContent(), SECOND);
  t.equal(await page.frame('own')?.locator('#second').textContent(), SECOND);
  t.equal(await text('#text'), SECOND);
  t.strictSame(wrong, []);
});

t.test('an open shadow root that the page tells of, and what comes into it', async (t) => {
  const { run, renumber } = await load(t, `<div id="host"></div>`);
  const inside = `return [...host.shadowRoot.querySelectorAll('p')].map((p) => p.textContent)`;
  await run(
    `host.attachShadow({ mode: 'open' }).innerHTML = '<p>${PRINTED}</p>'; tagswitch.swap(host.shadowRoot);`,
  );
  t.strictSame(await run(inside), [FIRST]);
  await run(
    `host.shadowRoot.append(Object.assign(document.createElement('p'), { textContent: '${PRINTED}' })); ${SEEN}`,
  );
  t.strictSame(await run(inside), [FIRST, FIRST]);
  await renumber();
  t.strictSame(await run(inside), [SECOND, SECOND]);
});

t.test('on paper stands the printed number', async (t) => {
  const { page, run, text } = await load(
    t,
    `<p id="text">${PRINTED}</p><a id="link" href="tel:2025550199">x</a>`,
  );
  const both = async () => [await text('#text'), await page.locator('#link').getAttribute('href')];
  await page.emulateMedia({ media: 'print' });
  await run(`dispatchEvent(new Event('beforeprint'))`);
  t.strictSame(await both(), [PRINTED, 'tel:2025550199']);
  await run(`document.body.insertAdjacentHTML('beforeend', '<p id="late">${PRINTED}</p>'); ${SEEN}`);
  t.equal(await text('#late'), PRINTED);
  await run(`dispatchEvent(new Event('afterprint'))`);
  t.strictSame(await both(), [FIRST, 'tel:+12025550100']);
  t.equal(await text('#late'), FIRST);
});

t.test('another address without a load is another page view, with the same number', async (t) => {
  const { w, run, text, page } = await load(t, `<main id="main"><p>${PRINTED}</p></main>`);
  const asked = () =>
    page.evaluate<number>(
      `performance.getEntriesByName(performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/v1/allocations')).name).length`,
    );
  const before = await asked();
  await run(`history.pushState({}, '', '/contact');
    main.innerHTML = '<h1>Contact</h1><p>Call ${PRINTED}</p>'; ${SEEN}`);
  t.equal(await text('#main'), `ContactCall ${FIRST}`);
  await run(`history.pushState({}, '', '/contact?utm_source=ads')`);
  await until(() => w.links.links.length > 1);
  t.match(w.links.links.at(-1)?.request.touch, /ads/, 'a campaign is a new visit');
  await page.evaluate('tagswitch.number()');
  t.ok((await asked()) > before);
});

t.test('a page that comes back from the memory of the browser asks again', async (t) => {
  const { w, run, text } = await load(t, `<p id="text">${PRINTED}</p>`);
  const { asked } = w.links;
  await run(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));`);
  const left = () => (w.links.links[0]?.until ?? 0) - Date.now();
  // Which of the two arrives first is nobody's business.
  await until(() => w.links.asked > asked + 1 && left() > 20_000);
  t.ok(left() > 20_000, 'its link is not about to end');
  t.equal(await text('#text'), FIRST);
});

t.test('two numbers in one text', async (t) => {
  const { w, base } = await open({}, site.origin, ['+12025550100', '+12025550101']);
  t.teardown(() => w.http.close());
  const [sales, service] = [
    await snippetOf(base),
    await snippetOf(base, { endpoint: 'service', number: '+12025550198' }),
  ];
  const html = 'Sales 202-555-0199, service 202-555-0198';
  site.serve(`<!doctype html><title>x</title>${sales}${service}<p id="text">${html}</p>`, '');
  const page = await browser.context.newPage();
  t.teardown(() => page.close());
  await page.goto(site.origin);
  const numbers = await page.evaluate<{ number: string }[]>(
    `Promise.all([tagswitch.number('+12025550199'), tagswitch.number('+12025550198')])`,
  );
  const [one, two] = numbers.map(({ number }) => number.slice(-4));
  t.not(one, two);
  await page.getByText(`Sales 202-555-${one}, service 202-555-${two}`).waitFor();
  endLinks(w);
  await page.getByText(html).waitFor();
});
