import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/start/ports.js';

const program = fileURLToPath(new URL('../../src/standalone/media-server/main.js', import.meta.url));
const configuration = fileURLToPath(new URL('../../../freeswitch-conf', import.meta.url));
const SECRET = 'event-socket-of-these-tests';

/** A switch that runs already, whose second node it is to be. */
export interface Beside {
  /** Its SIP address, host:port. */
  readonly sip: string;
  /** The password of its nodes' event sockets. */
  readonly secret: string;
}

/** A standalone media server that is not the launcher's: on another machine, so to speak, with a disk of its own. */
export class OwnNode {
  /** Of its event socket. */
  readonly port: number;
  readonly spool: string;
  readonly #beside: Beside;
  readonly #sipPort: number;
  #child: ChildProcess | undefined;

  private constructor(port: number, sipPort: number, spool: string, beside: Beside) {
    this.port = port;
    this.spool = spool;
    this.#sipPort = sipPort;
    this.#beside = beside;
  }

  /**
   * Ready to be used by a switch that is yet to start, or by the one that it is beside; `spool` is the folder that it writes
   * ended calls to.
   */
  static async start(spool: string, beside?: Beside): Promise<OwnNode> {
    const sip = beside?.sip ?? `127.0.0.1:${String(await freePort())}`;
    const secret = beside?.secret ?? SECRET;
    const node = new OwnNode(await freePort(), await freePort(), spool, { sip, secret });
    await node.again();
    return node;
  }

  /** As the records and commands call it. */
  get name(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  /** Starts it once more, after it was stopped or killed. */
  async again(): Promise<void> {
    const child = spawn(process.execPath, [program, '--conf', configuration], {
      env: {
        PATH: process.env['PATH'],
        TAGSWITCH_NODE_SIP_PORT: String(this.#sipPort),
        TAGSWITCH_NODE_SWITCH_PATTERN: this.#beside.sip.replace(/\./g, '[.]'),
        TAGSWITCH_NODE_EVENT_PORT: String(this.port),
        // Below those of the launcher's node, and of the real servers that a machine may have beside.
        TAGSWITCH_NODE_RTP_FIRST_PORT: '26000',
        TAGSWITCH_NODE_RTP_LAST_PORT: '26998',
        TAGSWITCH_NODE_SPOOL: this.spool,
        TAGSWITCH_FREESWITCH_SECRET: this.#beside.secret,
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child = child;
    if (child.stdout !== null) await once(child.stdout, 'data');
  }

  /** What the switch has to be set to so that it uses the node, reached at `port`. */
  environment(port = this.port): Record<string, string> {
    return {
      TAGSWITCH_SIP: this.#beside.sip,
      TAGSWITCH_FREESWITCH: `127.0.0.1:${String(port)}`,
      TAGSWITCH_FREESWITCH_SECRET: this.#beside.secret,
      TAGSWITCH_SPOOL: this.spool,
    };
  }

  get alive(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** As if its machine had gone: it tells nobody. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child === undefined || !this.alive) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}
