import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { readEvent } from '../calls/event-text.js';
import type { CallEvent } from '../calls/events.js';
import { UNKNOWN } from '../calls/fold.js';
import type { CallFilter, CallLog, CallPage, CreditCount } from '../calls/ports.js';
import type { CallRecord } from '../calls/record.js';
import { readCursor, writeCursor } from './cursor.js';
import { SqliteThread } from './sqlite-thread.js';

/** The embedded call log: one SQLite file, which several processes may share. One thread writes, one reads. */
export class SqliteCallLog implements CallLog {
  readonly #writer: SqliteThread;
  readonly #reader: SqliteThread;

  private constructor(path: string) {
    this.#writer = new SqliteThread({ path, role: 'writer' });
    this.#reader = new SqliteThread({ path, role: 'reader' });
  }

  /** Opens the file at `path`, making it and its folder as needed. Rejects with `CallLogUnavailable`. */
  static async open(path: string): Promise<SqliteCallLog> {
    mkdirSync(dirname(path), { recursive: true });
    const log = new SqliteCallLog(path);
    try {
      await log.append([]); // the writer makes the schema, and the reader finds it
      await log.get('', '');
    } catch (error) {
      await log.close();
      throw error;
    }
    return log;
  }

  async append(events: readonly CallEvent[]): Promise<void> {
    await this.#writer.ask({ op: 'append', events: events.map((event) => JSON.stringify(event)) });
  }

  async get(account: string, call: string): Promise<CallRecord | undefined> {
    const [text] = await this.#reader.ask({ op: 'get', account, call });
    return text === undefined ? undefined : recordOf(text);
  }

  async events(account: string, call: string): Promise<readonly CallEvent[]> {
    const texts = await this.#reader.ask({ op: 'events', account, call });
    return texts.flatMap((text) => readEvent(text) ?? []);
  }

  async list(account: string, filter: CallFilter): Promise<CallPage> {
    if (!Number.isInteger(filter.limit) || filter.limit < 1 || filter.limit > 500) {
      throw new RangeError('a page of calls has 1 to 500');
    }
    const after = filter.cursor === undefined ? undefined : readCursor(filter.cursor);
    const texts = await this.#reader.ask({
      op: 'list',
      account,
      filter,
      ...(after !== undefined && { after }),
    });
    const items = texts.slice(0, filter.limit).map(recordOf);
    const last = items.at(-1);
    return { items, next: texts.length > filter.limit && last !== undefined ? writeCursor(last) : null };
  }

  async credits(account: string, span: Pick<CallFilter, 'from' | 'to'>): Promise<readonly CreditCount[]> {
    const { from, to } = span;
    const texts = await this.#reader.ask({
      op: 'credits',
      account,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    });
    return texts.map((text) => JSON.parse(text) as CreditCount);
  }

  async open(before: number): Promise<readonly CallRecord[]> {
    const texts = await this.#reader.ask({ op: 'open', before });
    return texts.map(recordOf);
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reader.close()]);
  }
}

/** Records are written by `foldCall` alone; one of an earlier version lacks what that did not tell. */
function recordOf(text: string): CallRecord {
  return { ...UNKNOWN, ...(JSON.parse(text) as CallRecord) };
}
