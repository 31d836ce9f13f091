import { ReplyError } from 'ioredis';
import { parseHolderLog, type Holding } from '../numbers/holder-log.js';
import { accountKeys } from '../numbers/keys.js';
import { StoreUnavailable } from '../numbers/ports.js';
import type { RedisClient } from './clients.js';
import { poolUse, redisNow } from './pool-use.js';

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
    return this.#ask(async () => {
      const now = await redisNow(this.#client);
      const uses = await Promise.all(pools.map((pool) => poolUse(this.#client, account, pool, now)));
      return uses.map(({ numbers, busy }) => ({ shown: numbers, held: busy }));
    });
  }

  async number(
    account: string,
    number: string,
  ): Promise<{ readonly now: number; readonly newest?: Holding }> {
    return this.#ask(async () => {
      const now = await redisNow(this.#client);
      const text = await this.#client.hget(accountKeys(account).numbers, number);
      const [newest] = text ? parseHolderLog(text) : [];
      return newest === undefined ? { now } : { now, newest };
    });
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
