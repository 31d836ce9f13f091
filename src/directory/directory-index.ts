import { createHash, timingSafeEqual } from 'node:crypto';
import { AddressSet, normalAddress } from '../addresses.js';
import type { Account, ApiKey, Destination, Directory, Endpoint, Pool, Site, Trunk } from './model.js';
import { transportOf, type Transport } from './transport.js';
import { NumberStates, type FormerOwner, type NumberState } from './number-state.js';

export interface KeyOwner {
  readonly account: Account;
  readonly key: ApiKey;
}
export interface SiteOwner {
  readonly account: Account;
  readonly site: Site;
}
export interface EndpointOwner {
  readonly account: Account;
  readonly endpoint: Endpoint;
}
export interface PoolOwner {
  readonly account: Account;
  readonly pool: Pool;
}
export interface TrunkOwner {
  readonly account: Account;
  readonly trunk: Trunk;
}
export interface DestinationOwner extends EndpointOwner {
  readonly destination: Destination;
}

interface KnownKey extends KeyOwner {
  readonly hash: Buffer;
  /** undefined: any address. */
  readonly from: AddressSet | undefined;
}

interface KnownTrunk {
  readonly owner: TrunkOwner;
  readonly from: AddressSet;
}

const NONE: readonly never[] = [];

/** Looks a thing of an account up by its name or id: `${account}/${nameOrId}`. An id never looks like a name. */
type ByName<T> = Map<string, T>;

/** One version of the directory, made ready for the lookups of calls and pages. Never changes. */
export class DirectoryIndex {
  readonly directory: Directory;
  /** The one transport of all trunks and SIP destinations, and so of FreeSWITCH (design, rule 5). */
  readonly transport: Transport;
  readonly #accounts = new Map<string, Account>();
  readonly #keys = new Map<string, KnownKey[]>();
  readonly #sites: ByName<Site> = new Map();
  readonly #sitesAnywhere = new Map<string, SiteOwner[]>();
  readonly #endpoints: ByName<Endpoint> = new Map();
  readonly #endpointsById = new Map<string, EndpointOwner>();
  readonly #numbers: NumberStates;
  /** Pools that are and pools that were, by id. */
  readonly #accountsByPool = new Map<string, Account>();
  readonly #trunks: KnownTrunk[] = [];
  readonly #trunkAddresses: AddressSet;
  readonly #trunksBySerial = new Map<number, TrunkOwner>();
  readonly #trunksById = new Map<string, TrunkOwner>();
  readonly #destinations = new Map<number, DestinationOwner>();
  /** `account/site/endpoint`, each empty where a pool is not reserved. */
  readonly #pools = new Map<string, Pool[]>();

  constructor(directory: Directory) {
    this.directory = directory;
    for (const account of directory.accounts) this.#addAccount(account);
    this.#trunkAddresses = new AddressSet(this.#trunks.flatMap(({ owner }) => owner.trunk.addresses));
    this.#numbers = NumberStates.of(directory);
    this.transport = commonTransport(directory);
  }

  get version(): number {
    return this.directory.version;
  }

  accountById(id: string): Account | undefined {
    return this.#accounts.get(id);
  }

  /**
   * Whose key it is, when it may be used from `address` (an IP address as the socket gives it). The time this takes says
   * nothing about keys: they are found by a part of their hash, and compared in constant time.
   */
  apiKey(text: string, address: string): KeyOwner | undefined {
    const hash = createHash('sha256').update(text).digest();
    const source = normalAddress(address);
    for (const known of this.#keys.get(hash.toString('hex', 0, 4)) ?? NONE) {
      if (!timingSafeEqual(known.hash, hash)) continue;
      const allowed = known.from === undefined || (source !== undefined && known.from.has(source));
      return allowed ? { account: known.account, key: known.key } : undefined;
    }
    return undefined;
  }

  /**
   * The site of this name or id whose pages have this origin; undefined when there is none, `ambiguous` when sites of
   * several accounts share the name and the origin (the page then uses the id).
   */
  siteForOrigin(nameOrId: string, origin: string): SiteOwner | 'ambiguous' | undefined {
    const owners = (this.#sitesAnywhere.get(nameOrId) ?? NONE).filter(({ site }) =>
      site.origins.includes(origin),
    );
    return owners.length > 1 ? 'ambiguous' : owners[0];
  }

  site(account: string, nameOrId: string): Site | undefined {
    return this.#sites.get(`${account}/${nameOrId}`);
  }

  endpoint(account: string, nameOrId: string): Endpoint | undefined {
    return this.#endpoints.get(`${account}/${nameOrId}`);
  }

  endpointById(id: string): EndpointOwner | undefined {
    return this.#endpointsById.get(id);
  }

  /** Whether the site's tags may name the endpoint of its own account: the site lists it, or lists none. */
  mayName(site: Site, endpoint: Endpoint): boolean {
    return site.endpoints.length === 0 || site.endpoints.includes(endpoint.id);
  }

  /** Whose number it is, E.164; paused and in quarantine too. A retired one is nobody's: a call gets 404. */
  numberOwner(number: string): PoolOwner | undefined {
    return this.#numbers.owner(number);
  }

  /** The state of a number at `now`, ms since the epoch; undefined for one that is nobody's and does not rest. */
  numberState(number: string, now: number): NumberState | undefined {
    return this.#numbers.state(number, now);
  }

  /** Who had a number that is in quarantine at `now`, and the policy for its calls; undefined where it is not. */
  formerOwner(number: string, now: number): FormerOwner | undefined {
    return this.#numbers.former(number, now);
  }

  /** The account of a pool id as links carry it, also when the pool is gone and its numbers stand in others. */
  accountOfPool(pool: string): Account | undefined {
    return this.#accountsByPool.get(pool);
  }

  /** The trunks that may send calls from this IP address, of whichever account; none for a stranger, who costs least. */
  trunksByAddress(address: string): readonly TrunkOwner[] {
    const source = normalAddress(address);
    if (source === undefined || !this.#trunkAddresses.has(source)) return NONE;
    return this.#trunks.filter(({ from }) => from.has(source)).map(({ owner }) => owner);
  }

  trunkBySerial(serial: number): TrunkOwner | undefined {
    return this.#trunksBySerial.get(serial);
  }

  trunkById(id: string): TrunkOwner | undefined {
    return this.#trunksById.get(id);
  }

  destinationBySerial(serial: number): DestinationOwner | undefined {
    return this.#destinations.get(serial);
  }

  /**
   * Pools that may serve this site and endpoint (ids): reserved to both, to the endpoint, to the site, then the rest;
   * among equals by rank. The order for a visitor whose area is known: `candidatePools`.
   */
  poolsFor(account: string, site: string, endpoint: string): readonly Pool[] {
    const of = (forSite: string, forEndpoint: string) =>
      this.#pools.get(`${account}/${forSite}/${forEndpoint}`) ?? NONE;
    return [...of(site, endpoint), ...of('', endpoint), ...of(site, ''), ...of('', '')];
  }

  #addAccount(account: Account): void {
    this.#accounts.set(account.id, account);
    for (const key of account.apiKeys) {
      const from = key.addresses.length === 0 ? undefined : new AddressSet(key.addresses);
      append(this.#keys, key.hash.slice(0, 8), { account, key, hash: Buffer.from(key.hash, 'hex'), from });
    }
    for (const site of account.sites) {
      for (const name of [site.name, site.id]) {
        this.#sites.set(`${account.id}/${name}`, site);
        append(this.#sitesAnywhere, name, { account, site });
      }
    }
    for (const endpoint of account.endpoints) {
      for (const name of [endpoint.name, endpoint.id]) this.#endpoints.set(`${account.id}/${name}`, endpoint);
      this.#endpointsById.set(endpoint.id, { account, endpoint });
      for (const destination of endpoint.ring.flatMap((group) => group.destinations)) {
        this.#destinations.set(destination.serial, { account, endpoint, destination });
      }
    }
    for (const trunk of account.trunks) {
      const owner = { account, trunk };
      this.#trunks.push({ owner, from: new AddressSet(trunk.addresses) });
      this.#trunksBySerial.set(trunk.serial, owner);
      this.#trunksById.set(trunk.id, owner);
    }
    for (const id of account.formerPools ?? []) this.#accountsByPool.set(id, account);
    for (const pool of account.pools) this.#accountsByPool.set(pool.id, account);
    for (const pool of account.pools.toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0))) {
      append(this.#pools, `${account.id}/${pool.site ?? ''}/${pool.reservedEndpoint ?? ''}`, pool);
    }
  }
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** `apply` refuses a mix: the first one speaks for all. UDP where nothing says otherwise. */
function commonTransport({ accounts }: Directory): Transport {
  for (const { trunks, endpoints } of accounts) {
    const trunk = trunks[0];
    if (trunk !== undefined) return trunk.transport;
    const addresses = endpoints.flatMap(({ ring }) => ring.flatMap(({ destinations }) => destinations));
    const address = addresses.find(({ to }) => to.startsWith('sip:'));
    if (address !== undefined) return transportOf(address.to);
  }
  return 'udp';
}
