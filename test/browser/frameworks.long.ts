import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import t from 'tap';
import type { Site } from '../../src/directory/model.js';
import { root } from '../ops/tool.js';
import { KEY } from '../http/fixture.js';
import { freePort } from '../../src/start/ports.js';
import { until } from '../support/until.js';
import { openBrowser } from './browser.js';
import { exercise, messagesOf, shows } from './exercise.js';
import { openSite, openWorld } from './tagged-site.js';

interface Example {
  serve(html: string, place: Record<string, string>, secure: boolean): Server;
}

t.setTimeout(240_000);
const browser = await openBrowser();
t.teardown(() => browser.close());
const folder = await mkdtemp(join(tmpdir(), 'tagswitch-frameworks-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
// With libraries of their own, so that these are of no other age than what is tested.
const sources = 'test/browser/frameworks';
for (const path of [sources, 'examples/pages', 'dist/package'])
  await cp(join(root, path), join(folder, path), { recursive: true });
for (const name of ['package.json', 'package-lock.json'])
  await cp(join(root, sources, name), join(folder, name));
await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
  cwd: folder,
  env: { ...process.env, NODE_OPTIONS: '' },
});

/** One file of a page's sources with all that it needs; React and Vue as developers have them, with their warnings. */
async function bundle(name: string, platform: 'browser' | 'node' = 'browser'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, sources, name)],
    bundle: true,
    platform,
    format: platform === 'node' ? 'cjs' : 'esm',
    jsx: 'automatic',
    alias: { 'tagswitch-tag': join(folder, 'dist/package') },
    define: {
      'process.env.NODE_ENV': '"development"',
      __VUE_OPTIONS_API__: 'true',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true',
    },
    logLevel: 'warning',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

async function rendered(name: string): Promise<string> {
  const path = join(folder, `${name}.cjs`);
  await writeFile(path, await bundle(name, 'node'));
  const { html } = (
    (await import(pathToFileURL(path).href)) as { default: { html(this: void): string | Promise<string> } }
  ).default;
  return html();
}

async function open(html: string, script: string, delayMs = 0, life: Partial<Site> = {}) {
  const site = await openSite(life);
  const page = await browser.context.newPage();
  const messages = messagesOf(page);
  // No time passes: the tag waits until the framework is there, and for nothing else.
  if (/__n|data-hydrate/.test(html)) await page.addInitScript('performance.now = () => 0');
  site.files.set('/', {
    body: `<!doctype html><meta charset="utf-8"><title>x</title><link rel="icon" href="data:,">${site.snippet}
      <body>${html}<script type="module" src="/app.js"></script>`,
  });
  site.files.set('/app.js', { body: script, type: 'text/javascript', delayMs });
  const close = async () => {
    await page.close();
    await site.close();
  };
  return { ...site, page, messages, close, go: () => page.goto(site.origin) };
}

const KINDS = [
  { name: 'React', server: 'react-server.jsx', hydrate: 'react-hydrate.jsx', id: '__next' },
  { name: 'Vue', server: 'vue-server.js', hydrate: 'vue-hydrate.js', id: '__nuxt' },
] as const;

for (const { name, server, hydrate, id } of KINDS) {
  t.test(
    `${name} takes the server's HTML over as if there were no tag, where its root is known`,
    async (t) => {
      const html = await rendered(server);
      const script = await bundle(hydrate);
      for (const attributes of [`id="${id}"`, 'id="root" data-hydrate']) {
        for (const delayMs of [0, 700]) {
          const { page, messages, go, close } = await open(
            `<div ${attributes}>${html}</div>`,
            script,
            delayMs,
          );
          await go();
          await exercise(page);
          t.strictSame(messages, [], `${attributes}, its script after ${delayMs} ms`);
          await close();
        }
      }
    },
  );

  t.test(`${name} finds its way where nobody marked its root`, async (t) => {
    const script = await bundle(hydrate);
    const { page, origin, close } = await open(`<div id="root">${await rendered(server)}</div>`, script, 700);
    const came = page.waitForResponse(/app\.js/);
    await page.goto(origin, { waitUntil: 'commit' });
    await shows(page, '#tel', '202-555-0100');
    await came;
    t.pass('the tag was there first');
    await exercise(page);
    await close();
  });
}

t.test('React takes a part of the page over later than the rest', async (t) => {
  const { page, messages, go, close } = await open(
    `<div id="__next">${await rendered('react-late-server.jsx')}</div>`,
    await bundle('react-late-hydrate.jsx'),
  );
  t.teardown(close);
  await go();
  await shows(page, '#tel', '202-555-0100');
  t.equal(await page.locator('#foot').textContent(), '(202) 555-0199, 0', 'not taken over yet: not touched');
  await page.evaluate('come()');
  await shows(page, '#foot', '(202) 555-0100, 0');
  await page.locator('#late').click();
  await shows(page, '#late', 'late 1');
  await shows(page, '#foot', '(202) 555-0100, 1');
  await exercise(page);
  t.strictSame(messages, []);
});

for (const script of ['react-client.jsx', 'vue-client.js']) {
  t.test(`a page that ${script} makes in the browser, and writes over and over`, async (t) => {
    const { page, messages, go, close } = await open(
      '<div id="root"></div><div id="second"></div>',
      await bundle(script),
    );
    await go();
    await exercise(page);
    const turn = async () => Number(await page.locator('#turn').getAttribute('data-turn'));
    const before = await turn();
    await page.waitForFunction(
      (from) =>
        Number((globalThis as unknown as Seen).document.querySelector('#turn')?.dataset['turn']) > from + 20,
      before,
    );
    // In one turn of the page's own: what a visitor would see when it is painted.
    const seen = await page.evaluate(watchFrames, 20);
    t.strictSame([...new Set(seen)], ['0100 0100'], 'each frame shows it');
    t.strictSame(messages, []);
    await close();
  });
}

interface Seen {
  readonly document: {
    querySelector(selector: string): { textContent: string; dataset: Record<string, string> } | null;
  };
  requestAnimationFrame(next: () => void): void;
}

/** What so many frames show of the two texts that change all the time. In the page. */
function watchFrames(count: number): Promise<string[]> {
  const page = globalThis as unknown as Seen;
  const ends = (selector: string) => page.document.querySelector(selector)?.textContent.slice(-4);
  return new Promise((resolve) => {
    const seen: string[] = [];
    const look = () => {
      seen.push(`${ends('#turn')} ${ends('#again')}`);
      if (seen.length < count) page.requestAnimationFrame(look);
      else resolve(seen);
    };
    page.requestAnimationFrame(look);
  });
}

t.test('a server puts the number into its HTML, and the tag knows it as its own', async (t) => {
  const out = join(folder, 'server.cjs');
  await writeFile(out, await bundle('../../../examples/pages/server.ts', 'node'));
  const example = ((await import(pathToFileURL(out).href)) as { default: Example }).default;
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const { w, base, snippet } = await openWorld(origin, { holdMs: 3_000, heartbeatMs: 1_000 });
  const tag = snippet.replace(' data-site', ' data-session="tss=([\\w-]+)" data-site');
  const server = example.serve(
    `<!doctype html><link rel="icon" href="data:,">${tag}<p id="text">Call (202) 555-0199<p id="off" data-tagswitch-off>(202) 555-0199`,
    { base, key: KEY, site: 'web', endpoint: 'sales' },
    false,
  );
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await page.close();
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const page = await browser.context.newPage();
  const response = await page.goto(`${origin}/?utm_source=ads`);
  t.match(
    await response?.text(),
    '<p id="text">Call (202) 555-0100<p id="off" data-tagswitch-off>(202) 555-0199',
  );
  await page.waitForFunction('window.tagswitch?.number()?.then(({ state }) => state === "held")');
  t.equal(w.links.links.length, 1, 'the session of both is one');
  t.match(w.links.links[0]?.request, { touch: /"source":"ads"/ });
  t.match(
    await page.evaluate('tagswitch.visit()'),
    { visitor: w.links.links[0]?.request.visitor },
    'and the visitor',
  );
  await shows(page, '#text', 'Call (202) 555-0100');
  await w.http.close();
  await shows(page, '#text', 'Call (202) 555-0199');
  t.pass('its end is known as well');
});

t.test('the npm package in a page: the tag is loaded once, and React shows the number itself', async (t) => {
  const { page, messages, w, base, snippet, origin, files, close } = await open('', '', 0, {
    holdMs: 3_000,
    heartbeatMs: 1_000,
  });
  t.teardown(close);
  const attribute = (name: string) => new RegExp(` ${name}="([^"]*)"`).exec(snippet)?.[1] ?? '';
  const ids = Object.fromEntries(
    ['site', 'endpoint', 'tag', 'number'].map((name) => [name, attribute(`data-${name}`)]),
  );
  const tag = { src: attribute('src'), integrity: attribute('integrity'), ...ids };
  t.match(tag, { src: `${base}/t/`, number: '+1 2025550199' });
  const html = `<div id="root">${await rendered('react-package-server.jsx')}</div>`;
  files.set('/', {
    body: `<!doctype html><meta charset="utf-8"><title>x</title><link rel="icon" href="data:,"><body>${html}
      <script>window.tag = ${JSON.stringify(tag)}</script><script type="module" src="/app.js"></script>`,
  });
  files.set('/app.js', { body: await bundle('react-package.jsx'), type: 'text/javascript' });
  await page.goto(origin);
  t.equal(
    await page.locator('.phone').textContent(),
    '(202) 555-0199',
    'the printed one, until there is a tag',
  );
  t.equal(
    await page.evaluate<string>(`page.load({ ...tag, src: tag.src + 'x' }).catch(({ message }) => message)`),
    `the tag ${tag.src}x could not be loaded: blocked, not there, or not what integrity says`,
  );
  messages.length = 0;
  t.ok(
    await page.evaluate(
      `Promise.all([page.load(tag), page.load(tag)]).then(([a, b]) => a === b && a === tagswitch)`,
    ),
  );
  t.equal(await page.evaluate(`document.querySelectorAll('script[data-site]').length`), 1, 'one element');
  t.match(await page.evaluate(`page.number('+1 2025550199')`), { number: '+12025550100', level: 'session' });
  await shows(page, '.phone', '(202) 555-0100');
  await shows(page, '.again', 'or here: (202) 555-0100');
  await page.locator('.phone[href="tel:+12025550100"]').waitFor();
  await page.locator('button').click();
  await shows(page, 'button[data-state=held]', 'Asked 1 times');
  t.strictSame(await page.evaluate('page.told'), [
    ['printed', null],
    ['held', '+12025550100'],
  ]);
  await page.evaluate(
    `document.querySelector('.phone').addEventListener('click', (event) => event.preventDefault())`,
  );
  await page.locator('.phone').click();
  await until(() => w.links.links[0]?.tapped === 1);
  t.equal(w.links.links.length, 1, 'a tap on it is told');

  t.strictSame(messages, []);
  // The network is away for longer than the number lives.
  await page.evaluate('page.stop()');
  await w.http.close();
  await shows(page, '.phone', '(202) 555-0199');
  await page.locator('button[data-state=printed]').waitFor();
  t.equal(await page.evaluate('page.told.length'), 2, 'who stopped is told no more');
});
