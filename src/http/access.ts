import type { DirectoryIndex, SiteOwner } from '../directory/directory-index.js';
import type { Account, Pool, Site } from '../directory/model.js';
import { PageIndex } from './page-index.js';
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
 * @throws Problem keyMissing, keyUnknown
 */
export function accountOfKey(directory: DirectoryIndex, asker: Asker): Account {
  const key = /^Bearer +([\x21-\x7e]{1,256})$/i.exec(asker.authorization ?? '')?.[1];
  if (key === undefined) throw new Problem('keyMissing');
  const owner = directory.apiKey(key, asker.address);
  if (owner === undefined) throw new Problem('keyUnknown');
  return owner.account;
}

/** The account's pool of that id or name. @throws Problem poolNotFound */
export function poolOf(account: Account, idOrName: string): Pool {
  const pool = account.pools.find(({ id, name }) => id === idOrName || name === idOrName);
  if (pool === undefined) throw new Problem('poolNotFound');
  return pool;
}

/** A site that may be asked for; `byTag`: only where the signature of its tag is shown. */
export interface AskedSite {
  readonly owner: SiteOwner;
  readonly byTag: boolean;
}

/**
 * The site that a page asks for, and by which right. An origin is no authentication, it protects honest browsers: a page
 * of any other origin is refused, whatever key it has, unless the site's tags may be embedded in pages of others. Without
 * an origin (a server, a script) a key is needed.
 * @throws Problem badValue for a site that is not there, originNotListed, and those of `accountOfKey`
 */
export function siteOfAsker(directory: DirectoryIndex, asker: Asker, name: string): AskedSite {
  if (asker.origin === undefined) {
    const account = accountOfKey(directory, asker);
    const site = directory.site(account.id, name);
    if (site === undefined) throw badValue([{ field: 'site', expected: 'the id or name of a site' }]);
    return { owner: { account, site }, byTag: false };
  }
  const listing = directory.siteForOrigin(name, asker.origin);
  if (listing !== undefined && listing !== 'ambiguous') return { owner: listing, byTag: false };
  const all = PageIndex.of(directory).sites(name);
  const [embedded, another] = all.filter(({ site }) => site.embedded === true);
  if (listing === 'ambiguous' || another !== undefined) {
    throw badValue([{ field: 'site', expected: 'the id of the site: two accounts have one of this name' }]);
  }
  if (embedded !== undefined) return { owner: embedded, byTag: true };
  if (all.length > 0) throw new Problem('originNotListed');
  throw badValue([{ field: 'site', expected: 'the id or name of a site' }]);
}

/**
 * Those sites of `account` whose links the asker may touch; none when the account is not his. An origin that nobody
 * lists, or a wrong key, is told so whatever he asks for.
 * @throws Problem originNotListed, and those of `accountOfKey`
 */
export function sitesOfAsker(
  directory: DirectoryIndex,
  asker: Asker,
  account: Account | undefined,
): readonly Site[] {
  if (asker.origin === undefined) {
    const own = accountOfKey(directory, asker);
    return own.id === account?.id ? own.sites : [];
  }
  const { origin } = asker;
  const pages = PageIndex.of(directory);
  if (!pages.lists(origin)) throw new Problem('originNotListed');
  // A page of an origin that is not listed shows by the link itself, which cannot be guessed, that it has the tag.
  return (account?.sites ?? []).filter((site) => site.embedded === true || site.origins.includes(origin));
}
