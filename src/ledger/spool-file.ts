import { open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileHandle } from 'node:fs/promises';

/**
 * A file of lines that are safe on the disk once `append` resolves. Appends that come together are written together.
 * Another process may take the file away by renaming it, when it holds its owner for dead: what is written while that
 * happens is written again, into a new file of the same name.
 */
export class SpoolFile {
  readonly path: string;
  #handle: FileHandle | undefined;
  #waiting: {
    readonly line: string;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #writing: Promise<void> | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Resolves when the line is on the disk. Rejects with the system's error: no space, no such folder. */
  append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
      this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    });
  }

  /** Waits for what is being written, then lets go of the file. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#release();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#put(batch.map(({ line }) => `${line}\n`).join(''));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  async #put(text: string): Promise<void> {
    for (;;) {
      const handle = (this.#handle ??= await this.#open());
      const before = (await handle.stat()).size;
      try {
        await handle.appendFile(text);
        await handle.datasync();
      } catch (error) {
        // Half a batch must not stand before the next one.
        await handle.truncate(before).catch(() => undefined);
        await this.#release();
        throw error;
      }
      if (await this.#isStillOurs(handle)) return;
      await this.#release();
    }
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.path, 'a', 0o600);
    const folder = await open(dirname(this.path), 'r');
    try {
      await folder.sync(); // the file's name, too, survives a power cut
    } finally {
      await folder.close();
    }
    return handle;
  }

  async #isStillOurs(handle: FileHandle): Promise<boolean> {
    const [held, named] = await Promise.all([handle.stat(), stat(this.path).catch(() => undefined)]);
    return named !== undefined && named.ino === held.ino && named.dev === held.dev;
  }

  async #release(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

/** The whole lines of a spool file, and apart what a crash left half written at its end; undefined when there is none. */
export async function readLines(
  path: string,
): Promise<{ readonly lines: readonly string[]; readonly torn: string } | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  return { lines: lines.filter((line) => line !== ''), torn };
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
