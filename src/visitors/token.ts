import { createPublicKey, verify, type KeyObject } from 'node:crypto';

/** The most that a token may be, bytes. */
export const MAX_TOKEN = 1_024;
/** What two clocks may differ by, s. */
const SKEW_S = 60;
const MOST_AHEAD_S = 3_600;

/** A site's public key, and the one algorithm that goes with it. */
export interface VisitorKey {
  readonly algorithm: 'EdDSA' | 'ES256';
  readonly key: KeyObject;
}

/** What a good token says. */
export interface VisitorClaims {
  /** Who the visitor is to the site. Maybe an e-mail address: to be hashed, never to be kept. */
  readonly subject: string;
  /** When the token ends, ms since the epoch. */
  readonly until: number;
}

/** @param pem SPKI; Ed25519 or P-256. @throws TypeError for another key, and what node:crypto throws */
export function readVisitorKey(pem: string): VisitorKey {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType === 'ed25519') return { algorithm: 'EdDSA', key };
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1')
    return { algorithm: 'ES256', key };
  throw new TypeError('a visitor key is Ed25519 or P-256');
}

/**
 * A visitor's token (JWT, RFC 7519, compact form), signed by the site's own server: `{alg}` as the key's, `{sub, aud, exp}`
 * and, where they are there, `iat` and `nbf`. The key decides the algorithm; what the token says of it has only to agree.
 *
 * @param audience what may stand in `aud`: the site's id and name
 * @param now ms since the epoch
 * @returns undefined for a token that is not good, whyever
 */
export function readVisitorToken(
  token: string,
  { algorithm, key }: VisitorKey,
  audience: readonly string[],
  now: number,
): VisitorClaims | undefined {
  if (token.length > MAX_TOKEN) return undefined;
  const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token);
  if (parts === null) return undefined;
  const [, head = '', body = '', signature = ''] = parts;
  const header = object(head);
  if (header === undefined || header['alg'] !== algorithm || 'crit' in header) return undefined;
  const { typ } = header;
  if (typ !== undefined && (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT')) return undefined;
  const claims = object(body);
  const good = claims && checked(claims, audience, now / 1000);
  // The signature last: it is what costs.
  if (good === undefined || !isSigned(`${head}.${body}`, signature, algorithm, key)) return undefined;
  return good;
}

function checked(
  claims: Readonly<Record<string, unknown>>,
  audience: readonly string[],
  seconds: number,
): VisitorClaims | undefined {
  const { sub, aud, exp, iat = seconds, nbf = seconds } = claims;
  if (typeof sub !== 'string' || sub.length < 1 || sub.length > 128) return undefined;
  const meant: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!meant.some((one) => typeof one === 'string' && audience.includes(one))) return undefined;
  if (typeof exp !== 'number' || !(exp > seconds) || exp > seconds + MOST_AHEAD_S + SKEW_S) return undefined;
  if (typeof iat !== 'number' || !(iat <= seconds + SKEW_S)) return undefined;
  if (typeof nbf !== 'number' || !(nbf <= seconds + SKEW_S)) return undefined;
  return { subject: sub, until: exp * 1000 };
}

function isSigned(
  text: string,
  signature: string,
  algorithm: VisitorKey['algorithm'],
  key: KeyObject,
): boolean {
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== 64) return false;
  const data = Buffer.from(text, 'ascii');
  // RFC 7518, 3.4: r and s one after the other, not DER.
  return algorithm === 'EdDSA'
    ? verify(null, data, key, given)
    : verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, given);
}

function object(part: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
