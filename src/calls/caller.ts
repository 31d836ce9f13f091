import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { randomBytesOf } from '../random.js';

/** The key is shorter than 16 bytes. */
export class WeakCallerKey extends Error {
  readonly code = 'weakCallerKey';
}

const FORM = 'c1'; // names the way of sealing, so that another can follow
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A caller's number, encrypted for the call log: AES-256-GCM with a new IV each time, so that equal numbers do not look
 * equal. Throws `WeakCallerKey`.
 */
export function sealCaller(number: string, key: Uint8Array): string {
  const iv = randomBytesOf(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', derived(key, 'seal'), iv);
  const sealed = Buffer.concat([cipher.update(number, 'utf8'), cipher.final()]);
  return `${FORM}.${Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url')}`;
}

/** The number that was sealed; undefined when the text was altered or sealed with another key. Throws `WeakCallerKey`. */
export function openCaller(text: string, key: Uint8Array): string | undefined {
  const [form, body, ...more] = text.split('.');
  if (form !== FORM || body === undefined || more.length > 0) return undefined;
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES || bytes.toString('base64url') !== body) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', derived(key, 'seal'), bytes.subarray(0, IV_BYTES));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const opened = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch {
    return undefined; // the tag does not fit: that is the answer
  }
}

/** A caller's number as it is matched and never read: keyed, so that the few possible numbers cannot be tried out. */
export function hashCaller(number: string, key: Uint8Array): string {
  return createHmac('sha256', derived(key, 'hash')).update(number, 'utf8').digest('base64url');
}

/** Keys that were derived, by the installation's: a derivation costs more than what it is used for. */
const known = { seal: new WeakMap<Uint8Array, Buffer>(), hash: new WeakMap<Uint8Array, Buffer>() };

/** One key each for sealing and hashing, from the installation's one. */
function derived(key: Uint8Array, purpose: keyof typeof known): Buffer {
  const before = known[purpose].get(key);
  if (before !== undefined) return before;
  if (key.length < 16) throw new WeakCallerKey('the key for callers has at least 16 bytes');
  const made = Buffer.from(hkdfSync('sha256', key, 'tagswitch caller', purpose, 32));
  known[purpose].set(key, made);
  return made;
}
