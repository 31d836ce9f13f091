import { mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatHostPort } from '../addresses.js';
import { deriveSecrets, keptSecret } from '../config/secrets.js';
import { SettingsFault, type Settings } from '../config/settings.js';
import type { Logger } from '../observe/logger.js';
import { Child, ChildFailed, type ChildSpec } from './child.js';
import { DataInUse, ownRedis } from './own-redis.js';
import { freePort, portIsFree } from './ports.js';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));
const program = (path: string): string => join(PACKAGE, 'dist/src', path);

/** Where the programs write what they log. */
export const logFile = ({ data }: Pick<Settings, 'data'>): string => join(data, 'log', 'tagswitch.log');

/** What runs, for the text that is printed. */
export interface Running {
  readonly standaloneSip: boolean;
  readonly standaloneMedia: boolean;
  readonly ownRedis: boolean;
  readonly agent: boolean;
}

/**
 * Starts what is not set as a server of somebody else's (redis-server, the standalone SIP and media servers, the demo's
 * answering party), then the application, each a program of its own: the application can die and come back while a call
 * goes on. Stops them in the opposite order.
 */
export class Launcher {
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #children: { readonly name: string; readonly child: Child }[] = [];
  readonly #stderr: number;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    // The terminal is for what is up and what to try next; the programs' own lines go to a file.
    try {
      mkdirSync(dirname(logFile(settings)), { recursive: true });
      this.#stderr = openSync(logFile(settings), 'a');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      throw new SettingsFault([
        `TAGSWITCH_DATA: expected a folder that can be written, ${settings.data} cannot (${code})`,
      ]);
    }
  }

  /** Resolves once all are ready. @throws ChildFailed or DataInUse, with whatever had started stopped again */
  async start(): Promise<Running> {
    try {
      return await this.#start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Process ids by name, of those that run now. */
  pids(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#children.flatMap(({ name, child }) => (child.pid === undefined ? [] : [[name, child.pid]])),
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(): Promise<Running> {
    const { sip, data, configGiven } = this.#settings;
    const master = this.#settings.secret ?? (await keptSecret(data));
    const secrets = deriveSecrets(master);
    const switchAddress = formatHostPort(sip);

    let redisUrl = this.#settings.redisUrl;
    if (redisUrl === undefined) {
      const { spec, url } = await ownRedis(data, this.#stderr);
      await this.#run(spec);
      redisUrl = url;
    }

    let drachtio = this.#settings.drachtio;
    if (drachtio === undefined) {
      drachtio = { host: '127.0.0.1', port: await freePort(), secret: secrets.drachtio };
      await this.#run({
        name: 'sip-server',
        command: process.execPath,
        args: [
          program('standalone/sip-server/main.js'),
          '--sip',
          switchAddress,
          '--control',
          formatHostPort(drachtio),
        ],
        env: { SIP_SERVER_SECRET: drachtio.secret, SIP_SERVER_KEY: secrets.recordRoute.toString('hex') },
        ready: 'line',
        stderr: this.#stderr,
      });
    }

    let freeswitch = this.#settings.freeswitch;
    if (freeswitch === undefined) {
      const node = {
        host: '127.0.0.1',
        port: await freePort(),
        secret: secrets.freeswitch,
        spool: join(data, 'spool'),
      };
      await this.#run({
        name: 'media-server',
        command: process.execPath,
        args: [program('standalone/media-server/main.js'), '--conf', join(PACKAGE, 'freeswitch-conf')],
        env: {
          TAGSWITCH_NODE_SIP_IP: '127.0.0.1',
          TAGSWITCH_NODE_SIP_PORT: String(await freePort()),
          TAGSWITCH_NODE_SWITCH_NETWORK: `${sip.host}/32`,
          TAGSWITCH_NODE_SWITCH_PATTERN: switchAddress.replace(/\./g, '[.]'),
          TAGSWITCH_NODE_EVENT_IP: node.host,
          TAGSWITCH_NODE_EVENT_PORT: String(node.port),
          TAGSWITCH_NODE_SPOOL: node.spool,
          TAGSWITCH_NODE_SOUNDS: join(data, 'sounds'),
          TAGSWITCH_FREESWITCH_SECRET: node.secret,
        },
        ready: 'line',
        stderr: this.#stderr,
      });
      freeswitch = [node];
    }

    const agent = !configGiven && (await portIsFree(AGENT));
    if (agent) {
      await this.#run({
        name: 'demo-agent',
        command: process.execPath,
        args: [program('standalone/demo-agent/main.js'), '--sip', formatHostPort(AGENT)],
        env: {},
        ready: 'line',
        stderr: this.#stderr,
      });
    }

    await this.#run({
      name: 'application',
      command: process.execPath,
      args: [program('main.js')],
      env: {
        ...environmentOf(this.#settings),
        TAGSWITCH_SECRET: master,
        REDIS_URL: redisUrl,
        TAGSWITCH_DRACHTIO: formatHostPort(drachtio),
        TAGSWITCH_DRACHTIO_SECRET: drachtio.secret,
        TAGSWITCH_FREESWITCH: freeswitch.map(formatHostPort).join(','),
        TAGSWITCH_FREESWITCH_SECRET: freeswitch[0]?.secret ?? '',
        ...(freeswitch.some(({ spool }) => spool !== undefined)
          ? { TAGSWITCH_SPOOL: freeswitch.map(({ spool }) => spool ?? '').join(',') }
          : {}),
      },
      ready: 'message',
      stderr: this.#stderr,
    });
    return {
      standaloneSip: this.#settings.drachtio === undefined,
      standaloneMedia: this.#settings.freeswitch === undefined,
      ownRedis: this.#settings.redisUrl === undefined,
      agent,
    };
  }

  async #run(spec: ChildSpec): Promise<void> {
    // Between two programs nothing is there yet that could be stopped: the next one must not begin.
    if (this.#closing !== undefined) throw new ChildFailed(spec.name, null);
    const child = new Child(spec, this.#log);
    this.#children.push({ name: spec.name, child });
    await child.start();
  }

  async #close(): Promise<void> {
    for (const { child } of this.#children.reverse()) await child.stop();
  }
}

export { ChildFailed, DataInUse };

/** Where the demo declares its agent (examples/demo.yaml). */
const AGENT = { host: '127.0.0.1', port: 5070 };

/** The settings that the application reads as we did, but for the addresses that are given anew. */
function environmentOf(settings: Settings): Record<string, string> {
  return {
    TAGSWITCH_HTTP: formatHostPort(settings.http),
    TAGSWITCH_PROXIES: settings.proxies.join(','),
    TAGSWITCH_SIP: formatHostPort(settings.sip),
    TAGSWITCH_DATA: settings.data,
    TAGSWITCH_LOG: settings.log,
    ...(settings.stir === undefined
      ? {}
      : {
          TAGSWITCH_STIR_ANCHORS: settings.stir.anchors,
          TAGSWITCH_STIR_HOSTS: settings.stir.hosts.join(','),
          TAGSWITCH_STIR_WAIT_MS: String(settings.stir.waitMs),
        }),
    DATABASE_URL: `sqlite:${settings.callLog}`,
    ...(settings.configGiven ? { TAGSWITCH_CONFIG: settings.config } : {}),
  };
}
