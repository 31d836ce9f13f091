import { mkdirSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { endedByNode, legEndFromLine } from '../calls/leg-end.js';
import type { CallerLegEnd, DestinationOf } from '../calls/leg-end.js';
import type { EventSink } from '../calls/ports.js';
import type { Logger } from '../observe/logger.js';
import { readPiece, replaceFile } from './followed-file.js';
import type { Mark } from './followed-file.js';
import { isMissing } from './spool-file.js';

/** Not at each change: the event socket has told nearly all that is written here, and each look costs a sync of the marks. */
const POLL_MS = 1_000;
/** `Master.csv`, and `Master.csv.2026-01-01-00-00-00` once it was rotated. */
const SPOOL_FILE = /\.csv(\.[0-9-]+)?$/;

export interface NodeSpoolParts {
  readonly node: string;
  /** Where the node writes the ends of its caller legs: `cdr-csv` in the spool folder of FreeSWITCH. It may not be there yet. */
  readonly folder: string;
  /** Where it is kept how far each file was read. */
  readonly marksFile: string;
  readonly sink: EventSink;
  /** Whether the end of a call stands in the stream already, as its event socket told it. */
  readonly isKnown: (leg: CallerLegEnd) => boolean;
  /** Told of each end that the event socket had not told. */
  readonly recovered?: () => void;
  readonly destinationOf: DestinationOf;
  /** Whether this process is the one that reads the node. */
  readonly mayRead: () => boolean;
  readonly logger: Logger;
  readonly pollMs?: number;
}

export interface NodeSpoolCounts {
  read: number;
  /** Torn lines, and lines of calls that are not ours. */
  skipped: number;
}

/** Takes in what a media node wrote about ended calls on its own disk: what its event socket told nobody. */
export class NodeSpool {
  readonly counts: NodeSpoolCounts = { read: 0, skipped: 0 };
  readonly #parts: NodeSpoolParts;
  readonly #timer: NodeJS.Timeout;
  #marks: Map<string, Mark> | undefined;
  /** How each file stood when it was read last, by `id`. */
  readonly #read = new Map<string, string>();
  #reading: Promise<void> | undefined;
  #closed = false;

  constructor(parts: NodeSpoolParts) {
    this.#parts = parts;
    mkdirSync(dirname(parts.marksFile), { recursive: true });
    this.#timer = setInterval(() => this.#look(), parts.pollMs ?? POLL_MS);
    this.#look();
  }

  /** Stops following and waits for what is being read. Further calls change nothing. */
  async close(reason: string): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#parts.logger.debug(
        { node: this.#parts.node, reason, ...this.counts },
        'the spool of a media node is left',
      );
      clearInterval(this.#timer);
    }
    await this.#reading;
  }

  #look(): void {
    if (this.#closed || !this.#parts.mayRead() || this.#reading !== undefined) return;
    this.#reading = this.#readAll()
      .catch((error: unknown) => {
        // Nothing is passed over: the marks stay where they are, and the next look begins there.
        const fault = error instanceof Error ? error.message : 'unknown';
        this.#parts.logger.warn(
          { node: this.#parts.node, fault },
          'the spool of a media node could not be read',
        );
      })
      .then(() => {
        this.#reading = undefined;
      });
  }

  async #readAll(): Promise<void> {
    const marks = (this.#marks ??= await readMarks(this.#parts.marksFile));
    const files = await this.#files();
    const there = new Set(files.map(({ id }) => id));
    for (const id of [...marks.keys()]) if (!there.has(id)) marks.delete(id);
    for (const id of [...this.#read.keys()]) if (!there.has(id)) this.#read.delete(id);
    for (const { path, id, stands } of files) {
      if (this.#read.get(id) === stands) continue;
      await this.#readFile(path, id, marks);
      this.#read.set(id, stands);
    }
  }

  /** The spool's files by their number on the disk, which a rotation keeps; oldest first. */
  async #files(): Promise<{ readonly path: string; readonly id: string; readonly stands: string }[]> {
    let names: string[];
    try {
      names = await readdir(this.#parts.folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
    const found: { path: string; id: string; stands: string; changed: number }[] = [];
    for (const name of names.filter((one) => SPOOL_FILE.test(one))) {
      const path = join(this.#parts.folder, name);
      const status = await stat(path).catch((error: unknown) => {
        if (!isMissing(error)) throw error; // rotated or removed since
        return undefined;
      });
      if (status?.isFile() === true)
        found.push({
          path,
          id: `${status.dev}:${status.ino}`,
          stands: `${status.size} ${status.mtimeMs}`,
          changed: status.mtimeMs,
        });
    }
    return found.sort((one, other) => one.changed - other.changed);
  }

  async #readFile(path: string, id: string, marks: Map<string, Mark>): Promise<void> {
    for (let more = true; more && !this.#closed;) {
      const before = marks.get(id);
      const piece = await readPiece(path, before).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
        return undefined;
      });
      if (piece === undefined) return;
      await this.#take(piece.lines);
      if (piece.mark.offset !== before?.offset || piece.mark.head !== before.head) {
        marks.set(id, piece.mark);
        await replaceFile(this.#parts.marksFile, JSON.stringify(Object.fromEntries(marks)));
      }
      more = piece.full;
    }
  }

  async #take(lines: readonly string[]): Promise<void> {
    const legs = lines.flatMap((line) => legEndFromLine(line) ?? []);
    const news = legs
      .filter((leg) => !this.#parts.isKnown(leg))
      .map((leg) => endedByNode(leg, this.#parts.destinationOf));
    await Promise.all(news.map((end) => this.#parts.sink.append(end)));
    news.forEach(() => this.#parts.recovered?.());
    this.counts.read += legs.length;
    this.counts.skipped += lines.length - legs.length;
  }
}

/** How far each file was read. Without the file, or with a broken one, all is read anew, which changes no record. */
async function readMarks(path: string): Promise<Map<string, Mark>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
  try {
    const value = JSON.parse(text) as unknown;
    return new Map(
      Object.entries(value ?? {}).flatMap(([id, mark]) => (isMark(mark) ? [[id, mark] as const] : [])),
    );
  } catch {
    return new Map();
  }
}

function isMark(value: unknown): value is Mark {
  if (typeof value !== 'object' || value === null) return false;
  const { offset, head } = value as Record<string, unknown>;
  return Number.isSafeInteger(offset) && (offset as number) >= 0 && typeof head === 'string';
}
