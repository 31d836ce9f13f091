import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { ConfigurationError, type SourceLine } from './source.js';

export interface Preprocessed {
  readonly lines: readonly SourceLine[];
  /** Every global variable, as `$${name}` was expanded with. */
  readonly globals: Map<string, string>;
}

const directive = /<X-PRE-PROCESS\s+cmd="([a-z-]+)"\s+data="([^"]*)"\s*\/>/;
const deepest = 20;

/**
 * What FreeSWITCH does before it parses: line by line, `$${name}` is expanded, then `<X-PRE-PROCESS cmd= data=/>` is
 * carried out (`set`, `env-set` from `environment`, `include` with a pattern relative to the including file).
 * `overrides` win over every `set` of the same name. Throws `ConfigurationError` with file and line; `exec`, `exec-set`
 * and `stun-set` are refused.
 */
export function preprocess(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  overrides: ReadonlyMap<string, string>,
): Preprocessed {
  const globals = new Map(overrides);
  const lines: SourceLine[] = [];
  const set = (name: string, value: string): void => {
    if (!overrides.has(name)) globals.set(name, value);
  };

  const carryOut = (source: SourceLine, command: string, data: string, depth: number): void => {
    const fail = (what: string): never => {
      throw new ConfigurationError(source.file, source.line, what);
    };
    const [name = '', value] = data.split(/=(.*)/s);
    if (command === 'include') {
      for (const included of matching(dirname(source.file), data)) readInto(included, depth + 1);
      return;
    }
    if (command !== 'set' && command !== 'env-set') return fail(`X-PRE-PROCESS ${command} is not supported`);
    if (value === undefined) return fail(`X-PRE-PROCESS ${command} needs name=value`);
    if (command === 'set') return set(name, value);
    if (!value.startsWith('$')) return fail('X-PRE-PROCESS env-set needs name=$VARIABLE');
    const given = environment[value.slice(1)];
    if (given !== undefined) set(name, given);
  };

  const readInto = (path: string, depth: number): void => {
    if (depth > deepest)
      throw new ConfigurationError(path, 1, 'included too deeply: does it include itself?');
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      throw new ConfigurationError(
        path,
        1,
        `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
      );
    }
    let inComment = false;
    text.split(/\r?\n/).forEach((raw, index) => {
      const source: SourceLine = { text: expandGlobals(raw, globals), file: path, line: index + 1 };
      const at = source.text.indexOf('<X-PRE-PROCESS');
      inComment = commentAfter(at < 0 ? source.text : source.text.slice(0, at), inComment);
      if (at < 0) return void lines.push(source);
      // FreeSWITCH carries it out even inside a comment, and drops what follows it on the line: neither is wanted.
      if (inComment)
        throw new ConfigurationError(
          path,
          index + 1,
          'FreeSWITCH runs X-PRE-PROCESS inside comments too: use X-NO-PRE-PROCESS',
        );
      const found = directive.exec(source.text);
      if (!found || source.text.trim() !== found[0]) {
        throw new ConfigurationError(
          path,
          index + 1,
          'X-PRE-PROCESS must stand alone on its line, with cmd and data',
        );
      }
      carryOut(source, found[1] ?? '', found[2] ?? '', depth);
    });
  };

  readInto(file, 0);
  return { lines, globals };
}

/** `$${name}` replaced by its value, or by nothing when there is none. */
export function expandGlobals(text: string, globals: ReadonlyMap<string, string>): string {
  // Behind the last brace nothing is closed: looking there again and again is what a row of open ones would cost.
  const end = text.lastIndexOf('}') + 1;
  const expanded = text
    .slice(0, end)
    .replace(/\$\$\{([^}]*)\}/g, (_, name: string) => globals.get(name) ?? '');
  return expanded + text.slice(end);
}

/** Whether a comment is open at the end of `text`, when one was (`open`) or was not at its start. */
function commentAfter(text: string, open: boolean): boolean {
  let at = 0;
  let inside = open;
  for (;;) {
    const next = text.indexOf(inside ? '-->' : '<!--', at);
    if (next < 0) return inside;
    at = next + (inside ? 3 : 4);
    inside = !inside;
  }
}

/** The files that a pattern names, in order; `*` only in the last part. */
function matching(folder: string, pattern: string): string[] {
  const path = isAbsolute(pattern) ? pattern : join(folder, pattern);
  if (!basename(path).includes('*')) return existsSync(path) ? [path] : [];
  const wanted = new RegExp(
    `^${basename(path)
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')}$`,
  );
  const where = dirname(path);
  if (!existsSync(where)) return [];
  return readdirSync(where)
    .filter((name) => wanted.test(name))
    .sort()
    .map((name) => join(where, name));
}
