import { createHash } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import type { Account, ApiKey, Site } from '../directory/model.js';
import type { DirectoryLookup, SiteOf } from './ports.js';
import { badValue, Problem } from './problems.js';

/** What of a request tells who asks. */
export interface Asker {
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** The peer's address, or what a trusted proxy says it is. */
  readonly address: string;
}

/**
 * The account whose API key the request carries.
 * @throws Problem keyMissing, keyUnknown, keyElsewhere
 */
export function accountOfKey(directory: DirectoryLookup, asker: Asker): Account {
  const [, key] = /^Bearer +([\x21-\x7e]{1,256})$/i.exec(asker.authorization ?? '') ?? [];
  if (key === undefined) throw new Problem('keyMissing');
  // A lookup by hash tells nothing by its duration: who can choose hashes cannot choose keys.
  const found = directory.key(createHash('sha256').update(key).digest('hex'));
  if (found === undefined) throw new Problem('keyUnknown');
  if (!mayUse(found.key, asker.address)) throw new Problem('keyElsewhere');
  return found.account;
}

/**
 * The site that a page asks for, and by which right. An origin is no authentication, it protects honest browsers: a page
 * of any other origin is refused, whatever key it has. Without an origin (a server, a script) a key is needed.
 * @throws Problem badValue for a site that is not there, originNotListed, and those of `accountOfKey`
 */
export function siteOfAsker(directory: DirectoryLookup, asker: Asker, site: string): SiteOf {
  const { origin } = asker;
  if (origin === undefined) {
    const account = accountOfKey(directory, asker);
    const found = directory.site(account.id, site);
    if (found === undefined) throw unknownSite();
    return { account, site: found };
  }
  const named = directory.sites(site);
  if (named.length === 0) throw unknownSite();
  const listing = named.filter((candidate) => candidate.site.origins.includes(origin));
  const [only, second] = listing;
  if (only === undefined) throw new Problem('originNotListed');
  if (second !== undefined) {
    throw badValue([{ field: 'site', expected: 'the id of the site: two accounts have one of this name' }]);
  }
  return only;
}

/**
 * The ids of those sites of `account` whose links the asker may touch; none when the account is not his. An origin that
 * nobody lists, or a wrong key, is told so whatever he asks for.
 * @throws Problem originNotListed, and those of `accountOfKey`
 */
export function sitesOfAsker(directory: DirectoryLookup, asker: Asker, account: Account | undefined): readonly Site[] {
  if (asker.origin === undefined) {
    const own = accountOfKey(directory, asker);
    return own.id === account?.id ? own.sites : [];
  }
  const listing = directory.sitesOfOrigin(asker.origin);
  if (listing.length === 0) throw new Problem('originNotListed');
  return listing.filter((one) => one.account.id === account?.id).map((one) => one.site);
}

function unknownSite(): Problem {
  return badValue([{ field: 'site', expected: 'the id or name of a site' }]);
}

const blocksOf = new WeakMap<ApiKey, BlockList>();

function mayUse(key: ApiKey, address: string): boolean {
  if (key.addresses.length === 0) return true;
  let blocks = blocksOf.get(key);
  if (blocks === undefined) {
    blocks = new BlockList();
    for (const block of key.addresses) {
      const [network = '', bits] = block.split('/');
      const family = isIPv6(network) ? 'ipv6' : 'ipv4';
      blocks.addSubnet(network, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
    }
    blocksOf.set(key, blocks);
  }
  return blocks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
