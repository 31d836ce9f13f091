import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A script for browsers, as it is served: its name never means other bytes, so it may be cached for ever. */
export interface TagFile {
  /** `/t/<hash>.js`: says nothing of what it does, and changes with every byte. */
  readonly path: string;
  readonly body: Buffer;
  /** For the attribute `integrity` (W3C Subresource Integrity). */
  readonly integrity: string;
}

export interface TagFiles {
  /** Both tags: what every page of a site carries. */
  readonly loader: TagFile;
  /** Shows on a page what the tags did, and why. */
  readonly debug: TagFile;
  readonly demo: TagFile;
  /** The playground's own script, and that of the pages that are tried there. */
  readonly playground: TagFile;
  readonly playgroundPage: TagFile;
}

/**
 * The tags as `scripts/build-tags.mjs` made them.
 * @throws when they were not built
 */
export function readTagFiles(folder: URL = new URL('../../tag/', import.meta.url)): TagFiles {
  const read = (name: string): TagFile => {
    const body = readFileSync(new URL(name, folder));
    return {
      path: `/t/${createHash('sha256').update(body).digest('hex').slice(0, 20)}.js`,
      body,
      integrity: `sha384-${createHash('sha384').update(body).digest('base64')}`,
    };
  };
  return {
    loader: read('loader.js'),
    debug: read('debug.js'),
    demo: read('demo.js'),
    playground: read('playground.js'),
    playgroundPage: read('playground-page.js'),
  };
}
