import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { readEvent } from '../calls/event-text.js';
import type { CallEvent } from '../calls/events.js';
import { foldCall, preferred } from '../calls/fold.js';
import type { CallLogRequest, PageKey } from './sqlite-requests.js';

type Statement = ReturnType<DatabaseSyncInstance['prepare']>;

/** What the writer does inside one transaction: events in, the records of their calls folded anew. */
export class CallWriter {
  readonly #put: Statement;
  readonly #known: Statement;
  readonly #replace: Statement;
  readonly #all: Statement;
  readonly #record: Statement;

  constructor(db: DatabaseSyncInstance) {
    this.#put = db.prepare(
      'INSERT INTO events (call, seq, account, at, event) VALUES (?, ?, ?, ?, ?) ON CONFLICT (call, seq) DO NOTHING',
    );
    this.#known = db.prepare('SELECT event FROM events WHERE call = ? AND seq = ?');
    this.#replace = db.prepare('UPDATE events SET account = ?, at = ?, event = ? WHERE call = ? AND seq = ?');
    this.#all = db.prepare('SELECT event FROM events WHERE call = ? ORDER BY seq');
    this.#record = db.prepare(
      'INSERT INTO calls (id, account, number, site, endpoint, started_at, ended_at, newest_at, record, credit, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ' +
        'ON CONFLICT (id) DO UPDATE SET account = excluded.account, number = excluded.number, site = excluded.site, ' +
        'endpoint = excluded.endpoint, started_at = excluded.started_at, ended_at = excluded.ended_at, ' +
        'newest_at = excluded.newest_at, record = excluded.record, credit = excluded.credit, ' +
        'answered_at = excluded.answered_at',
    );
  }

  append(texts: readonly string[]): void {
    const changed = new Set<string>();
    for (const text of texts) {
      const event = readEvent(text);
      if (event === undefined) throw new TypeError('what is to be appended is no event');
      if (this.#take(event, text)) changed.add(event.call);
    }
    for (const call of changed) this.#fold(call);
  }

  /** Whether the event is new, or counts more than the one of its call and seq that was there. */
  #take(event: CallEvent, text: string): boolean {
    const { call, seq, account, at } = event;
    // Nearly all are new: only of the others it is asked what is there.
    if (Number(this.#put.run(call, seq, account, at, text).changes) > 0) return true;
    const [known] = textsOf(this.#known.all(call, seq), 'event');
    const before = known === undefined ? undefined : readEvent(known);
    if (before !== undefined && preferred(before, event) === before) return false;
    this.#replace.run(account, at, text, call, seq);
    return true;
  }

  #fold(call: string): void {
    const events = textsOf(this.#all.all(call), 'event').flatMap((text) => readEvent(text) ?? []);
    const record = foldCall(events);
    if (record === undefined) return;
    const newest = Math.max(...events.map((event) => event.at));
    const { id, account, number, site, endpoint, startedAt, endedAt, answeredAt } = record;
    const credit = record.test ? null : record.parameters;
    const text = JSON.stringify(record);
    this.#record.run(
      id,
      account,
      number,
      site,
      endpoint,
      startedAt,
      endedAt,
      newest,
      text,
      credit,
      answeredAt,
    );
  }
}

/** Answers what is asked of the call log: texts of records, events or counts. */
export function answer(
  db: DatabaseSyncInstance,
  request: Exclude<CallLogRequest, { op: 'append' }>,
): string[] {
  switch (request.op) {
    case 'get':
      return textsOf(
        db
          .prepare('SELECT record FROM calls WHERE id = ? AND account = ?')
          .all(request.call, request.account),
        'record',
      );
    case 'events':
      return textsOf(
        db
          .prepare('SELECT event FROM events WHERE call = ? AND account = ? ORDER BY seq')
          .all(request.call, request.account),
        'event',
      );
    case 'credits':
      return textsOf(
        db
          .prepare(
            "SELECT json_object('parameters', credit, 'calls', count(*), 'answered', count(answered_at)) AS counts " +
              'FROM calls WHERE account = ? AND credit IS NOT NULL AND started_at >= ? AND started_at < ? ' +
              'GROUP BY credit ORDER BY credit',
          )
          .all(request.account, request.from ?? 0, request.to ?? Number.MAX_SAFE_INTEGER),
        'counts',
      );
    case 'open':
      return textsOf(
        db
          .prepare('SELECT record FROM calls WHERE ended_at IS NULL AND newest_at < ? ORDER BY newest_at')
          .all(request.before),
        'record',
      );
    case 'list': {
      const { sql, values } = listQuery(request.account, request.filter, request.after);
      return textsOf(db.prepare(sql).all(...values), 'record');
    }
  }
}

type Filter = Extract<CallLogRequest, { op: 'list' }>['filter'];

/** The page of calls that a filter asks for, newest first, and one row more, which tells that another page follows. */
function listQuery(
  account: string,
  filter: Filter,
  after: PageKey | undefined,
): { sql: string; values: (string | number)[] } {
  const conditions = ['account = ?'];
  const values: (string | number)[] = [account];
  const add = (condition: string, ...more: (string | number)[]): void => {
    conditions.push(condition);
    values.push(...more);
  };
  if (filter.number !== undefined) add('number = ?', filter.number);
  if (filter.site !== undefined) add('site = ?', filter.site);
  if (filter.endpoint !== undefined) add('endpoint = ?', filter.endpoint);
  if (filter.from !== undefined) add('started_at >= ?', filter.from);
  if (filter.to !== undefined) add('started_at < ?', filter.to);
  if (after !== undefined) add('(started_at, id) < (?, ?)', after.startedAt, after.id);
  values.push(filter.limit + 1);
  return {
    sql: `SELECT record FROM calls WHERE ${conditions.join(' AND ')} ORDER BY started_at DESC, id DESC LIMIT ?`,
    values,
  };
}

function textsOf(rows: readonly unknown[], column: 'event' | 'record' | 'counts'): string[] {
  return rows.map((row) => {
    const value = (row as Readonly<Record<string, unknown>>)[column];
    if (typeof value !== 'string') throw new TypeError(`the column ${column} of the call log holds no text`);
    return value;
  });
}
