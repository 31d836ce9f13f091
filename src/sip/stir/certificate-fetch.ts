import { lookup as lookupName, type LookupAddress } from 'node:dns';
import { get } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** No chain of certificates is longer. */
const MOST_BYTES = 32_768;

/** Addresses that no certificate is published at: a name that leads there would have us ask our own network. */
const INNER = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  INNER.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  INNER.addSubnet(network, prefix, 'ipv6');

/**
 * Whether a certificate's URL may be asked for: https, no user, of a listed `host` or `host:port`. A host without a port is
 * one at 443.
 */
export function isAllowed(text: string, hosts: ReadonlySet<string>): boolean {
  if (!URL.canParse(text) || text.length > 512) return false;
  const { protocol, hostname, port, username, password } = new URL(text);
  const where = port === '' ? hostname : `${hostname}:${port}`;
  return protocol === 'https:' && username === '' && password === '' && hosts.has(where);
}

/** The text at `url`. Rejects unless it is there at once (no redirection), small, and in time. */
export function fetchText(url: string, deadlineMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(
      url,
      { agent: false, lookup: outside, signal: AbortSignal.timeout(deadlineMs) },
      (response) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        if (response.statusCode !== 200) request.destroy(new Error(`status ${String(response.statusCode)}`));
        response.on('data', (part: Buffer) => {
          parts.push(part);
          bytes += part.length;
          if (bytes > MOST_BYTES) request.destroy(new Error('too long'));
        });
        response.on('end', () => {
          resolve(Buffer.concat(parts).toString('latin1'));
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
  });
}

/** An address that was written into the list itself is asked for whatever it is: Node looks up names alone. */
const outside: LookupFunction = (name, options, done) => {
  lookupName(name, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const good = addresses?.filter(
      ({ address }) => !INNER.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'),
    );
    const [first] = good ?? [];
    if (error !== null || first === undefined) done(error ?? new Error('an inner address'), [], 4);
    else if (options.all === true) done(null, good);
    else done(null, first.address, first.family);
  });
};
