import type { Account } from '../directory/model.js';
import type { LiveHolder, LiveUse } from '../directory/ports.js';
import { chunks } from '../directory/ranges.js';
import { parseHolderLog } from '../numbers/holder-log.js';
import { accountKeys } from '../numbers/keys.js';
import type { RedisClient } from './clients.js';
import { scanHash, scanSortedSet } from './scan.js';

/** What `resolve.lua` keeps of a call that is up. */
interface LiveCall {
  readonly number: string;
  readonly endpoint?: string;
  readonly trunk?: string;
  /** ms since the epoch: a call that nobody kept is over then. */
  readonly end: number;
}

const CHUNK = 1000;

/** Live links and calls of an account, read a thousand at a time: allocations in between do not wait. */
export class RedisLiveUse implements LiveUse {
  readonly #client: RedisClient;

  /** `client` is the patient one. */
  constructor(client: RedisClient) {
    this.#client = client;
  }

  async of(account: Account): Promise<readonly LiveHolder[]> {
    const keys = accountKeys(account.id);
    const [seconds] = await this.#client.time();
    const now = Number(seconds) * 1000;
    const holders: LiveHolder[] = [];
    for (const { id, paused = [] } of account.pools) {
      // Paused numbers are not among the ends, and may be held or shared all the same.
      for (const numbers of chunks(paused, CHUNK))
        holders.push(...(await this.#links(keys.numbers, numbers, now)));
      for await (const members of scanSortedSet(this.#client, keys.ends(id))) {
        const held = members.filter(({ score }) => score > now).map(({ member }) => member);
        if (held.length > 0) holders.push(...(await this.#links(keys.numbers, held, now)));
      }
    }
    for await (const fields of scanHash(this.#client, keys.live)) {
      for (const { value } of fields) {
        const { number, endpoint, trunk, end } = JSON.parse(value) as LiveCall;
        if (end <= now) continue;
        const needs = { ...(endpoint && { endpoint }), ...(trunk && { trunk }) };
        holders.push({ kind: 'call', number, ...needs });
      }
    }
    return holders;
  }

  async #links(key: string, numbers: readonly string[], now: number): Promise<LiveHolder[]> {
    const logs = await this.#client.hmget(key, ...numbers);
    return numbers.flatMap((number, i): LiveHolder[] => {
      const log = logs[i];
      // One link, unless the number is shared or was given twice by mischance.
      const live = log ? parseHolderLog(log).filter(({ until }) => until > now) : [];
      return live.map(({ site, endpoint }) => ({ kind: 'link', number, site, endpoint }));
    });
  }
}
