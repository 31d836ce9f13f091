import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../src/start/ports.js';

/** A redis-server of a test's own, on a Unix socket in a directory of its own; nothing is written to disk. */
export class TestRedis {
  /** What goes into `REDIS_URL`. */
  readonly url: string;
  /** TCP port, 0 without one. */
  readonly port: number;
  readonly #directory: string;
  /** Arguments of redis-server beside the address and the directory. */
  readonly options: readonly string[];
  /** What stands before the settings: a file, and that it is a Sentinel. */
  readonly #before: readonly string[];
  #child: ChildProcess | undefined;
  #paused = false;

  private constructor(
    directory: string,
    port: number,
    options: readonly string[],
    before: readonly string[] = [],
  ) {
    this.#before = before;
    this.url = join(directory, 'redis.sock');
    this.port = port;
    this.#directory = directory;
    this.options = options;
  }

  /** Starts redis-server; `options` are more of its arguments. Resolves when it takes connections. */
  static async start(options: readonly string[] = [], port = 0): Promise<TestRedis> {
    const redis = new TestRedis(await mkdtemp(join(tmpdir(), 'tagswitch-redis-')), port, options);
    await redis.start();
    return redis;
  }

  /** A node of a cluster, on two free TCP ports of 127.0.0.1. It owns no slots yet. */
  static async startNode(nodeTimeoutMs = 2_000, more: readonly string[] = []): Promise<TestRedis> {
    const [port, bus] = [await freePort(), await freePort()];
    const options = ['--bind', '127.0.0.1', '--cluster-enabled', 'yes', '--cluster-port', String(bus)];
    const times = ['--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0'];
    return TestRedis.start([...options, ...times, ...more], port);
  }

  /** A Sentinel that watches the master `name` on a port of 127.0.0.1; it takes `quorum` of them to call it down. */
  static async startSentinel(port: number, name: string, master: number, quorum = 1): Promise<TestRedis> {
    const directory = await mkdtemp(join(tmpdir(), 'tagswitch-redis-'));
    const file = join(directory, 'sentinel.conf');
    const lines = [
      'bind 127.0.0.1',
      `sentinel monitor ${name} 127.0.0.1 ${String(master)} ${String(quorum)}`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 5000`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    const sentinel = new TestRedis(directory, port, [], [file, '--sentinel']);
    await sentinel.start();
    return sentinel;
  }

  /** Starts it, or starts it again after `kill`: empty, on the same socket. */
  async start(): Promise<void> {
    const child = spawn(
      'redis-server',
      [...this.#before, '--port', String(this.port), '--unixsocket', this.url, '--dir', this.#directory]
        .concat(this.#before.length > 0 ? [] : ['--save', '', '--appendonly', 'no'])
        .concat(this.options),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#child = child;
    const end = (): void => void child.kill('SIGKILL');
    process.once('exit', end); // a test that fails half-way leaves nothing behind
    child.once('exit', () => process.off('exit', end));
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (!/ready to accept connections|Sentinel ID is/i.test(line)) continue;
      child.stdout.resume();
      return;
    }
    throw new Error(`redis-server did not start: ${lines.slice(-3).join(' / ')}`);
  }

  /** Started, and neither ended nor paused. */
  get running(): boolean {
    return this.#child !== undefined && !this.#paused;
  }

  /** The port of a cluster node's bus. */
  get busPort(): string {
    return this.options[this.options.indexOf('--cluster-port') + 1] ?? '';
  }

  /** Stops answering, as a machine that hangs; the kernel still takes connections and bytes. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
    this.#paused = true;
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
    this.#paused = false;
  }

  /** Ends the process; `start` begins a new one. */
  kill(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** The process dies at once, as a machine that loses power. */
  crash(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    // A stopped process dies of SIGKILL as it stands; SIGTERM it must be able to read.
    if (this.#paused && signal === 'SIGTERM') this.resume();
    this.#paused = false;
    child.kill(signal);
    await exit;
  }

  /** Ends the process and removes its directory. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
