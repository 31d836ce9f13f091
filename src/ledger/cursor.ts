import { BadCursor } from '../calls/ports.js';
import type { PageKey } from './sqlite-requests.js';

/** A cursor as it is handed out: where the next page begins, opaque to whoever carries it. */
export function writeCursor(last: { readonly startedAt: number; readonly id: string }): string {
  return Buffer.from(`1.${last.startedAt}.${last.id}`).toString('base64url');
}

/** What `writeCursor` made. Throws `BadCursor`. */
export function readCursor(cursor: string): PageKey {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const parts = /^1\.(\d{1,16})\.([A-Za-z0-9_]{1,100})$/.exec(text);
  const [, startedAt, id] = parts ?? [];
  if (startedAt === undefined || id === undefined)
    throw new BadCursor('this cursor was not given by an earlier page');
  return { startedAt: Number(startedAt), id };
}
