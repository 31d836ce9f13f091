import { readFileSync, readdirSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';

const SCHEMA = new URL('./schema/', import.meta.url);
/** Two processes may write to one file: how long one waits for the other, ms. */
const BUSY_MS = 10_000;

/** The file is of a newer version of this program. */
export class NewerSchema extends Error {
  readonly code = 'newerSchema';
}

/**
 * Opens a file of the call log, making it and bringing its schema up to date as needed. WAL, so that readers do not wait
 * for writers; `synchronous=FULL`, because the default in WAL mode may lose commits at a power cut.
 */
export function openFile(path: string): DatabaseSyncInstance {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    db.exec('PRAGMA journal_mode=WAL');
    db.exec('PRAGMA synchronous=FULL');
    migrate(db);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** Runs `schema/NNN-name.sql` in order, each once: `user_version` counts them. Another process may be at it too. */
function migrate(db: DatabaseSyncInstance): void {
  const steps = readdirSync(SCHEMA)
    .filter((name) => /^\d{3}-.*\.sql$/.test(name))
    .sort();
  if (version(db) === steps.length) return;
  inTransaction(db, () => {
    const done = version(db);
    if (done > steps.length)
      throw new NewerSchema(`the call log has schema ${done}, this program knows ${steps.length}`);
    for (const name of steps.slice(done)) db.exec(readFileSync(new URL(name, SCHEMA), 'utf8'));
    db.exec(`PRAGMA user_version=${steps.length}`);
  });
}

function version(db: DatabaseSyncInstance): number {
  const row: unknown = db.prepare('PRAGMA user_version').get();
  return (row as { readonly user_version: number }).user_version;
}

/** Runs `work` in a transaction that takes the write lock at once; all or nothing. */
export function inTransaction(db: DatabaseSyncInstance, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
