import { ReplyError } from 'ioredis';
import { parseHolderLog, type Holding } from '../numbers/holder-log.js';
import { accountKeys } from '../numbers/keys.js';
import { StoreUnavailable } from '../numbers/ports.js';
import type { RedisClient } from './clients.js';

/** What Redis knows of pools and numbers, for whoever administers them. */
export class RedisNumberFacts {
  readonly #client: RedisClient;

  /** `client` is the one that fails fast. Each method rejects with `StoreUnavailable`. */
  constructor(client: RedisClient) {
    this.#client = client;
  }

  async pools(
    account: string,
    pools: readonly string[],
  ): Promise<readonly { readonly shown: number; readonly held: number }[]> {
    const keys = accountKeys(account);
    return this.#ask(async () => {
      const now = await this.#now();
      const ends = pools.map((pool) => keys.ends(pool));
      const shown = await Promise.all(ends.map((key) => this.#client.zcard(key)));
      const held = await Promise.all(ends.map((key) => this.#client.zcount(key, `(${now}`, '+inf')));
      return pools.map((_pool, i) => ({ shown: shown[i] ?? 0, held: held[i] ?? 0 }));
    });
  }

  async number(
    account: string,
    number: string,
  ): Promise<{ readonly now: number; readonly newest?: Holding }> {
    return this.#ask(async () => {
      const now = await this.#now();
      const text = await this.#client.hget(accountKeys(account).numbers, number);
      const [newest] = text ? parseHolderLog(text) : [];
      return newest === undefined ? { now } : { now, newest };
    });
  }

  async #now(): Promise<number> {
    const [seconds, microseconds] = await this.#client.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError || error instanceof ReplyError)
        throw error;
      throw new StoreUnavailable('Redis is not reached');
    }
  }
}
