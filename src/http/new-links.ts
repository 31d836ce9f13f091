import type { Site } from '../directory/model.js';
import { blockOf, machineOf } from './networks.js';
import { TokenBuckets, type Rate } from './token-buckets.js';

/** Generous: a whole office or a mobile carrier's gateway may be one address. */
const AN_ADDRESS: Rate = { burst: 600, perSecond: 20 };
/** Carriers put hundreds of thousands of telephones behind the gateways of one block. */
const A_BLOCK: Rate = { burst: 3_000, perSecond: 100 };

export type Busy = 'busyAddress' | 'busyBlock' | 'busySite';

export interface NewLinkRates {
  readonly address?: Rate;
  readonly block?: Rate;
}

/** A leave to make a new link, that may be given back. */
export interface Leave {
  giveBack(): void;
}

/**
 * How many new links visitors may be given: one machine, one block of addresses, one site. Keeps few from emptying a pool.
 * In memory, in each process by itself.
 */
export class NewLinks {
  readonly #buckets = new TokenBuckets();
  readonly #address: Rate;
  readonly #block: Rate;

  constructor({ address = AN_ADDRESS, block = A_BLOCK }: NewLinkRates = {}) {
    this.#address = address;
    this.#block = block;
  }

  /** @param known is held back by his own address alone @param now ms */
  take(address: string, site: Site, known: boolean, now: number): Leave | Busy {
    const taken: [key: string, rate: Rate][] = [];
    const giveBack = (): void => {
      for (const [key, rate] of taken) this.#buckets.giveBack(key, rate);
    };
    const took = (key: string, rate: Rate): boolean => {
      const got = this.#buckets.take(key, rate, now);
      if (got) taken.push([key, rate]);
      else giveBack();
      return got;
    };
    if (!took(machineOf(address), this.#address)) return 'busyAddress';
    if (known) return { giveBack };
    if (!took(blockOf(address), this.#block)) return 'busyBlock';
    const perSecond = site.newLinksPerSecond;
    if (perSecond !== undefined && !took(site.id, { burst: perSecond, perSecond })) return 'busySite';
    return { giveBack };
  }
}
