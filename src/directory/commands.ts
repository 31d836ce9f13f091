import { apply, type ApplyPorts } from './apply.js';
import type { Declaration } from './declaration.js';
import { changeLine, diff } from './diff.js';
import { DeclarationFault, faultLine } from './faults.js';
import { readDeclaration, type FileContext } from './file.js';
import { liveObstacles } from './live-check.js';
import { resolve } from './resolve.js';

/** Exit codes: done; could not be done now; the input is bad. */
export const Exit = { done: 0, refused: 1, badInput: 2 } as const;

export interface CommandIo extends Pick<FileContext, 'ownOrigins' | 'realServers'> {
  /** Rejects with an `ErrnoException` when the file cannot be read. */
  readonly readText: (path: string) => Promise<string>;
  /** The text of a file that the one at `path` names, relative to it. Throws an `ErrnoException`. */
  readonly readBeside: (path: string, name: string) => string;
  /** A line for standard output, and one for standard error. */
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  readonly ports: ApplyPorts;
}

/** `tagswitch plan FILE`: what `apply` would change, and what stands against it. Changes nothing. */
export async function planCommand(path: string, io: CommandIo): Promise<number> {
  const declaration = await readFileOrSay(path, io);
  if (declaration === undefined) return Exit.badInput;
  const current = await io.ports.store.read();
  const next = resolve(declaration, current);
  if (next === current) {
    io.out(`nothing to change, version ${current.version} is in force`);
    return Exit.done;
  }
  for (const change of diff(current, next)) io.out(changeLine(change));
  io.out(`version ${current.version} would become version ${next.version}`);
  for (const obstacle of await liveObstacles(current, next, io.ports.liveUse))
    io.out(`needs --force: ${obstacle}`);
  return Exit.done;
}

/** `tagswitch apply FILE [--force]`: makes the file true. */
export async function applyCommand(
  path: string,
  { force }: { force: boolean },
  io: CommandIo,
): Promise<number> {
  const declaration = await readFileOrSay(path, io);
  if (declaration === undefined) return Exit.badInput;
  const result = await apply(declaration, io.ports, { force });
  switch (result.outcome) {
    case 'applied':
      for (const change of result.changes) io.out(changeLine(change));
      io.out(`version ${result.version} is in force`);
      return Exit.done;
    case 'unchanged':
      io.out(`nothing to change, version ${result.version} is in force`);
      return Exit.done;
    case 'refused':
      for (const reason of result.reasons) io.err(reason);
      io.err('nothing was changed; --force takes away what live links and calls need');
      return Exit.refused;
    case 'conflict':
      io.err('nothing was changed: others are applying changes at the same time, try again');
      return Exit.refused;
  }
}

async function readFileOrSay(path: string, io: CommandIo): Promise<Declaration | undefined> {
  let text: string;
  try {
    text = await io.readText(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    io.err(`${path}: expected a file that can be read (${code})`);
    return undefined;
  }
  try {
    return readDeclaration(text, {
      ownOrigins: io.ownOrigins,
      realServers: io.realServers ?? false,
      readBeside: (name) => io.readBeside(path, name),
    });
  } catch (error) {
    if (!(error instanceof DeclarationFault)) throw error;
    for (const fault of error.faults) io.err(`${path}: ${faultLine(fault)}`);
    return undefined;
  }
}
