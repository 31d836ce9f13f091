import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Parsed } from './values.js';

/**
 * A public key as PEM (RFC 7468, section 13), of a kind whose signatures we verify: Ed25519 (RFC 8410) or P-256. The
 * value is the key in one form, whatever the white space was. A private key is refused: it has no place in this file.
 */
export function parseVisitorKey(text: string): Parsed<string> {
  const fault = {
    expected: 'a public key in PEM, "-----BEGIN PUBLIC KEY-----" and so on, of the kind Ed25519 or P-256',
  };
  const pem = text.trim();
  if (!/^-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----$/.test(pem)) return fault;
  const key = publicKey(pem);
  if (key === undefined) return fault;
  const known =
    key.asymmetricKeyType === 'ed25519' ||
    (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1');
  return known ? { value: key.export({ type: 'spki', format: 'pem' }).toString().trim() } : fault;
}

function publicKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    // OpenSSL's reasons differ from release to release; ours says what was expected.
    return undefined;
  }
}
