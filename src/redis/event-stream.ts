import { ReplyError } from 'ioredis';
import type { EventStreams, StreamEntry } from '../ledger/event-streams.js';
import { accountKeys } from '../numbers/keys.js';
import type { RedisClient } from './clients.js';

const GROUP = 'ledger';

/** Redis answered in a form that this version does not know. */
export class UnexpectedStreamReply extends Error {
  readonly code = 'unexpectedStreamReply';
}

/** The accounts' event streams in Redis. Each command names one stream, so that a cluster can carry it out. */
export class RedisEventStreams implements EventStreams {
  readonly #client: RedisClient;

  /** `client` is a patient one. */
  constructor(client: RedisClient) {
    this.#client = client;
  }

  async read(account: string, consumer: string, count: number): Promise<readonly StreamEntry[]> {
    const { events } = accountKeys(account);
    const reply = await this.#inGroup(events, () =>
      this.#client.xreadgroup('GROUP', GROUP, consumer, 'COUNT', count, 'STREAMS', events, '>'),
    );
    if (reply === null) return [];
    // One stream was asked for: [[key, entries]].
    const [, entries] = listOf(listOf(reply)[0]);
    return entriesOf(entries);
  }

  async claim(
    account: string,
    consumer: string,
    idleMs: number,
    count: number,
  ): Promise<readonly StreamEntry[]> {
    const { events } = accountKeys(account);
    const claimed: StreamEntry[] = [];
    let from = '0-0';
    do {
      const start = from;
      const reply = await this.#inGroup(events, () =>
        this.#client.xautoclaim(events, GROUP, consumer, idleMs, start, 'COUNT', count),
      );
      const [next, entries] = listOf(reply);
      claimed.push(...entriesOf(entries));
      from = String(next);
    } while (from !== '0-0' && claimed.length < count);
    return claimed;
  }

  async settle(account: string, done: readonly string[], refused: readonly string[]): Promise<void> {
    const { events } = accountKeys(account);
    // Deleted first: an entry that is gone leaves the pending ones by itself when it is next claimed; one that was
    // acknowledged and not deleted would stay for ever.
    if (done.length > 0) await this.#client.xdel(events, ...done);
    const all = [...done, ...refused];
    if (all.length > 0) await this.#client.xack(events, GROUP, ...all);
  }

  async tidy(account: string, idleMs: number): Promise<void> {
    const { events } = accountKeys(account);
    const consumers = listOf(
      await this.#inGroup(events, () => this.#client.xinfo('CONSUMERS', events, GROUP)),
    );
    for (const consumer of consumers) {
      const { name, pending, idle } = fieldsOf(consumer);
      if (pending === 0 && typeof idle === 'number' && idle > idleMs) {
        await this.#client.xgroup('DELCONSUMER', events, GROUP, String(name));
      }
    }
  }

  /** Runs a command of the group, making the group where there is none: a new account, or a Redis that lost its data. */
  async #inGroup<Reply>(key: string, command: () => Promise<Reply>): Promise<Reply> {
    try {
      return await command();
    } catch (error) {
      if (!isReply(error, 'NOGROUP') && !isReply(error, 'ERR no such key')) throw error;
      await this.#client.xgroup('CREATE', key, GROUP, '0', 'MKSTREAM').catch((failure: unknown) => {
        if (!isReply(failure, 'BUSYGROUP')) throw failure; // another process was first
      });
      return command();
    }
  }
}

function isReply(error: unknown, start: string): boolean {
  return error instanceof ReplyError && error instanceof Error && error.message.startsWith(start);
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnexpectedStreamReply('Redis gave no list of stream entries');
  return value as readonly unknown[];
}

/** `[[id, [field, value, ...]], ...]`; an entry that was deleted while it was pending has no fields, or is null. */
function entriesOf(value: unknown): StreamEntry[] {
  return listOf(value).flatMap((entry) => {
    if (entry === null) return [];
    const [id, fields] = listOf(entry);
    if (fields === null || fields === undefined) return [];
    const { e } = fieldsOf(fields);
    return [{ id: String(id), text: typeof e === 'string' ? e : undefined }];
  });
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  const flat = listOf(value);
  const fields: Record<string, unknown> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) fields[String(flat[i])] = flat[i + 1];
  return fields;
}
