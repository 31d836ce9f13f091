import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import t from 'tap';
import { root } from '../ops/tool.js';
import { freePort } from '../../src/start/ports.js';
import { until } from '../support/until.js';
import { openBrowser } from './browser.js';
import { exercise, messagesOf, shows } from './exercise.js';
import { openWorld } from './tagged-site.js';

const run = promisify(execFile);
t.setTimeout(600_000);

const folder = await mkdtemp(join(tmpdir(), 'tagswitch-next-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
await cp(join(root, 'test/browser/next'), folder, { recursive: true });
await cp(join(root, 'test/browser/frameworks/react-app.jsx'), join(folder, 'react-app.jsx'));
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_OPTIONS: '', NODE_ENV: 'production' };
const program = join(folder, 'node_modules/next/dist/bin/next');
await run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder, env });
const started = performance.now();
await run(process.execPath, [program, 'build'], { cwd: folder, env });
t.comment(`next build: ${Math.round((performance.now() - started) / 1000)} s`);

const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const { w, snippet } = await openWorld(origin);
t.teardown(() => w.http.close());
const server = await start();
t.teardown(async () => {
  const ended = once(server, 'exit');
  server.kill();
  await ended;
});
const browser = await openBrowser();
t.teardown(() => browser.close());

/** The program `next start`, whose pages carry the snippet. */
async function start(): Promise<ChildProcess> {
  const names = { crossorigin: 'crossOrigin' } as Readonly<Record<string, string>>;
  const attributes = [...snippet.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
    names[name] ?? name,
    value,
  ]);
  const TAG = JSON.stringify(Object.fromEntries(attributes));
  const child = spawn(process.execPath, [program, 'start', '-H', '127.0.0.1', '-p', String(port)], {
    cwd: folder,
    env: { ...env, TAG },
    stdio: 'ignore',
  });
  const answers = () =>
    fetch(origin)
      .then(({ ok }) => ok)
      .catch(() => false);
  await until(answers, 30_000);
  return child;
}

async function open(path: string): Promise<{ page: Page; messages: string[] }> {
  const page = await browser.context.newPage();
  // No time passes: the tag waits until React is there, and for nothing else.
  await page.addInitScript(`performance.now = () => 0`);
  const messages = messagesOf(page);
  await page.goto(origin + path);
  return { page, messages };
}

for (const [router, path] of [
  ['app', '/'],
  ['pages', '/old'],
] as const) {
  t.test(`Next.js, ${router} router: as if there were no tag, and the number is shown`, async (t) => {
    const { page, messages } = await open(path);
    t.match(await (await fetch(origin + path)).text(), '(202) 555-0199', 'rendered by the server');
    await exercise(page);
    if (router === 'app')
      for (const id of ['soon', 'slow']) {
        await shows(page, `#${id}`, '(202) 555-0100, 0');
        await page.locator(`#${id}-more`).click();
        await shows(page, `#${id}`, '(202) 555-0100, 1');
      }
    await page.locator('#link').click();
    await shows(page, '#far', 'Far away: +1 202-555-0100');
    await page.locator('#back').click();
    await shows(page, '#home', 'Home: 202.555.0100');
    for (let nth = 0; nth < 3; nth++) {
      await page.reload();
      await exercise(page);
    }
    t.strictSame(messages, [], 'and never a word of it');
    await page.close();
  });
}
