import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The text of the file `name`, a path from the folder of the file at `path`. Throws an `ErrnoException`. */
export function readFileBeside(path: string, name: string): string {
  return readFileSync(resolve(dirname(path), name), 'utf8');
}
