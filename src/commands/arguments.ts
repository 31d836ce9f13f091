import { parseArgs } from 'node:util';
import { suggest } from '../suggest.js';

/** What a command takes. */
export interface ArgumentSpec {
  /** Names of the words that must stand there, in order: `NUMBER`. */
  readonly words: readonly string[];
  /** By name without the dashes: what its value is (`SECONDS`), or null for one without a value. */
  readonly options: Readonly<Record<string, string | null>>;
}

export interface Arguments {
  readonly words: readonly string[];
  /** Values of the options that were given; '' for one without a value. */
  readonly options: ReadonlyMap<string, string>;
}

/** Reads a command's arguments. @returns every fault as a line that names the argument and what was expected */
export function readArguments(argv: readonly string[], spec: ArgumentSpec): Arguments | { faults: string[] } {
  const faults: string[] = [];
  const words: string[] = [];
  const options = new Map<string, string>();
  const known = Object.keys(spec.options);
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(spec.options).map(([name, value]) => [
        name,
        { type: value === null ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const expected = spec.options[token.name];
    if (!Object.hasOwn(spec.options, token.name) || expected === undefined) {
      const near = suggest(token.name, known);
      faults.push(
        `${token.rawName}: there is no such option${near === undefined ? '' : `, did you mean --${near}?`}`,
      );
    } else if (options.has(token.name)) faults.push(`${token.rawName}: expected once`);
    else if (expected === null && token.value !== undefined)
      faults.push(`${token.rawName}: expected no value`);
    else if (expected !== null && (token.value ?? '') === '')
      faults.push(`${token.rawName}: expected ${expected} after it`);
    else options.set(token.name, token.value ?? '');
  }
  for (const name of spec.words.slice(words.length)) faults.push(`${name}: expected, but there is none`);
  for (const more of words.slice(spec.words.length))
    faults.push(`${JSON.stringify(more)}: expected nothing more`);
  return faults.length > 0 ? { faults } : { words, options };
}
