import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, type Settings } from '../../src/config/settings.js';
import { Launcher, logFile } from '../../src/start/launcher.js';
import { freePort } from '../../src/start/ports.js';
import { until } from '../standalone/media-agent.js';
import { listening } from '../support/listening.js';
import { keepingLogger } from '../support/logger.js';

/** A call record as the HTTP interface gives it. */
export interface Record_ {
  readonly id: string;
  readonly number: string;
  readonly caller: string | null;
  readonly diverting: string | null;
  readonly attestation: string;
  readonly attestationWhy: string | null;
  readonly endpoint: string | null;
  readonly session: string | null;
  readonly visitor: string | null;
  readonly link: string | null;
  readonly level: string;
  readonly late: boolean;
  readonly why: string;
  readonly redial: boolean;
  readonly test: boolean;
  readonly startedAt: string;
  readonly ringingAt: string | null;
  readonly answeredAt: string | null;
  readonly endedAt: string | null;
  readonly ringMs: number | null;
  readonly talkMs: number | null;
  readonly result: string | null;
  readonly reason: { readonly status: number; readonly q850: number; readonly text: string } | null;
  readonly fault: string | null;
  readonly destination: string | null;
  readonly route: readonly { readonly endpoint: string; readonly because: string }[] | null;
  readonly mediaNode: string | null;
  readonly media: string | null;
}

const KEY = 'an-api-key-for-these-tests';

/** Whether the real drachtio-server and FreeSWITCH are used: both addresses are set. */
export const onRealServers =
  process.env['TAGSWITCH_DRACHTIO'] !== undefined && process.env['TAGSWITCH_FREESWITCH'] !== undefined;

/**
 * The whole switch, as `npm start` runs it, with a directory of the test's own.
 *
 * With TAGSWITCH_DRACHTIO, TAGSWITCH_FREESWITCH, their secrets, TAGSWITCH_SIP and TAGSWITCH_SPOOL set, it is the
 * application on those servers. TAGSWITCH_TEST_DRACHTIO_COMMAND and TAGSWITCH_TEST_FREESWITCH_COMMAND, when set, start
 * them in the foreground, so that the tests that kill them can.
 */
export class System {
  readonly settings: Settings;
  readonly #launcher: Launcher;
  readonly #folder: string;
  readonly #servers = new Map<string, { readonly command: string; child: ChildProcess }>();

  private constructor(settings: Settings, folder: string) {
    this.settings = settings;
    this.#folder = folder;
    this.#launcher = new Launcher(settings, keepingLogger());
  }

  /** `declaration` is the YAML below `accounts[0]`, without its API key. */
  static async start(
    declaration: string,
    log = 'debug',
    more: Readonly<Record<string, string>> = {},
  ): Promise<System> {
    const folder = mkdtempSync(join(tmpdir(), 'tagswitch-e2e-'));
    const config = join(folder, 'config.yaml');
    writeFileSync(config, withAccount(declaration));
    const {
      TAGSWITCH_DRACHTIO,
      TAGSWITCH_DRACHTIO_SECRET,
      TAGSWITCH_FREESWITCH,
      TAGSWITCH_FREESWITCH_SECRET,
      TAGSWITCH_SPOOL,
      TAGSWITCH_SIP,
    } = process.env;
    const settings = readSettings(
      {
        TAGSWITCH_DATA: join(folder, 'data'),
        TAGSWITCH_CONFIG: config,
        TAGSWITCH_HTTP: `127.0.0.1:${String(await freePort())}`,
        TAGSWITCH_SIP: onRealServers ? TAGSWITCH_SIP : `127.0.0.1:${String(await freePort())}`,
        TAGSWITCH_LOG: log,
        ...(onRealServers
          ? {
              TAGSWITCH_DRACHTIO,
              TAGSWITCH_DRACHTIO_SECRET,
              TAGSWITCH_FREESWITCH,
              TAGSWITCH_FREESWITCH_SECRET,
              TAGSWITCH_SPOOL,
            }
          : {}),
        ...more,
      },
      folder,
    );
    const system = new System(settings, folder);
    await system.#startServers();
    await system.#launcher.start().catch((error: unknown) => {
      throw new Error(`the switch did not start: ${String(error)}\n${system.log().slice(-2000)}`);
    });
    await system.ready();
    return system;
  }

  get sip(): string {
    return `${this.settings.sip.host}:${String(this.settings.sip.port)}`;
  }

  get http(): string {
    return `http://${this.settings.http.host}:${String(this.settings.http.port)}`;
  }

  /** What its programs have logged. */
  log(): string {
    return readFileSync(logFile(this.settings), 'utf8');
  }

  /** The process of that name: application, redis-server, and the two servers where the tests may kill them. */
  pid(name: 'application' | 'redis-server' | 'sip-server' | 'media-server'): number {
    const pid = this.#servers.get(name)?.child.pid ?? this.#launcher.pids()[name];
    if (pid === undefined) throw new Error(`${name} is not running, or not ours to kill`);
    return pid;
  }

  /** Sends a signal to one of the processes. */
  signal(name: Parameters<System['pid']>[0], signal: NodeJS.Signals): void {
    process.kill(this.pid(name), signal);
  }

  /** Kills a process and resolves once it is gone. The launcher brings back its own; `revive` the others. */
  async kill(name: Parameters<System['pid']>[0]): Promise<void> {
    const before = this.pid(name);
    this.signal(name, 'SIGKILL');
    await until(() => !runs(before), `the end of ${name}`);
  }

  /** Resolves once a killed process has its successor, and the switch is ready. */
  async revive(name: Parameters<System['pid']>[0]): Promise<void> {
    const server = this.#servers.get(name);
    if (server !== undefined) server.child = this.#spawn(server.command);
    await until(
      () => {
        try {
          return runs(this.pid(name));
        } catch {
          return false;
        }
      },
      `a new ${name}`,
      15_000,
    );
    await this.ready();
  }

  async killAndAwait(name: Parameters<System['pid']>[0]): Promise<void> {
    await this.kill(name);
    await this.revive(name);
  }

  /** Stops a process as an operator does, and resolves once its successor is there and the switch ready. */
  async restart(name: Parameters<System['pid']>[0]): Promise<void> {
    const before = this.pid(name);
    this.signal(name, 'SIGTERM');
    await until(() => !runs(before), `the end of ${name}`);
    await this.revive(name);
  }

  /** Resolves when a call would succeed by a media node. */
  async ready(): Promise<void> {
    let now: unknown;
    const look = async (): Promise<void> => {
      try {
        const answer = (await (await fetch(`${this.http}/readyz`)).json()) as {
          ok: boolean;
          parts: { media: { detail?: string } };
        };
        now = answer.ok && answer.parts.media.detail === undefined;
      } catch {
        now = false;
      }
    };
    const end = Date.now() + 20_000;
    for (await look(); now !== true; await look()) {
      if (Date.now() > end) throw new Error('the switch did not become ready');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** `key` is that of another account of the declaration. */
  async api(
    method: string,
    path: string,
    body?: unknown,
    key = KEY,
  ): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(this.http + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  /** A number for a page view of `session`. */
  async allocate(
    endpoint: string,
    session: string,
    more: object = {},
    key = KEY,
  ): Promise<{ number: string; link: string; level: string }> {
    const asked = { endpoint, site: 'site', session, ...more };
    const { status, body } = await this.api('POST', '/v1/allocations', asked, key);
    if (status !== 201 && status !== 200) throw new Error(`allocation: ${String(status)}`);
    return body as { number: string; link: string; level: string };
  }

  async records(number?: string, key = KEY): Promise<readonly Record_[]> {
    const query = number === undefined ? '' : `number=${encodeURIComponent(number)}&`;
    const { body } = await this.api('GET', `/v1/calls?${query}limit=500`, undefined, key);
    return (body as { items: Record_[] }).items;
  }

  /** The records of the calls to `number`, once there are `count` and all have their ends; what there is after `ms`. */
  async finished(number: string, count: number, ms: number): Promise<readonly Record_[]> {
    const end = Date.now() + ms;
    for (;;) {
      const records = await this.records(number);
      const all = records.length >= count && records.every(({ result }) => result !== null);
      if (all || Date.now() > end) return records;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The one record of the one call to `number`, once it has its end. */
  async record(number: string, ms = 10_000): Promise<Record_> {
    const end = Date.now() + ms;
    for (;;) {
      const found = await this.records(number);
      if (found.length > 1) throw new Error(`${String(found.length)} records for one call`);
      const [only] = found;
      if (only !== undefined && only.result !== null) return only;
      if (Date.now() > end) throw new Error(`no finished record for ${number}: ${JSON.stringify(found)}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** `tagswitch apply --force` of another declaration, with the same account and key. Rejects where it is refused. */
  async apply(declaration: string, force = true): Promise<void> {
    const file = join(this.#folder, 'other.yaml');
    writeFileSync(file, withAccount(declaration));
    const { code } = await this.command('apply', file, ...(force ? ['--force'] : []));
    if (code !== 0) throw new Error(`apply: exit code ${String(code)}`);
  }

  /** Runs `tagswitch` with these arguments on this switch. */
  async command(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const program = new URL('../../src/cli.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, ...args], {
      env: {
        PATH: process.env['PATH'],
        TAGSWITCH_DATA: this.settings.data,
        TAGSWITCH_HTTP: this.http.slice(7),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => (said.out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (said.err += data.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...said };
  }

  /** `apply`, and the application follows it. */
  async follow(declaration: string): Promise<void> {
    const before = await this.directoryVersion();
    await this.apply(declaration);
    const end = Date.now() + 5000;
    while ((await this.directoryVersion()) === before) {
      if (Date.now() > end) throw new Error('the application does not follow the directory');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** As the metrics have it. */
  async directoryVersion(): Promise<number> {
    return Number(/^tagswitch_directory_version (\d+)/m.exec(await this.metrics())?.[1]);
  }

  /** What `/metrics` says. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.http}/metrics`)).text();
  }

  /** How many calls the application refused before any work, by why, as the metrics have it. */
  async screened(): Promise<Readonly<Record<string, number>>> {
    const counts = (await this.metrics()).matchAll(/^tagswitch_calls_screened_total\{(\w+="\w+")\} (\d+)/gm);
    return Object.fromEntries([...counts].map(([, why = '', count = '']) => [why, Number(count)]));
  }

  get redisUrl(): string {
    return `redis+unix://${join(this.settings.data, 'redis', 'redis.sock')}`;
  }

  async stop(): Promise<void> {
    await this.#launcher.close();
    for (const { child } of this.#servers.values()) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startServers(): Promise<void> {
    const commands = {
      'sip-server': process.env['TAGSWITCH_TEST_DRACHTIO_COMMAND'],
      'media-server': process.env['TAGSWITCH_TEST_FREESWITCH_COMMAND'],
    };
    if (!onRealServers) return;
    for (const [name, command] of Object.entries(commands)) {
      if (command !== undefined) this.#servers.set(name, { command, child: this.#spawn(command) });
    }
    await listening(this.settings.drachtio?.host ?? '', this.settings.drachtio?.port ?? 0);
    for (const { host, port } of this.settings.freeswitch ?? []) await listening(host, port);
  }

  #spawn(command: string): ChildProcess {
    return spawn('bash', ['-c', `exec ${command}`], { stdio: 'ignore', detached: true });
  }
}

function withAccount(declaration: string): string {
  return `apiVersion: tagswitch/v1\naccounts:\n  - name: tests\n    timeZone: Europe/London\n    apiKeys:\n      - name: key\n        key: ${KEY}\n${declaration}`;
}

/** Whether there is such a process; one that is dead but not yet waited for is none. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}
