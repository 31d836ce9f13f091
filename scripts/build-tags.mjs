// The scripts for browsers: one self-contained file each, in dist/tag. Prints their sizes: every page waits for them.
import { mkdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

mkdirSync('dist/tag', { recursive: true });
const names = ['analytics', 'communication', 'demo'];
await build({
  entryPoints: names.map((name) => `tag/${name}.ts`),
  outdir: 'dist/tag',
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2020'],
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
});
const sizes = names.map((name) => {
  const code = readFileSync(`dist/tag/${name}.js`);
  return `${name} ${code.length} (${gzipSync(code, { level: 9 }).length} gzip)`;
});
process.stdout.write(`tags: ${sizes.join(', ')}\n`);
