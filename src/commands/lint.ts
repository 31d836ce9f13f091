import { resolve } from 'node:path';
import { Exit } from '../directory/commands.js';
import { lintConfiguration } from '../standalone/media-server/lint.js';
import { readArguments } from './arguments.js';
import type { Lines } from './io.js';

export interface LintIo extends Lines {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The configuration that comes with this version. */
  readonly own: string;
}

/**
 * `tagswitch lint [FOLDER]`: what in a media node's configuration costs security, calls or speed, one line a fault.
 * @returns 0 where nothing does; 1 for faults; 2 for bad arguments
 */
export function lintCommand(argv: readonly string[], io: LintIo): number {
  const read = readArguments(argv, { words: argv.length === 0 ? [] : ['FOLDER'], options: {} });
  if ('faults' in read) {
    for (const fault of read.faults) io.err(`tagswitch lint: ${fault}`);
    return Exit.badInput;
  }
  const folder = resolve(read.words[0] ?? io.own);
  const faults = lintConfiguration(folder, io.environment);
  for (const { file, line, what } of faults) io.err(`${file}:${String(line)}: ${what}`);
  if (faults.length > 0) return Exit.refused;
  io.out(`${folder}: nothing to mend`);
  return Exit.done;
}
