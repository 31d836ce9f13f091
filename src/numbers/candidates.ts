import type { Pool } from '../directory/model.js';

/**
 * The pools that may serve a page, in the order in which they are tried: first those of the visitor's area (E.164
 * prefix), the closest area first; then as they are reserved: to this endpoint on this site, to the endpoint, to the
 * site, to nobody; then by rank, which is as they are declared. A pool reserved to another site or endpoint never serves.
 */
export function candidatePools(
  pools: readonly Pool[],
  site: string,
  endpoint: string,
  area?: string,
): readonly Pool[] {
  return pools
    .filter((pool) => (pool.site ?? site) === site && (pool.reservedEndpoint ?? endpoint) === endpoint)
    .sort(
      (a, b) =>
        areaMatch(b, area) - areaMatch(a, area) ||
        closeness(b) - closeness(a) ||
        (a.rank ?? 0) - (b.rank ?? 0),
    );
}

/** How many digits of the visitor's area the pool's numbers share; 0 where they are of another, or nothing is known. */
function areaMatch({ areas = [] }: Pool, area: string | undefined): number {
  if (area === undefined) return 0;
  return Math.max(0, ...areas.filter((prefix) => area.startsWith(prefix)).map((prefix) => prefix.length));
}

function closeness(pool: Pool): number {
  return (pool.reservedEndpoint === undefined ? 0 : 2) + (pool.site === undefined ? 0 : 1);
}
