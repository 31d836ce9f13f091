import type { DirectoryIndex, SiteOwner } from '../directory/directory-index.js';
import type { Account, Site } from '../directory/model.js';
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

/**
 * The site that a page asks for, and by which right. An origin is no authentication, it protects honest browsers: a page
 * of any other origin is refused, whatever key it has. Without an origin (a server, a script) a key is needed.
 * @throws Problem badValue for a site that is not there, originNotListed, and those of `accountOfKey`
 */
export function siteOfAsker(directory: DirectoryIndex, asker: Asker, name: string): SiteOwner {
  if (asker.origin === undefined) {
    const account = accountOfKey(directory, asker);
    const site = directory.site(account.id, name);
    if (site === undefined) throw badValue([{ field: 'site', expected: 'the id or name of a site' }]);
    return { account, site };
  }
  const owner = directory.siteForOrigin(name, asker.origin);
  if (owner === 'ambiguous') {
    throw badValue([{ field: 'site', expected: 'the id of the site: two accounts have one of this name' }]);
  }
  if (owner !== undefined) return owner;
  if (PageIndex.of(directory).sites(name).length > 0) throw new Problem('originNotListed');
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
  const listing = PageIndex.of(directory).sitesOfOrigin(asker.origin);
  if (listing.length === 0) throw new Problem('originNotListed');
  return listing.filter((one) => one.account.id === account?.id).map((one) => one.site);
}
