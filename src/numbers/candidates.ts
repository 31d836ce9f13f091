import type { Pool } from '../directory/model.js';

/**
 * The pools that may serve a page, in the order in which they are tried: reserved to this endpoint on this site, to the
 * endpoint, to the site, to nobody; as declared among equals. A pool reserved to another site or endpoint never serves.
 */
export function candidatePools(pools: readonly Pool[], site: string, endpoint: string): readonly Pool[] {
  return pools
    .filter((pool) => (pool.site ?? site) === site && (pool.reservedEndpoint ?? endpoint) === endpoint)
    .sort((a, b) => closeness(b) - closeness(a));
}

function closeness(pool: Pool): number {
  return (pool.reservedEndpoint === undefined ? 0 : 2) + (pool.site === undefined ? 0 : 1);
}
