import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, whether this runs from the sources or from dist/. */
export const root = (() => {
  const here = dirname(fileURLToPath(import.meta.url));
  return here.includes('/dist/') ? join(here, '../../..') : join(here, '../..');
})();

export interface Ran {
  /** -1 for a program that is not there, or that a signal ended. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end, for at most 30 s. `env` is the whole environment beside PATH. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { cwd: root, env: { PATH: path, ...env }, timeout: 30_000, maxBuffer: 4_000_000 },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, out, err: error !== null && err === '' ? error.message : err });
      },
    );
  });
}
