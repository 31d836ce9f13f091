import type { Pool, Site } from '../../src/directory/model.js';
import { MARGIN_MS } from '../../src/numbers/allocator.js';
import { LOG_LENGTH } from '../../src/numbers/holder-log.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { mintLinkTail, poolTag } from '../../src/numbers/links.js';

export interface AllocateArguments {
  readonly account: string;
  readonly endpoint: string;
  readonly site: Pick<Site, 'id' | 'holdMs'>;
  readonly pool: Pool['id'];
  readonly session: string;
  /** In place of Redis's clock, ms. */
  readonly now?: number;
}

/** Keys of `allocate.lua` in one pool. */
export const KEY_COUNT = 4;

/** What the allocator gives to `allocate.lua`: the keys, then the arguments. */
export function allocateArguments(given: AllocateArguments): (string | number)[] {
  const { account, endpoint, site, pool, session, now } = given;
  const keys = accountKeys(account);
  return [
    ...[keys.holders, keys.links, keys.numbers, keys.ends(pool)],
    ...[now ?? '', site.holdMs, MARGIN_MS, LOG_LENGTH],
    ...[JSON.stringify({ endpoint, site: site.id, session }), mintLinkTail(), poolTag(pool)],
  ];
}
