import type { PoolWriter } from '../directory/ports.js';
import { accountKeys } from '../numbers/keys.js';
import { NumbersInUse, PoolStore } from '../numbers/pool-store.js';
import type { RedisClient } from './clients.js';
import { scanSortedSet } from './scan.js';
import { RedisScripts } from './scripts.js';

/** The pools in Redis, as `directory/apply` fills and empties them. On the patient client. */
export class RedisPoolWriter implements PoolWriter {
  readonly #client: RedisClient;
  readonly #pools: PoolStore;

  /** `clock` (ms since the epoch) stands in for Redis's own; for tests alone. */
  constructor(client: RedisClient, clock?: () => number) {
    this.#client = client;
    this.#pools = new PoolStore(new RedisScripts(client), clock);
  }

  async reserve(account: string, pool: string, numbers: readonly string[], notBefore: number): Promise<void> {
    await this.#pools.reserve(account, pool, numbers, notBefore);
  }

  async retime(
    account: string,
    pool: string,
    numbers: readonly string[],
    notBefore: number,
  ): Promise<number> {
    return this.#pools.retime(account, pool, numbers, notBefore);
  }

  async hide(account: string, pool: string, numbers: readonly string[]): Promise<void> {
    await this.#pools.hide(account, pool, numbers);
  }

  async move(account: string, from: string, to: string, numbers: readonly string[]): Promise<void> {
    await this.#pools.move(account, from, to, numbers);
  }

  async withdraw(
    account: string,
    pool: string,
    numbers: readonly string[],
    force: boolean,
  ): Promise<readonly string[]> {
    try {
      await this.#pools.withdraw(account, pool, numbers, force);
      return [];
    } catch (error) {
      if (error instanceof NumbersInUse) return error.numbers;
      throw error;
    }
  }

  async members(account: string, pool: string): Promise<ReadonlyMap<string, number>> {
    const ends = new Map<string, number>();
    for await (const part of scanSortedSet(this.#client, accountKeys(account).ends(pool))) {
      for (const { member, score } of part) ends.set(member, score);
    }
    return ends;
  }
}
