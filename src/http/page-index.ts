import type { DirectoryIndex, PoolOwner, SiteOwner } from '../directory/directory-index.js';

/** What pages are looked up by, beside what the directory's own index answers. One a version, made when first asked. */
export class PageIndex {
  readonly #origins = new Map<string, readonly SiteOwner[]>();
  readonly #pools = new Map<string, PoolOwner>();
  readonly #sites = new Map<string, readonly SiteOwner[]>();

  static readonly #made = new WeakMap<DirectoryIndex, PageIndex>();

  static of(directory: DirectoryIndex): PageIndex {
    let index = PageIndex.#made.get(directory);
    if (index === undefined) PageIndex.#made.set(directory, (index = new PageIndex(directory)));
    return index;
  }

  private constructor({ directory }: DirectoryIndex) {
    for (const account of directory.accounts) {
      for (const site of account.sites) {
        const owner = { account, site };
        for (const name of [site.id, site.name]) this.#sites.set(name, [...this.sites(name), owner]);
        for (const origin of site.origins) this.#origins.set(origin, [...this.sitesOfOrigin(origin), owner]);
      }
      for (const pool of account.pools) this.#pools.set(pool.id, { account, pool });
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

  lists(origin: string): boolean {
    return this.#origins.has(origin);
  }

  pool(id: string): PoolOwner | undefined {
    return this.#pools.get(id);
  }
}
