/** A PASSporT as an Identity header carries it: the text that was signed, and what it says (RFC 8224, 4.1; RFC 8225). */
export interface Passport {
  /** `header.payload`, both in base64url: what the signature is of. */
  readonly signed: string;
  readonly signature: Buffer;
  readonly x5u: string;
  readonly shaken: boolean;
  readonly attest: string | undefined;
  /** Seconds since the epoch. */
  readonly iat: number;
  /** Digits alone (RFC 8224, 8.3). */
  readonly orig: string;
  readonly dest: readonly string[];
}

/** What a PASSporT in compact form leaves out, and the message says (RFC 8224, 4.1.1). */
export interface Message {
  /** Digits alone. */
  readonly orig: string | undefined;
  readonly dest: string;
  /** The Date header, seconds since the epoch. */
  readonly date: number | undefined;
}

export type Unreadable = 'malformed' | 'algorithm';

/** Longer than any that a signing service makes; certificate URL and base64 of both parts included. */
const LONGEST = 8192;
const SIGNATURE_BYTES = 64;
const FORM = /^([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)((?:\s*;\s*[^\s;]+)+)\s*$/;

/**
 * Whether an Identity header is of a kind that is verified: `shaken`, or without an extension. Others (`div`, `rcd`) say other
 * things and stand beside it (RFC 8224, 4.1).
 */
export function isOurs(value: string): boolean {
  const ppt = /;\s*ppt\s*=\s*"?([^";\s]*)"?/i.exec(value)?.[1];
  return ppt === undefined || ppt === 'shaken';
}

/**
 * Reads an Identity header in full or compact form. A SHAKEN PASSporT has to be in full form: its attestation cannot be put
 * together from the message (RFC 8588, 5 and 7).
 */
export function readPassport(value: string, message: Message): Passport | Unreadable {
  if (value.length > LONGEST) return 'malformed';
  const match = FORM.exec(value);
  if (match === null) return 'malformed';
  const [, head = '', body = '', sign = '', tail = ''] = match;
  const parameters = parametersOf(tail);
  const info = /^<([^<>]+)>$/.exec(parameters?.get('info') ?? '')?.[1];
  const signature = fromBase64url(sign);
  if (parameters === undefined || info === undefined || signature === undefined) return 'malformed';
  if ((parameters.get('alg') ?? 'ES256') !== 'ES256') return 'algorithm';
  const ppt = parameters.get('ppt');
  if (head === '' && body === '') return compact(signature, info, ppt, message);
  return full(head, body, { signature, info, ppt });
}

function full(
  head: string,
  body: string,
  {
    signature,
    info,
    ppt,
  }: { readonly signature: Buffer; readonly info: string; readonly ppt: string | undefined },
): Passport | Unreadable {
  const header = jsonOf(head);
  const payload = jsonOf(body);
  if (header === undefined || payload === undefined) return 'malformed';
  // Whatever else the header says: a signature is of P-256 and SHA-256, or it is none. So `none` and HS256 are not read.
  if (header['alg'] !== 'ES256' || signature.length !== SIGNATURE_BYTES) return 'algorithm';
  const its = header['ppt'];
  if (header['typ'] !== 'passport' || header['x5u'] !== info || header['crit'] !== undefined)
    return 'malformed';
  if ((its !== undefined && its !== 'shaken') || (ppt !== undefined && ppt !== its)) return 'malformed';
  const { iat } = payload;
  const orig = numberOf(payload['orig']);
  const dest = numbersOf(payload['dest']);
  if (typeof iat !== 'number' || !Number.isSafeInteger(iat) || orig === undefined || dest === undefined)
    return 'malformed';
  const attest = its === 'shaken' ? levelIn(payload) : undefined;
  if (attest === 'malformed') return 'malformed';
  return {
    signed: `${head}.${body}`,
    signature,
    x5u: info,
    shaken: its === 'shaken',
    attest,
    iat,
    orig,
    dest,
  };
}

/** RFC 8588, 4 and 5: both are there. */
function levelIn({ attest, origid }: Readonly<Record<string, unknown>>): string {
  return typeof attest === 'string' && /^[ABC]$/.test(attest) && typeof origid === 'string'
    ? attest
    : 'malformed';
}

function compact(
  signature: Buffer,
  x5u: string,
  ppt: string | undefined,
  { orig, dest, date }: Message,
): Passport | Unreadable {
  if (ppt !== undefined || orig === undefined || date === undefined) return 'malformed';
  if (signature.length !== SIGNATURE_BYTES) return 'algorithm';
  // The members in lexicographic order and without blanks (RFC 8225, 9).
  const header = JSON.stringify({ alg: 'ES256', typ: 'passport', x5u });
  const payload = JSON.stringify({ dest: { tn: [dest] }, iat: date, orig: { tn: orig } });
  const signed = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
  return { signed, signature, x5u, shaken: false, attest: undefined, iat: date, orig, dest: [dest] };
}

/** undefined where one is there twice. */
function parametersOf(tail: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  for (const part of tail.split(/\s*;\s*/).slice(1)) {
    const cut = part.indexOf('=');
    const name = part.slice(0, cut < 0 ? undefined : cut).toLowerCase();
    if (found.has(name)) return undefined;
    found.set(
      name,
      cut < 0
        ? ''
        : part
            .slice(cut + 1)
            .replace(/^"(.*)"\s*$/, '$1')
            .trim(),
    );
  }
  return found;
}

/** Strict: no padding, no other alphabet, no bits left over. */
function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function jsonOf(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = fromBase64url(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // no JSON: that is the answer
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{tn: "12025550123"}`; a URI is no number of ours. */
function numberOf(value: unknown): string | undefined {
  return isObject(value) ? digitsOf(value['tn']) : undefined;
}

function numbersOf(value: unknown): string[] | undefined {
  const list = isObject(value) ? value['tn'] : undefined;
  if (!Array.isArray(list) || list.length === 0 || list.length > 100) return undefined;
  const numbers = list.map(digitsOf).filter((number) => number !== undefined);
  return numbers.length === list.length ? numbers : undefined;
}

function digitsOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^\+?[0-9]{1,20}$/.test(value) ? value.replace('+', '') : undefined;
}
