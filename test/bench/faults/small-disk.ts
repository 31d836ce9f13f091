import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIZE_MB = 64;
const BLOCK = 4096;

/** A file system of its own, in memory; whoever mounts it has to be root. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<SmallDisk> {
    const folder = mkdtempSync(join(tmpdir(), 'tagswitch-disk-'));
    await run('mount', ['-t', 'tmpfs', '-o', `size=${String(SIZE_MB)}m`, 'tagswitch-test', folder]);
    return new SmallDisk(folder);
  }

  /** Not a byte is free for `ms`. */
  async full(ms: number): Promise<void> {
    const filler = join(this.folder, 'filler');
    const end = performance.now() + ms;
    const block = Buffer.alloc(BLOCK);
    while (performance.now() < end) {
      // Again and again: what others remove meanwhile is taken as well.
      try {
        for (;;) writeFileSync(filler, block, { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
      await wait(50);
    }
    rmSync(filler);
  }

  async close(): Promise<void> {
    await run('umount', ['--lazy', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
