// The scripts for browsers: one self-contained file each, in dist/tag. Prints their sizes: every page waits for the first.
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const names = ['loader', 'debug', 'demo', 'playground', 'playground-page'];
mkdirSync('dist/tag', { recursive: true });
const { outputFiles } = await build({
  entryPoints: names.map((name) => `tag/${name}.ts`),
  outdir: 'dist/tag',
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2022'],
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  // Nothing in it depends on it, and no page waits for its name.
  tsconfigRaw: { compilerOptions: { alwaysStrict: false } },
  write: false,
});
// It makes a twentieth less of it than the bundler does.
const compress = {
  passes: 6,
  pure_getters: true,
  unsafe: true,
  unsafe_arrows: true,
  collapse_vars: false,
  lhs_constants: false,
};
/**
 * For V8 (explicit compile hints): all of it is compiled beside the page while it comes, not function by function when each is
 * called. A visitor's first page, which nothing is kept of, has it a quarter sooner.
 */
const EAGER = '//# allFunctionsCalledOnLoad';
const sizes = [];
for (const [at, { path, text }] of outputFiles.entries()) {
  // No boolean of the loader goes anywhere: 1 does for `true`.
  const isLoader = names[at] === 'loader';
  const { code } = await minify(text, {
    ecma: 2022,
    compress: { ...compress, booleans_as_integers: isLoader },
    format: { ascii_only: true, preamble: isLoader ? EAGER : '' },
  });
  writeFileSync(path, code);
  sizes.push(`${names[at]} ${code.length} (${gzipSync(code, { level: 9 }).length} gzip)`);
}
process.stdout.write(`tags: ${sizes.join(', ')}\n`);
