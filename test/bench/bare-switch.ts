import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { listening } from '../support/listening.js';
import { PlainNode } from './plain-node.js';
import { cpuMs } from './processes.js';

const PROGRAM = fileURLToPath(new URL('bare-proxy.js', import.meta.url));

/** drachtio-server, a program that only proxies (bare-proxy.ts), and FreeSWITCH as it is without us. */
export class BareSwitch {
  readonly #node: PlainNode;
  readonly #drachtio: ChildProcess;
  readonly #proxy: ChildProcess;

  private constructor(node: PlainNode, drachtio: ChildProcess, proxy: ChildProcess) {
    this.#node = node;
    this.#drachtio = drachtio;
    this.#proxy = proxy;
  }

  /** Both commands start their server in the foreground; `ways` is where each number leads, host:port. */
  static async start(
    freeSwitch: string,
    drachtio: string,
    ways: ReadonlyMap<string, string>,
  ): Promise<BareSwitch> {
    const sip = process.env['TAGSWITCH_SIP'] ?? '';
    const control = process.env['TAGSWITCH_DRACHTIO'] ?? '';
    const throughDrachtio = [...ways].map(([number, to]) => {
      const port = to.slice(to.lastIndexOf(':') + 1);
      return [number, `${sip};at=${port}`] as const;
    });
    const node = await PlainNode.start(freeSwitch, new Map(throughDrachtio));
    const server = spawn('bash', ['-c', `exec ${drachtio}`], { stdio: 'ignore', detached: true });
    const [host = '', port = ''] = control.split(':');
    await listening(host, Number(port)).catch(async (error: unknown) => {
      server.kill('SIGTERM');
      await node.stop();
      throw error;
    });
    const proxy = spawn(process.execPath, [PROGRAM, control, node.sip], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DRACHTIO_SECRET: process.env['TAGSWITCH_DRACHTIO_SECRET'] },
    });
    const started = new BareSwitch(node, server, proxy);
    const [said] = (await Promise.race([once(proxy.stdout, 'data'), once(proxy, 'exit')])) as [unknown];
    if (String(said) === 'ready\n') return started;
    await started.stop();
    throw new Error('the bare proxy did not start');
  }

  /** Where callers reach it. */
  get sip(): string {
    return process.env['TAGSWITCH_SIP'] ?? '';
  }

  /** CPU that the program that proxies, and FreeSWITCH, have taken, ms. */
  cpuTimes(): { readonly application: number; readonly 'media-server': number } {
    if (this.#proxy.pid === undefined) throw new Error('the bare proxy did not start');
    return { application: cpuMs(this.#proxy.pid), 'media-server': cpuMs(this.#node.pid) };
  }

  async stop(): Promise<void> {
    for (const child of [this.#proxy, this.#drachtio]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await this.#node.stop();
  }
}
