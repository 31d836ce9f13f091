import type { DirectoryIndex, SiteOwner } from '../directory/directory-index.js';
import type { Pool, Site } from '../directory/model.js';

/** A site, an endpoint that it may name, and the pools that may serve them. */
export interface Place {
  readonly where: SiteOwner;
  readonly endpoint: string;
  readonly pools: readonly Pool[];
}

/** What pages are looked up by, beside what the directory's own index answers. One a version, made when first asked. */
export class PageIndex {
  readonly #origins = new Map<string, readonly SiteOwner[]>();
  readonly #sites = new Map<string, readonly SiteOwner[]>();
  readonly #places = new Map<Site, Map<string, Place>>();
  readonly #directory: DirectoryIndex;
  /** Whether any site's tags may stand on pages of other origins. */
  readonly embeds: boolean;

  static readonly #made = new WeakMap<DirectoryIndex, PageIndex>();

  static of(directory: DirectoryIndex): PageIndex {
    let index = PageIndex.#made.get(directory);
    if (index === undefined) PageIndex.#made.set(directory, (index = new PageIndex(directory)));
    return index;
  }

  private constructor(index: DirectoryIndex) {
    const { directory } = index;
    this.#directory = index;
    this.embeds = directory.accounts.some(({ sites }) => sites.some(({ embedded }) => embedded === true));
    for (const account of directory.accounts) {
      for (const site of account.sites) {
        const owner = { account, site };
        for (const name of [site.id, site.name]) this.#sites.set(name, [...this.sites(name), owner]);
        for (const origin of site.origins) this.#origins.set(origin, [...this.sitesOfOrigin(origin), owner]);
      }
    }
  }

  /** Every site of that id or name, in all accounts: a page names no account. */
  sites(idOrName: string): readonly SiteOwner[] {
    return this.#sites.get(idOrName) ?? [];
  }

  /** Every site whose pages have this origin. */
  sitesOfOrigin(origin: string): readonly SiteOwner[] {
    return this.#origins.get(origin) ?? [];
  }

  /** Whether some site may answer pages of this origin. */
  lists(origin: string): boolean {
    return this.embeds || this.#origins.has(origin);
  }

  /** Found once a version for each site and endpoint. undefined for an endpoint that the site may not name. */
  place(where: SiteOwner, endpointName: string): Place | undefined {
    const { account, site } = where;
    let places = this.#places.get(site);
    if (places === undefined) this.#places.set(site, (places = new Map<string, Place>()));
    let place = places.get(endpointName);
    if (place === undefined) {
      const endpoint = this.#directory.endpoint(account.id, endpointName);
      if (endpoint === undefined || !this.#directory.mayName(site, endpoint)) return undefined;
      const pools = this.#directory.poolsFor(account.id, site.id, endpoint.id);
      place = { where, endpoint: endpoint.id, pools };
      places.set(endpointName, place);
    }
    return place;
  }
}
