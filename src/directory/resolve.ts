import { isDeepStrictEqual } from 'node:util';
import { mintId, type IdPrefix } from '../ids.js';
import { formerAfter } from './former.js';
import type {
  DeclaredAccount,
  DeclaredDestination,
  DeclaredEndpoint,
  DeclaredPool,
  DeclaredSite,
  DeclaredTrunk,
  Declaration,
} from './declaration.js';
import type {
  Account,
  ApiKey,
  Destination,
  Directory,
  Endpoint,
  Pool,
  RingGroup,
  Site,
  Trunk,
  TrunkGroup,
} from './model.js';

/** Pools that are remembered of an account; a link outlives its pool by minutes. */
const FORMER_POOLS = 100;

export const EMPTY_DIRECTORY: Directory = {
  apiVersion: 'tagswitch/v1',
  version: 0,
  nextSerial: 1,
  accounts: [],
};

export type Mint = <P extends IdPrefix>(prefix: P) => `${P}_${string}`;

/**
 * The directory that the declaration means, on top of `current`: what keeps its name within its account keeps its id,
 * a destination that stays at its endpoint keeps its serial, everything else gets new ones. Lists are put in order of
 * name, so that moving things about in the file changes nothing.
 *
 * Only the order of pools means something: it is kept as their rank. Numbers that leave an account are noted as having
 * left at `now`, ms since the epoch.
 *
 * Pure but for `mint`. Returns `current` itself when nothing changes, else the next version.
 */
export function resolve(
  declaration: Declaration,
  current: Directory,
  mint: Mint = mintId,
  now: number = Date.now(),
): Directory {
  const minting: Minting = { mint, nextSerial: current.nextSerial };
  const before = byName(current.accounts);
  const accounts = sorted(declaration.accounts).map((account) =>
    resolveAccount(account, before.get(account.name), minting),
  );
  const { reuse } = declaration;
  if (isDeepStrictEqual(accounts, current.accounts) && isDeepStrictEqual(reuse, current.reuse))
    return current;
  const former = formerAfter(current, accounts, reuse, now);
  return {
    apiVersion: 'tagswitch/v1',
    version: current.version + 1,
    nextSerial: minting.nextSerial,
    accounts,
    ...(reuse === undefined ? {} : { reuse }),
    ...(former.length === 0 ? {} : { former }),
  };
}

interface Minting {
  readonly mint: Mint;
  nextSerial: number;
}

interface Named {
  readonly name: string;
}

const byName = <T extends Named>(list: readonly T[] = []): ReadonlyMap<string, T> =>
  new Map(list.map((item) => [item.name, item]));

const sorted = <T extends Named>(list: readonly T[]): T[] =>
  list.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** The id of a name that the account has; the file's reader has checked that it has it. */
function idOf<T extends Named & { readonly id: string }>(
  things: ReadonlyMap<string, T>,
  name: string,
): T['id'] {
  const thing = things.get(name);
  if (thing === undefined)
    throw new RangeError(`the declaration refers to "${name}", which it does not declare`);
  return thing.id;
}

function resolveAccount(declared: DeclaredAccount, before: Account | undefined, minting: Minting): Account {
  const { mint } = minting;
  const oldKeys = byName(before?.apiKeys);
  const apiKeys = sorted(declared.apiKeys).map(({ name, hash, addresses }): ApiKey => ({
    id: oldKeys.get(name)?.id ?? mint('key'),
    name,
    hash,
    addresses,
  }));
  const oldTrunks = byName(before?.trunks);
  const trunks = sorted(declared.trunks).map((trunk) =>
    resolveTrunk(trunk, oldTrunks.get(trunk.name), minting),
  );
  const trunksByName = byName(trunks);
  const oldEndpoints = byName(before?.endpoints);
  // An endpoint may name another one that is declared below it.
  const ids = new Map(
    sorted(declared.endpoints).map(({ name }) => [
      name,
      { name, id: oldEndpoints.get(name)?.id ?? mint('end') },
    ]),
  );
  const endpoints = sorted(declared.endpoints).map((endpoint) =>
    resolveEndpoint(
      endpoint,
      oldEndpoints.get(endpoint.name),
      { endpoints: ids, trunks: trunksByName },
      minting,
    ),
  );
  const endpointsByName = byName(endpoints);
  const oldSites = byName(before?.sites);
  const sites = sorted(declared.sites).map((site) =>
    resolveSite(site, oldSites.get(site.name), endpointsByName, minting),
  );
  const names = { sites: byName(sites), endpoints: endpointsByName, trunks: trunksByName };
  const oldPools = byName(before?.pools);
  const ranked = declared.pools.map((pool, rank) => ({ ...pool, rank }));
  const pools = sorted(ranked).map((pool) => resolvePool(pool, oldPools.get(pool.name), names, minting));
  const { name, timeZone, profile, redialMs, concurrentCalls, callsPerSecond, destinationPrefixes } =
    declared;
  const trunkGroups =
    declared.trunkGroups &&
    sorted(declared.trunkGroups).map((group): TrunkGroup => ({
      name: group.name,
      trunks: group.trunks.map(({ trunk, ...place }) => ({ trunk: idOf(trunksByName, trunk), ...place })),
    }));
  const formerPools = formerPoolsOf(before, pools);
  return {
    id: before?.id ?? mint('acc'),
    name,
    timeZone,
    apiKeys,
    sites,
    endpoints,
    pools,
    trunks,
    ...(trunkGroups === undefined ? {} : { trunkGroups }),
    ...(destinationPrefixes === undefined ? {} : { destinationPrefixes }),
    ...(profile === undefined ? {} : { profile }),
    ...(redialMs === undefined ? {} : { redialMs }),
    ...(concurrentCalls === undefined ? {} : { concurrentCalls }),
    ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
    ...(formerPools.length === 0 ? {} : { formerPools }),
  };
}

/** Pools that went: their numbers may have moved on, now or earlier, and links that were minted for them live on. */
function formerPoolsOf(before: Account | undefined, pools: readonly Pool[]): Pool['id'][] {
  const stays = new Set(pools.map(({ id }) => id));
  const gone = before?.pools.map(({ id }) => id).filter((id) => !stays.has(id)) ?? [];
  return [...gone, ...(before?.formerPools ?? [])].slice(0, FORMER_POOLS);
}

function resolveTrunk(declared: DeclaredTrunk, before: Trunk | undefined, minting: Minting): Trunk {
  const id = before?.id ?? minting.mint('trk');
  return { ...declared, id, serial: before?.serial ?? minting.nextSerial++ };
}

function resolveEndpoint(
  { routes, overflow, ...declared }: DeclaredEndpoint,
  before: Endpoint | undefined,
  names: {
    readonly endpoints: ReadonlyMap<string, Named & Pick<Endpoint, 'id'>>;
    readonly trunks: ReadonlyMap<string, Trunk>;
  },
  minting: Minting,
): Endpoint {
  // An address may stand in several groups: each place keeps a serial of its own, handed out in order.
  const serials = new Map<string, number[]>();
  for (const { to, serial } of before?.ring.flatMap((group) => group.destinations) ?? []) {
    serials.set(to, [...(serials.get(to) ?? []), serial]);
  }
  const destination = ({ to, trunks, ...more }: DeclaredDestination): Destination => ({
    serial: serials.get(to)?.shift() ?? minting.nextSerial++,
    to,
    trunks: trunks.map((name) => idOf(names.trunks, name)),
    ...more,
  });
  const ring = declared.ring.map(({ destinations, ...group }): RingGroup => ({
    ...group,
    destinations: destinations.map(destination),
  }));
  return {
    ...declared,
    id: idOf(names.endpoints, declared.name),
    ring,
    ...(routes === undefined
      ? {}
      : { routes: routes.map((rule) => ({ ...rule, endpoint: idOf(names.endpoints, rule.endpoint) })) }),
    ...(overflow === undefined ? {} : { overflow: idOf(names.endpoints, overflow) }),
  };
}

function resolveSite(
  declared: DeclaredSite,
  before: Site | undefined,
  endpoints: ReadonlyMap<string, Endpoint>,
  minting: Minting,
): Site {
  return {
    ...declared,
    id: before?.id ?? minting.mint('site'),
    endpoints: declared.endpoints.toSorted().map((name) => idOf(endpoints, name)),
  };
}

interface AccountNames {
  readonly sites: ReadonlyMap<string, Site>;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly trunks: ReadonlyMap<string, Trunk>;
}

function resolvePool(
  { site, reservedEndpoint, defaultEndpoint, trunk, ...declared }: DeclaredPool & { readonly rank: number },
  before: Pool | undefined,
  names: AccountNames,
  minting: Minting,
): Pool {
  return {
    ...declared,
    id: before?.id ?? minting.mint('pool'),
    ...(site === undefined ? {} : { site: idOf(names.sites, site) }),
    ...(reservedEndpoint === undefined ? {} : { reservedEndpoint: idOf(names.endpoints, reservedEndpoint) }),
    ...(defaultEndpoint === undefined ? {} : { defaultEndpoint: idOf(names.endpoints, defaultEndpoint) }),
    ...(trunk === undefined ? {} : { trunk: idOf(names.trunks, trunk) }),
  };
}
