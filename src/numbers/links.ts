import { randomFillSync } from 'node:crypto';
import { base32 } from '../ids.js';

const TAIL_BYTES = 10;
/** Random bytes are had in stock: asking the system for ten costs as much as asking for a thousand. */
const stock = Buffer.alloc(100 * TAIL_BYTES);
let used = stock.length;

const POOL = /^pool_([0-9a-z]{16})$/;
const LINK = /^lnk_([0-9a-z]{16})[0-9a-z]{16}$/;

/**
 * The random half of a link id: 16 characters, 80 random bits. A link id is `lnk_`, the 16 characters of its pool's id
 * and these: whoever gets a link id finds pool and account in the cached directory, without asking Redis.
 * The script that picks the pool puts the parts together.
 */
export function mintLinkTail(): string {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  return base32(stock.subarray(used, (used += TAIL_BYTES)));
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
