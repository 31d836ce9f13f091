import type { NodeRoster, NodeSight, RosterEntry } from '../media/node-roster.js';
import type { RedisClient } from './clients.js';

/** Hash: name -> what operators said of the node, JSON. It is no account's. */
const ENTRIES = 'ts:nodes';
/** Hash: name -> how it was last seen, JSON. */
const SIGHTS = 'ts:nodes:seen';

/** The roster of media nodes in Redis. */
export class RedisNodeRoster implements NodeRoster {
  readonly #client: RedisClient;

  /** `client` is a patient one. */
  constructor(client: RedisClient) {
    this.#client = client;
  }

  async entries(): Promise<readonly RosterEntry[]> {
    return parsed<RosterEntry>(await this.#client.hgetall(ENTRIES));
  }

  async sights(): Promise<readonly NodeSight[]> {
    return parsed<NodeSight>(await this.#client.hgetall(SIGHTS));
  }

  async tell(sights: readonly NodeSight[]): Promise<void> {
    const fields = sights.flatMap((sight) => [sight.name, JSON.stringify(sight)]);
    if (fields.length > 0) await this.#client.hset(SIGHTS, ...fields);
  }

  /** An entry that says nothing is forgotten. */
  async put(entry: RosterEntry): Promise<void> {
    const { name, ...said } = entry;
    if (Object.values(said).every((value) => value === undefined || value === false))
      await this.#client.hdel(ENTRIES, name);
    else await this.#client.hset(ENTRIES, name, JSON.stringify(entry));
    if (entry.removed === true) await this.#client.hdel(SIGHTS, name);
  }
}

/** Written by `put` and `tell` alone. */
function parsed<T>(fields: Readonly<Record<string, string>>): T[] {
  return Object.values(fields).map((text) => JSON.parse(text) as T);
}
