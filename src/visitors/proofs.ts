import type { Site } from '../directory/model.js';
import { personOf } from './person.js';
import { readVisitorKey, readVisitorToken, type VisitorKey } from './token.js';

/** Verifying costs as much as the rest of a request, and a page shows its token with every view. */
const MAX_SEEN = 4_096;
const MAX_KEYS = 1_024;

interface Seen {
  readonly site: string;
  readonly pem: string;
  readonly person: string;
  readonly until: number;
}

/** Verifies visitors' tokens and remembers the good ones until they end. */
export class Proofs {
  readonly #personKey: Uint8Array;
  readonly #seen = new Map<string, Seen>();
  readonly #keys = new Map<string, VisitorKey>();

  /** @param personKey of the hash that persons are called by */
  constructor(personKey: Uint8Array) {
    this.#personKey = personKey;
  }

  /** Who the token proves the visitor to be; undefined for a bad token, and where the site has no key. @param now ms */
  person(site: Site, token: string, now: number): string | undefined {
    const pem = site.visitorKey;
    if (pem === undefined) return undefined;
    const seen = this.#seen.get(token);
    if (seen?.site === site.id && seen.pem === pem && seen.until > now) return seen.person;
    const claims = readVisitorToken(token, this.#key(pem), [site.id, site.name], now);
    if (claims === undefined) return undefined;
    const person = personOf(this.#personKey, site.id, claims.subject);
    if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
    this.#seen.set(token, { site: site.id, pem, person, until: claims.until });
    return person;
  }

  /** How a subject that the site's server names is called by us. */
  personOf(site: Site, subject: string): string {
    return personOf(this.#personKey, site.id, subject);
  }

  #key(pem: string): VisitorKey {
    let key = this.#keys.get(pem);
    if (key === undefined) {
      key = readVisitorKey(pem);
      if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
      this.#keys.set(pem, key);
    }
    return key;
  }
}
