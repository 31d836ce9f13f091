import { createHmac, timingSafeEqual } from 'node:crypto';
import { base32, fromBase32 } from '../ids.js';

/** What a leg's token says, and all that a process must know to send the leg on. */
export interface LegClaims {
  readonly call: string;
  /** Number of the leg within its plan, from 0. */
  readonly leg: number;
  /** Serial of the trunk that the plan named; 0 for a destination that is reached by its own SIP address. */
  readonly trunk: number;
  /** Serial of the destination. */
  readonly destination: number;
  /** Seconds since the epoch; the leg may not start later. */
  readonly expires: number;
}

export type TokenFault = 'form' | 'signature' | 'expired';

/** version, call (10), leg, trunk (4), destination (4), expiry (4) */
const BODY_BYTES = 24;
const TAG_BYTES = 12;
const VERSION = 1;
const CALL_PREFIX = 'call_';
const FORM = /^[A-Za-z0-9_-]{48}$/;

/**
 * A leg's token: 36 bytes as 48 characters of base64url, which stand unescaped in a SIP URI's user part
 * (RFC 3261, 25.1, `unreserved`). It is short because a plan of three legs has to fit in 500 bytes of a datagram, and it
 * holds serials rather than addresses because it can be read by whoever sees the leg's To header. The tag is a truncated
 * HMAC-SHA256 (96 bits, RFC 2104, 5). @throws RangeError when a claim does not fit its field
 */
export function mintLegToken(claims: LegClaims, key: Uint8Array): string {
  const call = claims.call.startsWith(CALL_PREFIX)
    ? fromBase32(claims.call.slice(CALL_PREFIX.length))
    : undefined;
  if (call?.length !== 10) throw new RangeError('call: expected a call id');
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUInt8(VERSION, 0);
  call.copy(body, 1);
  body.writeUInt8(claims.leg, 11);
  body.writeUInt32BE(claims.trunk, 12);
  body.writeUInt32BE(claims.destination, 16);
  body.writeUInt32BE(claims.expires, 20);
  return Buffer.concat([body, tag(body, key)]).toString('base64url');
}

/** Reads `token` at `now` (seconds since the epoch). A token that is not ours says nothing, not even about itself. */
export function readLegToken(token: string, key: Uint8Array, now: number): LegClaims | TokenFault {
  if (!FORM.test(token)) return 'form';
  const bytes = Buffer.from(token, 'base64url');
  const body = bytes.subarray(0, BODY_BYTES);
  if (body.readUInt8(0) !== VERSION) return 'form';
  if (!timingSafeEqual(bytes.subarray(BODY_BYTES), tag(body, key))) return 'signature';
  const claims: LegClaims = {
    call: CALL_PREFIX + base32(body.subarray(1, 11)),
    leg: body.readUInt8(11),
    trunk: body.readUInt32BE(12),
    destination: body.readUInt32BE(16),
    expires: body.readUInt32BE(20),
  };
  return claims.expires < now ? 'expired' : claims;
}

/** The token in a leg's user part (`leg.TOKEN`); undefined where the user part is of another kind. */
export function legTokenOf(user: string): string | undefined {
  return user.startsWith('leg.') ? user.slice(4) : undefined;
}

function tag(body: Uint8Array, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(body).digest().subarray(0, TAG_BYTES);
}
