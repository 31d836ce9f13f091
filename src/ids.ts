import { randomBytesOf } from './random.js';

/** The prefixes of minted ids (design, "Words on the wire"). */
export type IdPrefix = 'acc' | 'site' | 'end' | 'pool' | 'trk' | 'key' | 'lnk' | 'call' | 'leg';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford's base 32: no i, l, o, u to misread

/** `bytes` as lower-case Crockford base 32; 5 bytes make 8 characters. */
export function base32(bytes: Uint8Array): string {
  let bits = 0;
  let held = 0;
  let text = '';
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >>> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

/** The bytes that `base32` made `text` of; undefined when a character is not of the alphabet. */
export function fromBase32(text: string): Buffer | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >>> bits) & 255);
      held &= (1 << bits) - 1;
    }
  }
  return Buffer.from(bytes);
}

/** How fine the time in a call's id is, ms: calls of one commit to the call log stand next to each other in it. */
const TICK_MS = 100;
const TICKS = 2 ** 24;

/**
 * A new global id: `PREFIX_` and 16 characters: 80 random bits. The first 24 of a call's are the time instead, which comes round
 * every 19 days: calls are written in the order of their ids, next to each other, where random ones would touch a page each of
 * every table and index.
 */
export function mintId<P extends IdPrefix>(prefix: P): `${P}_${string}` {
  const bytes = randomBytesOf(10);
  if (prefix === 'call') bytes.writeUIntBE(Math.floor(Date.now() / TICK_MS) % TICKS, 0, 3);
  return `${prefix}_${base32(bytes)}`;
}
