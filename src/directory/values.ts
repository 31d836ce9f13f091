import { formatHostPort, parseCidr, parseHostPort } from '../addresses.js';
import { Limits } from './declaration.js';
import type { NumberRange } from './model.js';
import { defaultPortOf, TRANSPORTS, transportParameter, type Transport } from './transport.js';

/** A value of the file: what it means, or what was expected in its place. */
export type Parsed<T> = { readonly value: T } | { readonly expected: string };

const E164 = /^\+[1-9]\d{6,14}$/;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;
const ID_LIKE = /^(?:acc|site|end|pool|trk|key|lnk|call|leg)_/;

const expected = (text: string): { expected: string } => ({ expected: text });

export function parseName(text: string): Parsed<string> {
  if (ID_LIKE.test(text)) return expected('a name that does not begin like an id (site_, end_, ...)');
  return NAME.test(text)
    ? { value: text }
    : expected('a name: up to 64 letters, digits, ".", "_", "-", with a letter or digit at both ends');
}

export function parseNumber(text: string): Parsed<string> {
  return E164.test(text)
    ? { value: text }
    : expected('a number in E.164: "+", country code and number, 7 to 15 digits, no blanks');
}

/** `+12025550100`, or `+12025550100-+12025550199`. */
export function parseNumberRange(text: string): Parsed<NumberRange> {
  const parts = text.split(/\s*-\s*/);
  const [first = '', last = first] = parts;
  if (parts.length > 2 || !E164.test(first) || !E164.test(last)) {
    return expected('a number in E.164, as "+12025550100", or a range, as "+12025550100-+12025550199"');
  }
  if (first.length !== last.length)
    return expected('a range whose first and last number have equally many digits');
  const size = Number(last) - Number(first) + 1;
  if (size < 1) return expected('a range whose last number is not below its first');
  if (size > Limits.numbersInRange) {
    return expected(`a range of at most ${Limits.numbersInRange} numbers, this one has ${size}`);
  }
  return { value: { first, last } };
}

export function parseTimeZone(text: string): Parsed<string> {
  const fault = expected('an IANA time zone, as "Europe/Berlin" or "UTC"');
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(text)) return fault;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return { value: text };
  } catch (error) {
    if (error instanceof RangeError) return fault;
    throw error;
  }
}

/** An origin as browsers send it (RFC 6454, section 6.2): scheme, host, and the port unless it is the scheme's own. */
export function parseOrigin(text: string): Parsed<string> {
  const fault = expected('an origin: http:// or https://, host and port alone, as "https://www.example.com"');
  if (!/^https?:\/\/[^/?#@\s\\]+$/i.test(text) || text.includes('*')) return fault;
  if (!URL.canParse(text)) return fault;
  const { origin, port } = new URL(text);
  return port === '0' ? fault : { value: origin };
}

/** A CIDR block or a single address, in lower case. */
export function parseBlock(text: string): Parsed<string> {
  return parseCidr(text) === undefined
    ? expected(
        'an address or CIDR block, as "192.0.2.7", "192.0.2.0/24" or "2001:db8::/32" (IPv4 is written as IPv4)',
      )
    : { value: text.toLowerCase() };
}

export interface DestinationAddress {
  readonly kind: 'sip' | 'number';
  /** In canonical form. */
  readonly to: string;
  /** Of a SIP address. */
  readonly transport: Transport;
}

/**
 * `sip:user@host[:port][;transport=udp|tcp|tls]` or a number in E.164. What stands here goes into dial strings and
 * request lines: the characters that have a meaning there are refused, not quoted.
 */
export function parseDestination(text: string): Parsed<DestinationAddress> {
  if (E164.test(text)) return { value: { kind: 'number', to: text, transport: 'udp' } };
  if (/^sips:/i.test(text))
    return expected('a "sip:" address, with ";transport=tls" for TLS; "sips:" is not supported');
  const parts = /^sip:([A-Za-z0-9._~*+-]{1,64})@([^;@\s]+?)(?:;transport=(udp|tcp|tls))?$/i.exec(text);
  const transport = TRANSPORTS.find((one) => one === parts?.[3]?.toLowerCase()) ?? 'udp';
  const host =
    parts?.[2] === undefined ? undefined : parseHostPort(parts[2], { defaultPort: defaultPortOf(transport) });
  if (parts?.[1] === undefined || parts[2] === undefined || host === undefined) {
    return expected(
      'a number in E.164 or "sip:user@host:port", with ";transport=tcp" or ";transport=tls" where it is not udp; the user is letters, digits and ._~*+-',
    );
  }
  const to = `sip:${parts[1]}@${formatHostPort(host)}${transportParameter(transport)}`;
  return { value: { kind: 'sip', to, transport } };
}

/** `host` or `host:port` -> `host:port`; the port is the transport's own where it is left out. */
export function parseGateway(transport: Transport): (text: string) => Parsed<string> {
  return (text) => {
    const gateway = parseHostPort(text, { defaultPort: defaultPortOf(transport) });
    return gateway === undefined
      ? expected('"host:port" of the carrier, as "sip.example.com:5060"')
      : { value: formatHostPort(gateway) };
  };
}

export function parseTransport(text: string): Parsed<Transport> {
  const transport = TRANSPORTS.find((one) => one === text);
  return transport === undefined ? expected('"udp", "tcp" or "tls"') : { value: transport };
}

/** `tone`, or the name of a sound file as the dialplan may play it: relative, no step upwards. */
export function parseWhisper(text: string): Parsed<string> {
  return /^[a-z0-9-]{1,40}$/.test(text)
    ? { value: text }
    : expected(
        '"tone", or the name of a sound file without its ".wav": up to 40 small letters, digits and "-"',
      );
}

export function parseInteger(low: number, high: number, unit: string): (text: string) => Parsed<number> {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    return value >= low && value <= high
      ? { value }
      : expected(`${unit}: a whole number from ${low} to ${high}`);
  };
}

/** Which number a callee sees; whether a number is the account's is checked where the pools are known. */
export function parseCallerShown(text: string): Parsed<'caller' | 'dialled' | 'anonymous' | `+${string}`> {
  if (text === 'caller' || text === 'dialled' || text === 'anonymous') return { value: text };
  return E164.test(text)
    ? { value: `+${text.slice(1)}` }
    : expected('"caller", "dialled", "anonymous", or a number of the account in E.164');
}

/** A number with a point: `0.35`. */
export function parseDecimal(low: number, high: number, what: string): (text: string) => Parsed<number> {
  return (text) => {
    const value = /^\d{1,6}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
    return value >= low && value <= high ? { value } : expected(`${what}: a number from ${low} to ${high}`);
  };
}

export function parseBoolean(text: string): Parsed<boolean> {
  return text === 'true' || text === 'false' ? { value: text === 'true' } : expected('"true" or "false"');
}

export function parseOneOf<const T extends string>(words: readonly T[]): (text: string) => Parsed<T> {
  return (text) => {
    const value = words.find((word) => word === text);
    return value === undefined
      ? expected(`one of ${words.map((word) => `"${word}"`).join(', ')}`)
      : { value };
  };
}

/** What numbers begin with: `+1`, `+1202`. */
export function parsePrefix(text: string): Parsed<string> {
  return /^\+[1-9]\d{0,13}$/.test(text)
    ? { value: text }
    : expected('what numbers in E.164 begin with, as "+1202": "+", and 1 to 14 digits');
}

/** The name of a file, or a path from the folder of the declaration. */
export function parseFileName(text: string): Parsed<string> {
  return /^[^\p{Cc}]{1,255}$/u.test(text) ? { value: text } : expected('the name of a file');
}

/** A word of a business profile, in lower case. */
export function parseWord(text: string): Parsed<string> {
  const value = text.trim().toLowerCase();
  return /^[^\p{Cc}]{1,64}$/u.test(value) ? { value } : expected('a word of at most 64 characters');
}

/** The key's own text is not part of any message. */
export function parseKeyText(text: string): Parsed<string> {
  return /^[\x21-\x7e]{8,200}$/.test(text)
    ? { value: text }
    : expected('8 to 200 printable ASCII characters without blanks');
}

export function parseKeyHash(text: string): Parsed<string> {
  return /^[0-9a-f]{64}$/.test(text)
    ? { value: text }
    : expected('SHA-256 of the key as 64 lower-case hex digits');
}
