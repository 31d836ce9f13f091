import { verify } from 'node:crypto';
import type { Attestation } from '../../routing/attestation.js';
import type { Found } from './certificates.js';
import { isOurs, readPassport, type Message, type Passport } from './identity-header.js';
import { mayTell } from './tn-auth-list.js';

/** What is known of the caller's number, and why it is not more. */
export interface Attested {
  readonly attestation: Attestation;
  readonly why?: AttestationWhy;
}

export type AttestationWhy =
  | 'malformed'
  | 'algorithm'
  | 'twice'
  | 'stale'
  | 'caller'
  | 'number'
  | 'certificateHost'
  | 'certificateUnreachable'
  | 'certificateTime'
  | 'chain'
  | 'curve'
  | 'notItsNumber'
  | 'signature'
  | 'verstat'
  | 'noAnchors';

export interface VerificationParts {
  readonly isAllowed: (url: string) => boolean;
  readonly certificate: (url: string) => Promise<Found>;
  readonly now: () => number;
}

/** How far the signer's clock may be from ours, either way (RFC 8224, 6.2.1 and 12.1). */
const FRESH_S = 60;

const failed = (why: AttestationWhy): Attested => ({ attestation: 'failed', why });

/**
 * Verifies the Identity headers of an INVITE (RFC 8224, 6.2; RFC 8588). What can be told without the certificate comes first,
 * so that nobody has us fetch one with a header that fails anyway. A certificate that cannot be had in time says nothing
 * against the caller: his number counts as not signed, and why says so. A signature without a level (no SHAKEN) counts as C.
 */
export async function verified(
  headers: readonly string[],
  message: Message,
  parts: VerificationParts,
): Promise<Attested> {
  const ours = headers.filter(isOurs);
  const [value] = ours;
  if (value === undefined) return { attestation: 'none' };
  if (ours.length > 1) return failed('twice');
  const passport = readPassport(value, message);
  if (typeof passport === 'string') return failed(passport);
  const now = parts.now();
  if (Math.abs(now / 1000 - passport.iat) > FRESH_S) return failed('stale');
  if (passport.orig !== message.orig) return failed('caller');
  if (!passport.dest.includes(message.dest)) return failed('number');
  if (!parts.isAllowed(passport.x5u)) return failed('certificateHost');
  const found = await parts.certificate(passport.x5u);
  if (found === 'unreachable') return { attestation: 'none', why: 'certificateUnreachable' };
  if (typeof found === 'string') return failed(found);
  if (now < found.from || now > found.to) return failed('certificateTime');
  if (found.numbers !== undefined && !mayTell(found.numbers, passport.orig)) return failed('notItsNumber');
  const key = { key: found.key, dsaEncoding: 'ieee-p1363' } as const;
  if (!verify('sha256', Buffer.from(passport.signed), key, passport.signature)) return failed('signature');
  return { attestation: levelOf(passport) };
}

function levelOf({ attest }: Passport): Attestation {
  return attest === 'A' || attest === 'B' ? attest : 'C';
}
