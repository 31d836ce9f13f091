import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { base32 } from '../ids.js';
import { randomBytesOf } from '../random.js';

const POOL = /^pool_([0-9a-z]{16})$/;
const LINK = /^lnk_([0-9a-z]{16})[0-9a-z]{16}$/;

const RANDOM_CHARACTERS = 10;
const RANDOM_BYTES = 7;

/** Of a process that shares its links with nobody. */
const OWN_KEY = randomBytes(32);

/**
 * The half of a link id that is its own: 50 random bits and 30 of a MAC, 16 characters. A link id is `lnk_`, the 16
 * characters of its pool's id and these: whoever gets a link id finds pool and account in the cached directory, without
 * asking Redis. The script that picks the pool puts the parts together.
 */
export function mintLinkTail(key: Uint8Array = OWN_KEY): string {
  const own = base32(randomBytesOf(RANDOM_BYTES)).slice(0, RANDOM_CHARACTERS);
  return own + mac(key, own);
}

/** Whether the link was minted with this key: what a page says of a link that Redis does not know is then worth hearing. */
export function linkIsOurs(link: string, key: Uint8Array = OWN_KEY): boolean {
  if (!LINK.test(link)) return false;
  const own = link.slice(-16, -16 + RANDOM_CHARACTERS);
  return timingSafeEqual(Buffer.from(link.slice(-16 + RANDOM_CHARACTERS)), Buffer.from(mac(key, own)));
}

function mac(key: Uint8Array, own: string): string {
  const digest = createHmac('sha256', key).update(own).digest();
  return base32(digest.subarray(0, 4)).slice(0, 16 - RANDOM_CHARACTERS);
}

/** The pool that a link's number is of; undefined when `link` is no link id. */
export function poolOfLink(link: string): `pool_${string}` | undefined {
  const own = LINK.exec(link)?.[1];
  return own === undefined ? undefined : `pool_${own}`;
}

/** The part of a pool's id that its links carry. Throws on an id that was not minted by us. */
export function poolTag(pool: string): string {
  const own = POOL.exec(pool)?.[1];
  if (own === undefined) throw new TypeError('a pool id is "pool_" and 16 characters');
  return own;
}
