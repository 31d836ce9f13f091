import { createHmac, timingSafeEqual } from 'node:crypto';
import { forgetOldest } from '../forget-oldest.js';
import { base32, fromBase32 } from '../ids.js';

/** What a leg's token says, and all that a process must know to send the leg on. */
export interface LegClaims {
  readonly call: string;
  /** Number of the leg within its plan, from 0 to 63. */
  readonly leg: number;
  /** Serial of the trunk that the plan named; 0 for a destination that is reached by its own SIP address. */
  readonly trunk: number;
  /** Serial of the destination. */
  readonly destination: number;
  /** Seconds since the epoch; the leg may not start later. */
  readonly expires: number;
}

export type TokenFault = 'form' | 'signature' | 'expired';

const CALL_BYTES = 10;
const TAG_BYTES = 8;
const CALL_PREFIX = 'call_';
const FORM = /^[A-Za-z0-9_-]{28,42}$/;
const MOST_LEGS = 64;
const CLOCK = 0x10000;

/**
 * The tokens that this process minted last, by key: most legs come back to the process that sent the call, and are believed
 * without another HMAC. It changes no answer.
 */
const minted = new WeakMap<Uint8Array, Map<string, LegClaims>>();
const MOST_MINTED = 2_000;

/**
 * A leg's token, 31 to 42 characters of base64url, which stand unescaped in a SIP URI's user part (RFC 3261, 25.1,
 * `unreserved`): call, leg, the two serials in as few bytes as they need, the low half of the expiry, and a truncated
 * HMAC-SHA256 over all of it with the whole expiry (RFC 2104, 5). Every byte counts: drachtio-server adds at most 1,023
 * bytes of headers to a request that it proxies, and a plan of ten legs has to fit. 64 bits of a tag are enough for a
 * value that lives 200 s and is taken from the media nodes' addresses alone.
 * @throws RangeError when a claim does not fit its field
 */
export function mintLegToken(claims: LegClaims, key: Uint8Array): string {
  const call = claims.call.startsWith(CALL_PREFIX)
    ? fromBase32(claims.call.slice(CALL_PREFIX.length))
    : undefined;
  if (call?.length !== CALL_BYTES) throw new RangeError('call: expected a call id');
  if (!Number.isInteger(claims.leg) || claims.leg < 0 || claims.leg >= MOST_LEGS)
    throw new RangeError('leg: expected 0 to 63');
  const clock = Buffer.alloc(2);
  clock.writeUInt16BE(claims.expires % CLOCK);
  const body = Buffer.concat([
    call,
    Buffer.of(claims.leg),
    serialBytes(claims.trunk),
    serialBytes(claims.destination),
    clock,
  ]);
  const token = Buffer.concat([body, tag(body, claims.expires, key)]).toString('base64url');
  note(token, claims, key);
  return token;
}

function note(token: string, { call, leg, trunk, destination, expires }: LegClaims, key: Uint8Array): void {
  let tokens = minted.get(key);
  if (tokens === undefined) minted.set(key, (tokens = new Map<string, LegClaims>()));
  tokens.set(token, { call, leg, trunk, destination, expires });
  forgetOldest(tokens, MOST_MINTED);
}

/** Reads `token` at `now` (seconds since the epoch). A token that is not ours says nothing, not even about itself. */
export function readLegToken(token: string, key: Uint8Array, now: number): LegClaims | TokenFault {
  const own = minted.get(key)?.get(token);
  // Further off it means another moment.
  if (own !== undefined && Math.abs(own.expires - now) < CLOCK / 2)
    return own.expires < now ? 'expired' : own;
  if (!FORM.test(token)) return 'form';
  const bytes = Buffer.from(token, 'base64url');
  const body = bytes.subarray(0, -TAG_BYTES);
  const [trunk, afterTrunk] = readSerial(body, CALL_BYTES + 1);
  const [destination, afterDestination] = readSerial(body, afterTrunk);
  if (afterDestination + 2 !== body.length) return 'form';
  // The one moment within nine hours of now whose low half this is.
  const low = body.readUInt16BE(afterDestination);
  const expires = now + ((low - (now % CLOCK) + 1.5 * CLOCK) % CLOCK) - CLOCK / 2;
  if (!timingSafeEqual(bytes.subarray(-TAG_BYTES), tag(body, expires, key))) return 'signature';
  const claims: LegClaims = {
    call: CALL_PREFIX + base32(body.subarray(0, CALL_BYTES)),
    leg: body.readUInt8(CALL_BYTES),
    trunk,
    destination,
    expires,
  };
  return expires < now ? 'expired' : claims;
}

/** The token in a leg's user part (`leg.TOKEN`); undefined where the user part is of another kind. */
export function legTokenOf(user: string): string | undefined {
  return user.startsWith('leg.') ? user.slice(4) : undefined;
}

/**
 * The serial of the destination that a token of any age names: for records, whose call is over. Undefined for a text that
 * is no token. It is not checked whose token it is: where it stands, the media node wrote it.
 */
export function destinationOfToken(token: string): number | undefined {
  if (!FORM.test(token)) return undefined;
  const body = Buffer.from(token, 'base64url').subarray(0, -TAG_BYTES);
  const [destination, end] = readSerial(body, readSerial(body, CALL_BYTES + 1)[1]);
  return end + 2 === body.length ? destination : undefined;
}

/** Seven bits a byte, low ones first, the high bit says that more follow. At most five bytes. */
function serialBytes(serial: number): Buffer {
  if (!Number.isInteger(serial) || serial < 0 || serial > 0xffffffff)
    throw new RangeError('serial: expected 32 bits');
  const bytes: number[] = [];
  let rest = serial;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.of(...bytes, rest);
}

function readSerial(bytes: Uint8Array, from: number): [serial: number, next: number] {
  let serial = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = bytes[from + at] ?? 0;
    serial += (byte & 127) * 128 ** at;
    if (byte < 128) return [serial, from + at + 1];
  }
  return [serial, bytes.length + 1];
}

function tag(body: Uint8Array, expires: number, key: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update(body)
    .update(`|${String(expires)}`)
    .digest()
    .subarray(0, TAG_BYTES);
}
