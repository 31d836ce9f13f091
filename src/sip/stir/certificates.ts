import type { X509Certificate } from 'node:crypto';
import { forgetOldest } from '../../forget-oldest.js';
import { signerOf, type BadChain, type Signer } from './certificate-chain.js';

export interface CertificateParts {
  readonly anchors: readonly X509Certificate[];
  /** Rejects for what cannot be had. */
  readonly fetch: (url: string, deadlineMs: number) => Promise<string>;
  readonly now: () => number;
}

export type Found = Signer | BadChain | 'unreachable';

const FETCH_MS = 3000;
/** A certificate that was replaced or taken back is seen within the hour. */
const KEPT_MS = 3_600_000;
/** What cannot be had is not asked for again with each call. */
const FAULT_KEPT_MS = 30_000;
const MOST_KEPT = 1000;
const MOST_FETCHES = 16;

/** Signers' certificates by their URL, fetched beside the calls and kept. */
export class Certificates {
  readonly #parts: CertificateParts;
  readonly #kept = new Map<string, { readonly found: Found; readonly until: number }>();
  readonly #fetching = new Map<string, Promise<Found>>();

  constructor(parts: CertificateParts) {
    this.#parts = parts;
  }

  /** The certificate of a URL that is allowed; `unreachable` once `waitMs` are over, while the fetch goes on for later calls. */
  async of(url: string, waitMs: number): Promise<Found> {
    const kept = this.#kept.get(url);
    if (kept !== undefined && kept.until > this.#parts.now()) return kept.found;
    const fetching = this.#fetching.get(url) ?? this.#start(url);
    if (fetching === undefined) return 'unreachable';
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Found>((resolve) => {
      timer = setTimeout(resolve, waitMs, 'unreachable');
    });
    try {
      return await Promise.race([fetching, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #start(url: string): Promise<Found> | undefined {
    if (this.#fetching.size >= MOST_FETCHES) return undefined;
    const work = this.#fetch(url);
    this.#fetching.set(url, work);
    return work;
  }

  async #fetch(url: string): Promise<Found> {
    let found: Found;
    try {
      found = signerOf(await this.#parts.fetch(url, FETCH_MS), this.#parts.anchors);
    } catch {
      found = 'unreachable'; // whatever it was: there is no certificate
    }
    this.#fetching.delete(url);
    this.#kept.delete(url);
    const until = this.#parts.now() + (typeof found === 'string' ? FAULT_KEPT_MS : KEPT_MS);
    this.#kept.set(url, { found, until });
    forgetOldest(this.#kept, MOST_KEPT);
    return found;
  }
}
