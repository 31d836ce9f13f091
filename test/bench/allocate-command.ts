import type { Pool, Site } from '../../src/directory/model.js';
import { allocateCommand } from '../../src/numbers/allocate-command.js';
import { mintLinkTail } from '../../src/numbers/links.js';

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
export const KEY_COUNT = 7;

/** What the allocator gives to `allocate.lua`: the keys, then the arguments. */
export function allocateArguments(given: AllocateArguments): (string | number)[] {
  const { account, endpoint, site, pool, session, now = '' } = given;
  const request = { account, endpoint, site: site.id, session };
  const { keys, args } = allocateCommand(request, site, [{ id: pool }], mintLinkTail(), now);
  return [...keys, ...args];
}
