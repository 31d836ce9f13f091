import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventSocket } from '../../src/media/event-socket.js';
import { createLogger } from '../../src/observe/logger.js';
import { RedisClients } from '../../src/redis/clients.js';
import { onRealServers } from '../e2e/system.js';
import { listening } from '../support/listening.js';
import { freePort } from '../../src/start/ports.js';
import { TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const ours = fileURLToPath(new URL('../../../freeswitch-conf', import.meta.url));

const DIALPLAN = `<include>
  <context name="tagswitch">
    <extension name="number">
      <condition field="destination_number" expression="^(.+)$">
        <action application="set" data="hangup_after_bridge=true"/>
        <action application="set" data="destination=\${hiredis_raw(default GET number:$1)}"/>
        <action application="ring_ready"/>
        <action application="bridge" data="\${destination}"/>
      </condition>
    </extension>
  </context>
</include>
`;

const hiredis = (port: number): string => `<configuration name="hiredis.conf">
  <profiles>
    <profile name="default">
      <connections>
        <connection name="primary">
          <param name="hostname" value="127.0.0.1"/>
          <param name="port" value="${String(port)}"/>
          <param name="timeout_ms" value="500"/>
        </connection>
      </connections>
    </profile>
  </profiles>
</configuration>
`;

/** The command that starts a FreeSWITCH of the bench's; `undefined` where there is none. */
export function freeSwitchCommand(): string | undefined {
  return onRealServers ? process.env['TAGSWITCH_TEST_FREESWITCH_COMMAND'] : undefined;
}

/** `from`, wherever it is in `file` of the configuration, becomes `to`. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const MODULES = 'autoload_configs/modules.conf.xml';
const SWITCH = 'autoload_configs/switch.conf.xml';
/** Beside those of the switch's own node. */
const FIRST_RTP_PORT = 26_000;
const LAST_RTP_PORT = 29_998;
const WITH_HIREDIS: Change = { file: MODULES, from: 'mod_cdr_csv', to: 'mod_hiredis' };

/**
 * FreeSWITCH as somebody would run it without us: our profile and our limits, a dialplan of his own that asks Redis where a
 * number leads (mod_hiredis) and bridges there; no spool, and nobody at the event socket. Its ports and its files are its own,
 * so that it may run beside the switch.
 */
export class PlainNode {
  readonly #folder: string;
  readonly #redis: TestRedis;
  readonly #child: ChildProcess;
  readonly #sipPort: number;
  readonly #eventPort: number;

  private constructor(
    folder: string,
    redis: TestRedis,
    child: ChildProcess,
    ports: { readonly sip: number; readonly events: number },
  ) {
    this.#folder = folder;
    this.#redis = redis;
    this.#child = child;
    this.#sipPort = ports.sip;
    this.#eventPort = ports.events;
  }

  /**
   * `command` starts FreeSWITCH with a `-conf` of its own, which is replaced; `ways` is where each number leads, host:port.
   * `changes` are made to the configuration before.
   */
  static async start(
    command: string,
    ways: ReadonlyMap<string, string>,
    changes: readonly Change[] = [],
  ): Promise<PlainNode> {
    const folder = mkdtempSync(join(tmpdir(), 'tagswitch-plain-node-'));
    const conf = join(folder, 'conf');
    cpSync(ours, conf, { recursive: true });
    const redisPort = await freePort();
    writeFileSync(join(conf, 'dialplan', 'tagswitch.xml'), DIALPLAN);
    writeFileSync(join(conf, 'autoload_configs', 'hiredis.conf.xml'), hiredis(redisPort));
    const ownCore: Change = { file: SWITCH, from: 'tagswitch-core', to: `${basename(folder)}-core` };
    for (const { file, from, to } of [WITH_HIREDIS, ownCore, ...changes]) {
      const before = readFileSync(join(conf, file), 'utf8');
      const after = before.replaceAll(from, to);
      if (after === before) throw new Error(`${file} has no ${from}`);
      writeFileSync(join(conf, file), after);
    }
    const redis = await TestRedis.start(['--bind', '127.0.0.1'], redisPort);
    const clients = new RedisClients(redis.url, createLogger('error'));
    await clients.ready(10_000);
    for (const [number, to] of ways)
      await clients.background.set(`number:${number}`, `sofia/tagswitch/sip:agent@${to}`);
    await clients.close('the ways are set');
    const other = command
      .replace(/ -conf \S+/, ` -conf ${conf}`)
      .replace(/ -(log|db|run) \S+/g, (_, what: string) => ` -${what} ${join(folder, what)}`);
    if (!other.includes(conf)) throw new Error('expected a command with -conf FOLDER');
    for (const what of ['log', 'db', 'run']) mkdirSync(join(folder, what));
    const ports = { sip: await freePort(), events: await freePort() };
    const child = spawn('bash', ['-c', `exec ${other}`], {
      stdio: 'ignore',
      detached: true,
      env: {
        ...process.env,
        TAGSWITCH_NODE_SIP_PORT: String(ports.sip),
        TAGSWITCH_NODE_EVENT_PORT: String(ports.events),
        TAGSWITCH_NODE_RTP_FIRST_PORT: String(FIRST_RTP_PORT),
        TAGSWITCH_NODE_RTP_LAST_PORT: String(LAST_RTP_PORT),
      },
    });
    const node = new PlainNode(folder, redis, child, ports);
    try {
      const [host = '', port = ''] = node.sip.split(':');
      await listening(host, Number(port));
      // Its profile is there before the dialplan and its applications are: the last module tells.
      const events = await node.events();
      await until(async () => (await events.api('module_exists mod_hiredis')).trim() === 'true', 30_000);
      events.close();
      return node;
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('FreeSWITCH did not start');
    return this.#child.pid;
  }

  /** Where its profile listens. */
  get sip(): string {
    return `${process.env['TAGSWITCH_NODE_SIP_IP'] ?? '127.0.0.1'}:${String(this.#sipPort)}`;
  }

  /** A connection with its event socket. */
  async events(): Promise<EventSocket> {
    const [host = ''] = (process.env['TAGSWITCH_FREESWITCH'] ?? '').split(':');
    const secret = process.env['TAGSWITCH_FREESWITCH_SECRET'] ?? '';
    const socket = new EventSocket(
      { host, port: this.#eventPort, secret },
      { up: () => undefined, down: () => undefined, headers: [], event: () => undefined },
      createLogger('error'),
    );
    socket.start();
    await until(() => socket.up, 30_000);
    return socket;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await ended;
    }
    await this.#redis.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    for (const where of ['/dev/shm', '/var/tmp'])
      rmSync(join(where, `${basename(this.#folder)}-core.db`), { force: true });
  }
}
