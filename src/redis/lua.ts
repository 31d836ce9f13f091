import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A script that cannot be put together: a file is missing, or includes go round in a circle. */
export class BadScript extends Error {
  readonly code = 'badScript';
}

const INCLUDE = /^--- @include "([A-Za-z0-9_/-]+)"[ \t]*$/gm;

/**
 * The text of a Lua script with its includes: a line `--- @include "includes/x"` gives way to the file `includes/x.lua`
 * beside the file that names it; a file named twice stands there once. Throws `BadScript`.
 */
export function loadScript(directory: string, name: string): string {
  const done = new Set<string>();
  const read = (file: string, chain: readonly string[]): string => {
    if (chain.includes(file)) throw new BadScript(`includes go round: ${[...chain, file].join(' > ')}`);
    if (done.has(file)) return '';
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      throw new BadScript(`a Lua file is missing: ${[...chain, file].join(' > ')}`);
    }
    done.add(file);
    return text.replace(INCLUDE, (_line, what: string) =>
      read(join(dirname(file), `${what}.lua`), [...chain, file]),
    );
  };
  return read(join(resolve(directory), `${name}.lua`), []);
}
