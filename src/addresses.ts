import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

export interface HostPort {
  /** Name, IPv4, or IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface IpAddress {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
}

const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** `name`, `1.2.3.4` or `[::1]` in lower case and without brackets; undefined for anything else. */
export function parseHost(text: string): string | undefined {
  const host = text.toLowerCase();
  if (host.startsWith('[') && host.endsWith(']')) {
    const inner = host.slice(1, -1);
    return isIPv6(inner) && !inner.includes('%') ? inner : undefined;
  }
  return isIPv4(host) || HOST_NAME.test(host) ? host : undefined;
}

/** `host:port`; the port may be left out where `defaultPort` is given. Ports run from `lowest` (1) to 65,535. */
export function parseHostPort(
  text: string,
  { defaultPort, lowest = 1 }: { defaultPort?: number; lowest?: number } = {},
): HostPort | undefined {
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(text);
  const host = parts?.[1] === undefined ? undefined : parseHost(parts[1]);
  const port = parts?.[2] === undefined ? defaultPort : Number(parts[2]);
  if (host === undefined || port === undefined || port < lowest || port > 65_535) return undefined;
  return { host, port };
}

/** `host:port`, with brackets round IPv6. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** True for the addresses that mean "every interface" and lead nowhere when somebody is told to answer to them. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || (isIPv6(host) && /^[0:]+$/.test(host));
}

/** Loopback by name or address: what never leaves this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * A source address as sockets give it, in the form that CIDR blocks are compared with: IPv4-mapped IPv6
 * (`::ffff:1.2.3.4`, `::ffff:102:304`) becomes IPv4, a zone is cut off. Undefined for what is no address.
 */
export function normalAddress(text: string): IpAddress | undefined {
  const address = (text.split('%', 1)[0] ?? '').toLowerCase();
  if (isIPv4(address)) return { address, family: 'ipv4' };
  if (!isIPv6(address)) return undefined;
  const mapped =
    /^(?:0{0,4}:){0,5}:?(?:0{1,4}:)*ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/.exec(
      address,
    );
  if (mapped === null || !MAPPED.check(address, 'ipv6')) return { address, family: 'ipv6' };
  if (mapped[1] !== undefined) return { address: mapped[1], family: 'ipv4' };
  const high = parseInt(mapped[2] ?? '0', 16);
  const low = parseInt(mapped[3] ?? '0', 16);
  return { address: [high >> 8, high & 255, low >> 8, low & 255].join('.'), family: 'ipv4' };
}

const MAPPED = new BlockList();
MAPPED.addSubnet('::ffff:0:0', 96, 'ipv6');

export interface Cidr extends IpAddress {
  readonly prefix: number;
}

/** `10.0.0.0/8`, `2001:db8::/32` or a single address. IPv4-mapped blocks are undefined: they are written as IPv4. */
export function parseCidr(text: string): Cidr | undefined {
  const parts = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = parts?.[1]?.toLowerCase();
  if (address === undefined) return undefined;
  const version = isIP(address);
  if (version === 0 || (version === 6 && MAPPED.check(address, 'ipv6'))) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = parts?.[2] === undefined ? bits : Number(parts[2]);
  return prefix > bits ? undefined : { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix };
}

/** Whether an address is inside one of some CIDR blocks: built once, asked on every call. */
export class AddressSet {
  /** Most trunks have single addresses of IPv4, which have one way to be written. */
  readonly #single = new Set<string>();
  #blocks: BlockList | undefined;

  constructor(cidrs: readonly string[]) {
    for (const text of cidrs) {
      const cidr = parseCidr(text);
      if (cidr === undefined) throw new TypeError(`no CIDR block: ${JSON.stringify(text)}`);
      if (cidr.family === 'ipv4' && cidr.prefix === 32) {
        this.#single.add(cidr.address);
      } else {
        (this.#blocks ??= new BlockList()).addSubnet(cidr.address, cidr.prefix, cidr.family);
      }
    }
  }

  has({ address, family }: IpAddress): boolean {
    return this.#single.has(address) || this.#blocks?.check(address, family) === true;
  }
}
