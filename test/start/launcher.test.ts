/** The launcher with all its programs, as `npm start` runs it: on free ports, each test with a data folder of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { readSettings } from '../../src/config/settings.js';
import { Child } from '../../src/start/child.js';
import { Launcher } from '../../src/start/launcher.js';
import { ownRedisSocket } from '../../src/start/own-redis.js';
import { keepingLogger } from '../support/logger.js';
import { freePort } from '../../src/start/ports.js';
import { until } from '../support/until.js';

const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const KEY = 'an-api-key-for-these-tests';
const FILE = `apiVersion: tagswitch/v1
accounts:
  - name: tests
    timeZone: Europe/London
    apiKeys: [{ name: key, key: ${KEY} }]
    sites: [{ name: site, origins: [self], printedNumber: +12025550199 }]
    trunks: [{ name: loopback, addresses: [127.0.0.0/8] }]
    endpoints: [{ name: sales, destinations: ['sip:agent@127.0.0.1:5070'] }]
    pools: [{ name: pool, numbers: [+12025550100], defaultEndpoint: sales, trunk: loopback }]
`;

t.setTimeout(120_000);

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly env: Readonly<Record<string, string>>;
  readonly http: string;
}

/** A folder with a configuration file, and free ports. */
async function place(t: Test, file = FILE): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'tagswitch-start-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.yaml');
  await writeFile(config, file);
  const data = join(folder, 'data');
  const http = `127.0.0.1:${String(await freePort())}`;
  const env = {
    TAGSWITCH_DATA: data,
    TAGSWITCH_CONFIG: config,
    TAGSWITCH_HTTP: http,
    TAGSWITCH_SIP: `127.0.0.1:${String(await freePort())}`,
  };
  return { folder, data, env, http: `http://${http}` };
}

/** `tagswitch start` as a program. */
function startProgram(t: Test, { env, folder }: Place, path = process.env['PATH'] ?? '') {
  const child = spawn(process.execPath, [CLI, 'start'], {
    cwd: folder,
    env: { PATH: path, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout.on('data', (text: Buffer) => (said.out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (said.err += text.toString()));
  const end = once(child, 'close').then(([code]) => code as number | null);
  return { child, said, end };
}

/** Ids of the programs that `parent` runs now. */
function childrenOf(parent: ChildProcess): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent.pid;
      } catch {
        return false;
      }
    });
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function session(http: string, session: string): Promise<{ number: string; link: string }> {
  const answer = await fetch(`${http}/v1/allocations`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ endpoint: 'sales', site: 'site', session }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as { number: string; link: string };
}

function timed(work: () => unknown): number {
  const began = Date.now();
  work();
  return Date.now() - began;
}

t.test('start, stop, and start again on the same data', async (t) => {
  const at = await place(t);
  const settings = readSettings(at.env, at.folder);
  const first = new Launcher(settings, keepingLogger());
  t.teardown(() => first.close());
  await first.start();
  const pids = first.pids();
  t.same(Object.keys(pids), ['redis-server', 'sip-server', 'media-server', 'application']);
  t.equal((await fetch(`${at.http}/readyz`)).status, 200);
  const given = await session(at.http, 'session-1');
  t.equal(given.number, '+12025550100');

  await first.close();
  for (const [name, pid] of Object.entries(pids)) t.notOk(runs(pid), `${name} ended`);
  t.same(first.pids(), {});
  t.notOk(existsSync(ownRedisSocket(at.data)), 'no socket is left');
  await t.rejects(fetch(`${at.http}/readyz`), 'nobody listens');

  const second = new Launcher(settings, keepingLogger());
  t.teardown(() => second.close());
  // On a machine that is busy with other things a program that does nothing takes its time, too.
  const bare = timed(() => execFileSync(process.execPath, ['-e', '0']));
  const began = Date.now();
  await second.start();
  const took = Date.now() - began;
  t.ok(took < Math.max(5000, 60 * bare), `a second start takes less than 5 s: ${String(took)} ms`);
  const { number, link } = given;
  t.match(await session(at.http, 'session-1'), { number, link }, 'the link is still there');
  await second.close();
});

t.test('closed while it starts: nothing starts any more, nothing is left', async (t) => {
  for (const wait of ['at once', 'redis-server', 'application']) {
    const at = await place(t);
    const launcher = new Launcher(readSettings(at.env, at.folder), keepingLogger());
    const started = launcher.start();
    started.catch(() => undefined);
    if (wait !== 'at once') await until(() => launcher.pids()[wait] !== undefined);
    const pids = Object.values(launcher.pids());
    await launcher.close();
    await t.rejects(started, { message: /ended before it was ready/ });
    t.same(launcher.pids(), {}, `closed at ${wait}`);
    for (const pid of pids) t.notOk(runs(pid));
  }
});

t.test('a killed launcher leaves nothing behind', async (t) => {
  const at = await place(t);
  const { child, said } = startProgram(t, at);
  await until(() => said.out.includes('Ctrl-C'), 20_000);
  const pids = childrenOf(child);
  t.equal(pids.length, 4);
  child.kill('SIGKILL');
  await until(() => !pids.some(runs), 8000);
  t.pass('all programs ended');

  const again = startProgram(t, at);
  await until(() => again.said.out.includes('Ctrl-C'), 20_000);
  t.equal((await fetch(`${at.http}/readyz`)).status, 200, 'the same data serves again');
  again.child.kill('SIGINT');
  t.equal(await again.end, 0);
  t.match(again.said.out, /stopping\n$/);
  t.equal(again.said.err, '');
});

t.test('a launcher that is killed while it starts leaves nothing behind', async (t) => {
  const at = await place(t);
  for (const programs of [1, 4]) {
    const { child, end } = startProgram(t, at);
    let pids: number[] = [];
    await until(() => (pids = childrenOf(child)).length === programs);
    child.kill('SIGKILL');
    await end;
    await until(() => !pids.some(runs), 8000);
    t.pass(`killed with ${String(programs)} programs`);
  }
});

t.test('a second launcher on the same data folder is refused, and harms nobody', async (t) => {
  const at = await place(t);
  const launcher = new Launcher(readSettings(at.env, at.folder), keepingLogger());
  t.teardown(() => launcher.close());
  await launcher.start();
  const socket = ownRedisSocket(at.data);
  const { said, end } = startProgram(t, at);
  t.equal(await end, 1);
  t.equal(said.err, `tagswitch: ${at.data}: another tagswitch runs on this data folder (TAGSWITCH_DATA)\n`);
  t.ok(existsSync(socket), 'the socket of the first is still there');
  t.equal((await fetch(`${at.http}/readyz`)).status, 200);
});

t.test('what cannot start says why, and ends', async (t) => {
  await t.test('a bad configuration file: every fault by name', async (t) => {
    const bad = FILE.replace('Europe/London', 'Europe/Lundun').replace('127.0.0.0/8', 'nowhere');
    const { said, end } = startProgram(t, await place(t, bad));
    t.equal(await end, 2);
    t.match(said.err, /^tagswitch: .*timeZone/m);
    t.match(said.err, /^tagswitch: .*addresses/m);
    t.equal(said.out, '');
  });

  await t.test('no configuration file', async (t) => {
    const at = await place(t);
    const TAGSWITCH_CONFIG = join(at.folder, 'none.yaml');
    const { said, end } = startProgram(t, { ...at, env: { ...at.env, TAGSWITCH_CONFIG } });
    t.equal(await end, 2);
    t.equal(said.err, `tagswitch: TAGSWITCH_CONFIG: ${TAGSWITCH_CONFIG} cannot be read (ENOENT)\n`);
  });

  await t.test('a data folder that is a file', async (t) => {
    const at = await place(t);
    await writeFile(at.data, '');
    const { said, end } = startProgram(t, at);
    t.equal(await end, 2);
    t.match(
      said.err,
      /^tagswitch: TAGSWITCH_DATA: expected a folder that can be written, .* cannot \(ENOTDIR\)\n$/,
    );
  });

  for (const name of ['TAGSWITCH_HTTP', 'TAGSWITCH_SIP']) {
    await t.test(`${name} is taken`, async (t) => {
      const at = await place(t);
      const taken = createServer().listen(Number(at.env[name]?.split(':')[1]), '127.0.0.1');
      await once(taken, 'listening');
      t.teardown(() => taken.close());
      const { said, end } = startProgram(t, at);
      t.equal(await end, 1);
      t.match(
        said.err,
        name === 'TAGSWITCH_HTTP' ? /^tagswitch: .*EADDRINUSE.*\n$/ : /^tagswitch: sip-server .*\n$/,
      );
    });
  }

  await t.test('no redis-server', async (t) => {
    const at = await place(t);
    const { said, end } = startProgram(t, at, '/nowhere');
    t.equal(await end, 1);
    t.match(said.err, /^tagswitch: redis-server ended before it was ready.*\n$/);
  });
});

t.test('what is not there is told, and does not keep the rest from starting', async (t) => {
  const at = await place(t);
  const away = { TAGSWITCH_DRACHTIO: '127.0.0.1:1', TAGSWITCH_DRACHTIO_SECRET: 'x' };
  const { child, said, end } = startProgram(t, { ...at, env: { ...at.env, ...away } });
  await until(() => said.out.includes('Stop it with'), 20_000);
  t.match(said.out, /^Not as it should be \(GET \/readyz\):\n {2}drachtio: not there yet$/m);
  t.notMatch(said.out, /redis: not/);
  child.kill('SIGINT');
  t.equal(await end, 0);
});

t.test('a program that does not stay is started again later and later', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tagswitch-child-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const log = keepingLogger();
  const ready = join(folder, 'ready');
  await writeFile(ready, '');
  // Ready the first time, and stays; fails at once whenever it is started again.
  const script = `const fs = require('fs'); if (!fs.existsSync(process.argv[1])) process.exit(3);
    fs.unlinkSync(process.argv[1]); console.log('{"ready":true}'); setInterval(() => {}, 1000);`;
  const child = new Child(
    { name: 'it', command: process.execPath, args: ['-e', script, ready], env: {}, ready: 'line', stderr: 2 },
    log,
  );
  t.teardown(() => child.stop());
  await child.start();
  const pid = child.pid;
  if (pid === undefined) throw new Error('it runs');
  // As if it had stayed for long.
  const now = Date.now;
  Date.now = () => now() + 60_000;
  t.teardown(() => (Date.now = now));
  process.kill(pid, 'SIGKILL');
  const waits = (): unknown[] =>
    log.lines.flatMap(({ fields }) => ('againInMs' in fields ? [fields.againInMs] : []));
  await until(() => waits().length === 4);
  t.same(waits(), [100, 200, 400, 800]);
  await child.stop();
  t.equal(child.pid, undefined);
});
