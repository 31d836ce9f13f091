import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { XmlElement } from './xml.js';
import { ConfigurationError } from './source.js';

/** Whether an address may come in. */
export type AccessList = (address: string) => boolean;

const automatic: Readonly<Record<string, readonly string[]>> = {
  'loopback.auto': ['127.0.0.0/8', '::1/128'],
  'rfc1918.auto': ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  'any_v4.auto': ['0.0.0.0/0'],
};

/** A list of `acl.conf`: `default` for an address that no node names, then the last node that matches counts. */
export function accessListOf(list: XmlElement): AccessList {
  const allowByDefault = list.attributes.get('default') === 'allow';
  const nodes = list.children.flatMap((node) => {
    if (node.name !== 'node') return [];
    const cidr = node.attributes.get('cidr');
    if (cidr === undefined)
      throw new ConfigurationError(node.file, node.line, 'a node of an access list needs cidr');
    const range = rangeOf(cidr);
    if (!range) throw new ConfigurationError(node.file, node.line, `"${cidr}" is no network`);
    return [{ allow: node.attributes.get('type') === 'allow', range }];
  });
  return (address) => {
    const found = nodes.findLast((node) => contains(node.range, address));
    return found ? found.allow : allowByDefault;
  };
}

/** The list that a parameter names: one of `lists`, an automatic one of FreeSWITCH, or a network; undefined for none. */
export function namedAccessList(
  name: string,
  lists: ReadonlyMap<string, AccessList>,
): AccessList | undefined {
  const known = lists.get(name);
  if (known) return known;
  const ranges = (automatic[name] ?? [name]).map(rangeOf);
  if (ranges.some((range) => range === undefined)) return undefined;
  return (address) => ranges.some((range) => range !== undefined && contains(range, address));
}

function rangeOf(cidr: string): BlockList | undefined {
  const [address = '', bits] = cidr.split('/');
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
  if (!family) return undefined;
  const widest = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? widest : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > widest) return undefined;
  const range = new BlockList();
  range.addSubnet(address, prefix, family);
  return range;
}

function contains(range: BlockList, address: string): boolean {
  if (isIPv4(address)) return range.check(address, 'ipv4');
  return isIPv6(address) && range.check(address, 'ipv6');
}
