import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/redis.js';

const program = fileURLToPath(new URL('../../src/standalone/media-server/main.js', import.meta.url));
const configuration = fileURLToPath(new URL('../../../freeswitch-conf', import.meta.url));
const SECRET = 'event-socket-of-these-tests';

/** A standalone media server that is not the launcher's: on another machine, so to speak, with a disk of its own. */
export class OwnNode {
  /** Of its event socket. */
  readonly port: number;
  readonly spool: string;
  readonly #sip: string;
  readonly #child: ChildProcess;

  private constructor(port: number, spool: string, sip: string, child: ChildProcess) {
    this.port = port;
    this.spool = spool;
    this.#sip = sip;
    this.#child = child;
  }

  /** Ready to be used by a switch that is yet to start; `spool` is the folder that it writes ended calls to. */
  static async start(spool: string): Promise<OwnNode> {
    const [switchPort, sipPort, port] = [await freePort(), await freePort(), await freePort()];
    const sip = `127.0.0.1:${String(switchPort)}`;
    const child = spawn(process.execPath, [program, '--conf', configuration], {
      env: {
        PATH: process.env['PATH'],
        TAGSWITCH_NODE_SIP_PORT: String(sipPort),
        TAGSWITCH_NODE_SWITCH_PATTERN: sip.replace(/\./g, '[.]'),
        TAGSWITCH_NODE_EVENT_PORT: String(port),
        TAGSWITCH_NODE_SPOOL: spool,
        TAGSWITCH_FREESWITCH_SECRET: SECRET,
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    if (child.stdout !== null) await once(child.stdout, 'data');
    return new OwnNode(port, spool, sip, child);
  }

  /** What the switch has to be set to so that it uses the node, reached at `port`. */
  environment(port = this.port): Record<string, string> {
    return {
      TAGSWITCH_SIP: this.#sip,
      TAGSWITCH_FREESWITCH: `127.0.0.1:${String(port)}`,
      TAGSWITCH_FREESWITCH_SECRET: SECRET,
      TAGSWITCH_SPOOL: this.spool,
    };
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async stop(): Promise<void> {
    if (!this.alive) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
