import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, rename, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { base32 } from '../ids.js';
import { isMissing } from './spool-file.js';

/** An owner that gives no sign of life for this long is held for dead, where it cannot be asked. */
export const ORPHAN_MS = 30_000;

const HOST = hostname().replace(/[^A-Za-z0-9.]/g, '');
const NAME = /^events-(.+)-(\d+)-([0-9a-z]+)\.(open|sealed)-?(\d*)\.jsonl$/;

/**
 * The folder in which every process of this installation keeps its spool files, named for their owner:
 * `events-HOST-PID-TOKEN.open.jsonl` is being written, `.sealed-N.jsonl` is being replayed, the lowest N first.
 */
export class SpoolFolder {
  readonly path: string;
  readonly #owner: string;
  #sealed = 0;

  constructor(path: string) {
    this.path = path;
    this.#owner = `events-${HOST}-${process.pid}-${base32(randomBytes(5))}`;
    mkdirSync(path, { recursive: true });
  }

  /** Where this process writes. */
  get open(): string {
    return join(this.path, `${this.#owner}.open.jsonl`);
  }

  /** Takes a file over for replay, whoever wrote it; undefined when another process was first, or there is none. */
  async seal(path: string): Promise<string | undefined> {
    const sealed = join(
      this.path,
      `${this.#owner}.sealed-${String((this.#sealed += 1)).padStart(6, '0')}.jsonl`,
    );
    try {
      await rename(path, sealed);
      return sealed;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The files of dead processes, oldest first. */
  async orphans(now: number): Promise<string[]> {
    const found: { path: string; changed: number }[] = [];
    for (const name of await readdir(this.path)) {
      if (!NAME.test(name) || name.startsWith(`${this.#owner}.`)) continue;
      const path = join(this.path, name);
      const changed = (await stat(path).catch(() => undefined))?.mtimeMs;
      if (changed !== undefined && isOrphan(name, now - changed)) found.push({ path, changed });
    }
    return found.sort((one, other) => one.changed - other.changed).map(({ path }) => path);
  }

  /** A sign of life on this process's files, so that no other one takes them over. */
  async touch(now: number): Promise<void> {
    for (const name of await readdir(this.path)) {
      if (!name.startsWith(`${this.#owner}.`)) continue;
      await utimes(join(this.path, name), now / 1_000, now / 1_000).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
  }
}

/** On this machine a dead owner is seen at once; a process id that was given anew, or another machine's, by silence. */
function isOrphan(name: string, silentMs: number): boolean {
  const [, host, pid] = NAME.exec(name) ?? [];
  if (silentMs > ORPHAN_MS) return true;
  return host === HOST && !isAlive(Number(pid));
}

/** Files of our own id that are not ours were left by a process before us. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
