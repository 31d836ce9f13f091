import type { Account, Pool } from '../directory/model.js';
import { rangeOf, rangesSize } from '../directory/ranges.js';
import { isE164 } from '../numbers/e164.js';
import type { Holding } from '../numbers/holder-log.js';
import { accountOfKey, poolOf } from './access.js';
import type { HttpParts, PoolUse } from './ports.js';
import { Problem } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import type { StoreWatch } from './store-watch.js';

/**
 * `GET /v1/pools`, `/v1/pools/{id or name}` and `/v1/numbers/{number}`: what the account of the key has, and how much of it
 * is in use. Who holds a number is told without what would say who it is.
 */
export function poolRoutes(http: Http, parts: HttpParts, store: StoreWatch): void {
  const views = async (account: Account, pools: readonly Pool[]) => {
    const uses = await store.ask(
      parts.numberFacts.pools(
        account.id,
        pools.map(({ id }) => id),
      ),
    );
    return pools.map((pool, i) => poolView(pool, uses[i] ?? { shown: 0, held: 0 }));
  };

  http.get('/v1/pools', async (request) => {
    const account = accountOfKey(parts.directory(), askerOf(request));
    return { items: await views(account, account.pools) };
  });

  http.get<{ Params: { id: string } }>('/v1/pools/:id', async (request) => {
    const account = accountOfKey(parts.directory(), askerOf(request));
    const [view] = await views(account, [poolOf(account, request.params.id)]);
    return view;
  });

  http.get<{ Params: { number: string } }>('/v1/numbers/:number', async (request) => {
    const directory = parts.directory();
    const account = accountOfKey(directory, askerOf(request));
    // A plus sign that was not escaped may arrive as a blank.
    const number = request.params.number.replace(/^ /, '+');
    if (!isE164(number)) throw new Problem('numberNotFound');
    const state = directory.numberState(number, parts.now());
    const pool = account.pools.find(({ numbers }) => rangeOf(numbers, number) !== undefined);
    if (pool === undefined || state === undefined) throw new Problem('numberNotFound');
    const { now, newest } = await store.ask(parts.numberFacts.number(account.id, number));
    const alive = newest !== undefined && newest.until > now;
    return {
      number,
      display: parts.displayForm(number),
      pool: pool.id,
      state,
      link: alive ? linkView(newest) : null,
      lastHolder: alive || newest === undefined ? null : linkView(newest),
    };
  });
}

function poolView(pool: Pool, { shown, held }: PoolUse) {
  const { id, name, site, reservedEndpoint, defaultEndpoint, trunk, areas = [], numbers } = pool;
  return {
    id,
    name,
    site: site ?? null,
    endpoint: reservedEndpoint ?? null,
    defaultEndpoint: defaultEndpoint ?? null,
    trunk: trunk ?? null,
    areas,
    numbers: rangesSize(numbers),
    paused: rangesSize(pool.paused ?? []),
    retired: rangesSize(pool.retired ?? []),
    /** May be given to pages now or later: what is neither paused, retired nor in quarantine. */
    shown,
    held,
    free: shown - held,
  };
}

/** Neither session nor visitor, person or touch. */
function linkView({ link, level, endpoint, site, startedAt, until, seenAt, ambiguous = false }: Holding) {
  const iso = (at: number): string => new Date(at).toISOString();
  return {
    ...{ link, level, endpoint, site, startedAt: iso(startedAt) },
    ...{ until: iso(until), seenAt: iso(seenAt), ambiguous },
  };
}
