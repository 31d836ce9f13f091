import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  formatHostPort,
  isLoopback,
  isWildcard,
  parseCidr,
  parseHostPort,
  type HostPort,
} from '../addresses.js';
import { BadRedisUrl, parseRedisUrl } from '../redis/url.js';
import { suggest } from '../suggest.js';
import { SECRET_CHARACTERS } from './secrets.js';

/** What the environment says, read once at start. */
export interface Settings {
  readonly http: HostPort;
  /** CIDR blocks of the reverse proxies before the HTTP interface, whose `X-Forwarded-*` is believed; empty for none. */
  readonly proxies: readonly string[];
  /** Where carriers and media nodes reach us: a concrete address, it stands in Record-Route. */
  readonly sip: HostPort;
  /** Folder, absolute. */
  readonly data: string;
  /** YAML file that is applied at start, absolute. */
  readonly config: string;
  /** False where `config` is the demo that comes with the package, because nobody named a file. */
  readonly configGiven: boolean;
  /** As `parseRedisUrl` reads it; may hold a password. Absent: a redis-server of our own in the data folder. */
  readonly redisUrl?: string;
  /** File of the embedded call log, absolute. */
  readonly callLog: string;
  /** Absent: the standalone SIP server. */
  readonly drachtio?: ServerAddress;
  /** Absent: the standalone media server. */
  readonly freeswitch?: readonly MediaNodeAddress[];
  /** Absent: the data folder's own, `keptSecret`. */
  readonly secret?: string;
  /** How signatures of callers' numbers are verified; absent: not at all. */
  readonly stir?: StirSettings;
  readonly log: LogLevel;
}

export interface StirSettings {
  /** PEM file of the certificates that chains have to lead to, absolute. */
  readonly anchors: string;
  /** `host` or `host:port` that signers' certificates may be fetched from. */
  readonly hosts: readonly string[];
  /** How long a call waits for a certificate that was not fetched before. */
  readonly waitMs: number;
}

/** Of a control port or an event socket. */
export interface ServerAddress extends HostPort {
  readonly secret: string;
}

export interface MediaNodeAddress extends ServerAddress {
  /** Folder where this FreeSWITCH writes its ended calls, absolute. */
  readonly spool?: string;
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LEVELS)[number];

const NAMES = [
  'TAGSWITCH_HTTP',
  'TAGSWITCH_PROXIES',
  'TAGSWITCH_SIP',
  'TAGSWITCH_DATA',
  'TAGSWITCH_CONFIG',
  'TAGSWITCH_DRACHTIO',
  'TAGSWITCH_DRACHTIO_SECRET',
  'TAGSWITCH_FREESWITCH',
  'TAGSWITCH_FREESWITCH_SECRET',
  'TAGSWITCH_SPOOL',
  'TAGSWITCH_SECRET',
  'TAGSWITCH_STIR_ANCHORS',
  'TAGSWITCH_STIR_HOSTS',
  'TAGSWITCH_STIR_WAIT_MS',
  'TAGSWITCH_LOG',
  'REDIS_URL',
  'DATABASE_URL',
] as const;
type SettingName = (typeof NAMES)[number];

const DEMO = fileURLToPath(new URL('../../../examples/demo.yaml', import.meta.url));

/** The settings were refused. One line a fault: the setting's name and what was expected, never a secret. */
export class SettingsFault extends Error {
  readonly code = 'badSettings';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'SettingsFault';
    this.faults = faults;
  }
}

/**
 * Reads the settings from the environment. An empty variable is an absent one. Relative paths start at `cwd`.
 *
 * @throws SettingsFault that names every fault.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>, cwd: string): Settings {
  const reader = new Reader(env);
  reader.refuseUnknown();
  const data = resolve(cwd, reader.text('TAGSWITCH_DATA') ?? 'data');
  // The folder of the standalone media server stands in it, and folders of media nodes are a list.
  if (data.includes(',')) reader.fault('TAGSWITCH_DATA', 'expected a path without a comma');
  const config = reader.text('TAGSWITCH_CONFIG');
  const settings: Settings = {
    http: reader.address('TAGSWITCH_HTTP', 0) ?? { host: '127.0.0.1', port: 8080 },
    proxies: reader.proxies(),
    sip: reader.sip(),
    data,
    config: config === undefined ? DEMO : resolve(cwd, config),
    configGiven: config !== undefined,
    ...present('redisUrl', reader.redisUrl()),
    callLog: resolve(cwd, reader.databaseFile() ?? resolve(data, 'calls.sqlite')),
    ...present('drachtio', reader.drachtio()),
    ...present('freeswitch', reader.freeswitch(cwd)),
    ...present('secret', reader.secret()),
    ...present('stir', reader.stir(cwd)),
    log: reader.level(),
  };
  reader.finish();
  return deepFreeze(settings);
}

/** The origins of pages that the switch itself serves on this address: what `self` means in a site's origins. */
export function ownOrigins({ host, port }: HostPort): string[] {
  const hosts = isLoopback(host) || isWildcard(host) ? ['127.0.0.1', 'localhost'] : [host];
  if (host === '::1' || host === '::') hosts.push('::1');
  return hosts.map((name) => new URL(`http://${formatHostPort({ host: name, port })}`).origin);
}

function present<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: T });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

/** Reads one variable after the other, and collects what is wrong. */
class Reader {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #faults: string[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  finish(): void {
    if (this.#faults.length > 0) throw new SettingsFault(this.#faults);
  }

  fault(name: string, expected: string): undefined {
    this.#faults.push(`${name}: ${expected}`);
    return undefined;
  }

  refuseUnknown(): void {
    for (const name of Object.keys(this.#env)) {
      if (!name.startsWith('TAGSWITCH_') || NAMES.some((known) => known === name)) continue;
      const near = suggest(name, NAMES);
      this.fault(
        name,
        near === undefined ? 'there is no such setting' : `there is no such setting, did you mean ${near}?`,
      );
    }
  }

  text(name: SettingName): string | undefined {
    const text = this.#env[name]?.trim();
    return text === undefined || text === '' ? undefined : text;
  }

  /** `host:port`; `lowest` 0 allows any free port. */
  address(name: SettingName, lowest: number): HostPort | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    return parseHostPort(text, { lowest }) ?? this.fault(name, addressExpected(text, lowest));
  }

  proxies(): readonly string[] {
    const blocks = this.#list('TAGSWITCH_PROXIES') ?? [];
    blocks.forEach((text, i) => {
      if (parseCidr(text) === undefined)
        this.fault('TAGSWITCH_PROXIES', `entry ${i + 1}: expected an address or a CIDR block, as 10.0.0.0/8`);
    });
    return blocks;
  }

  sip(): HostPort {
    const address = this.address('TAGSWITCH_SIP', 1) ?? { host: '127.0.0.1', port: 5060 };
    if (isWildcard(address.host)) {
      this.fault(
        'TAGSWITCH_SIP',
        'expected one address that carriers and media nodes reach, not every interface: it stands in Record-Route',
      );
    }
    return address;
  }

  redisUrl(): string | undefined {
    const url = this.text('REDIS_URL');
    if (url === undefined) return undefined;
    try {
      parseRedisUrl(url);
      return url;
    } catch (error) {
      if (error instanceof BadRedisUrl) return this.fault('REDIS_URL', error.message);
      throw error;
    }
  }

  databaseFile(): string | undefined {
    const url = this.text('DATABASE_URL');
    if (url === undefined) return undefined;
    if (/^postgres(ql)?:/.test(url)) {
      return this.fault(
        'DATABASE_URL',
        'PostgreSQL comes in a later release; expected sqlite:PATH, or nothing for the embedded file in the data folder',
      );
    }
    const path = /^sqlite:(?:\/\/(?=\/))?([^\0]+)$/.exec(url)?.[1];
    return (
      path ??
      this.fault('DATABASE_URL', 'expected sqlite:PATH, or nothing for the embedded file in the data folder')
    );
  }

  drachtio(): ServerAddress | undefined {
    const address = this.address('TAGSWITCH_DRACHTIO', 1);
    const secret = this.#secretOf('TAGSWITCH_DRACHTIO', 'TAGSWITCH_DRACHTIO_SECRET');
    return address === undefined || secret === undefined ? undefined : { ...address, secret };
  }

  freeswitch(cwd: string): readonly MediaNodeAddress[] | undefined {
    const list = this.#list('TAGSWITCH_FREESWITCH');
    const secret = this.#secretOf('TAGSWITCH_FREESWITCH', 'TAGSWITCH_FREESWITCH_SECRET');
    const spools = this.#list('TAGSWITCH_SPOOL');
    if (spools !== undefined && spools.length !== (list?.length ?? 0)) {
      this.fault(
        'TAGSWITCH_SPOOL',
        `expected one folder for each of TAGSWITCH_FREESWITCH (${list?.length ?? 0}), found ${spools.length}`,
      );
    }
    if (list === undefined) return undefined;
    const seen = new Set<string>();
    const nodes = list.map((text, i): MediaNodeAddress | undefined => {
      const address = parseHostPort(text);
      if (address === undefined)
        return this.fault('TAGSWITCH_FREESWITCH', `entry ${i + 1}: ${addressExpected(text, 1)}`);
      if (seen.has(formatHostPort(address)))
        this.fault('TAGSWITCH_FREESWITCH', `entry ${i + 1}: ${text} is there twice`);
      seen.add(formatHostPort(address));
      const spool = spools?.[i];
      return { ...address, secret: secret ?? '', ...(spool && { spool: resolve(cwd, spool) }) };
    });
    return secret === undefined ? undefined : nodes.filter((node) => node !== undefined);
  }

  secret(): string | undefined {
    const secret = this.text('TAGSWITCH_SECRET');
    if (secret === undefined || secret.length >= SECRET_CHARACTERS) return secret;
    return this.fault('TAGSWITCH_SECRET', `expected at least ${SECRET_CHARACTERS} characters`);
  }

  stir(cwd: string): StirSettings | undefined {
    const anchors = this.text('TAGSWITCH_STIR_ANCHORS');
    const hosts = this.#list('TAGSWITCH_STIR_HOSTS') ?? [];
    const wait = this.text('TAGSWITCH_STIR_WAIT_MS') ?? '150';
    hosts.forEach((text, i) => {
      if (!/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/.test(text) || /:443$/.test(text))
        this.fault(
          'TAGSWITCH_STIR_HOSTS',
          `entry ${i + 1}: expected a host, or host:port where it is not 443`,
        );
    });
    if ((anchors === undefined) !== (hosts.length === 0))
      this.fault(
        anchors === undefined ? 'TAGSWITCH_STIR_ANCHORS' : 'TAGSWITCH_STIR_HOSTS',
        'expected both the anchors and the hosts of certificates, or neither',
      );
    if (!/^[0-9]{1,4}$/.test(wait) || Number(wait) > 1000)
      this.fault('TAGSWITCH_STIR_WAIT_MS', 'expected milliseconds: a whole number from 0 to 1000');
    return anchors === undefined
      ? undefined
      : { anchors: resolve(cwd, anchors), hosts, waitMs: Number(wait) };
  }

  level(): LogLevel {
    const text = this.text('TAGSWITCH_LOG');
    const level = LEVELS.find((known) => known === text);
    if (text !== undefined && level === undefined)
      this.fault('TAGSWITCH_LOG', `expected one of ${LEVELS.join(', ')}`);
    return level ?? 'info';
  }

  /** A server's secret: it and the address belong together. */
  #secretOf(address: SettingName, name: SettingName): string | undefined {
    const secret = this.text(name);
    const addressed = this.text(address) !== undefined;
    if (addressed && secret === undefined)
      return this.fault(name, `expected the secret that goes with ${address}`);
    if (!addressed && secret !== undefined)
      return this.fault(address, `expected an address, because ${name} is set`);
    // It travels in one line of the control protocols.
    if (secret !== undefined && !/^[\x21-\x7e]+$/.test(secret)) {
      return this.fault(name, 'expected printable ASCII characters without blanks');
    }
    return secret;
  }

  #list(name: SettingName): string[] | undefined {
    return this.text(name)
      ?.split(',')
      .map((item) => item.trim());
  }
}

function addressExpected(text: string, lowest: number): string {
  const port = /:(\d+)$/.exec(text)?.[1];
  const outside = port !== undefined && (Number(port) > 65_535 || Number(port) < lowest);
  return outside
    ? `expected a port from ${lowest} to 65535`
    : 'expected host:port, as 127.0.0.1:8080 or [::1]:8080';
}
