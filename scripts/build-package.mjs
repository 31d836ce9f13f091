// The npm package of the tag: dist/package, ready for `npm pack` and `npm publish`.
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

const from = 'tag/package';
const to = 'dist/package';
const entries = ['index', 'react', 'server'];
rmSync(to, { recursive: true, force: true });
await build({
  entryPoints: entries.map((name) => `${from}/${name}.ts`),
  outdir: to,
  bundle: true,
  // The page and its React know of one number.
  splitting: true,
  chunkNames: 'shared/[hash]',
  format: 'esm',
  target: ['es2022'],
  packages: 'external',
  logLevel: 'warning',
});
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', from], { stdio: 'inherit' });

// Types of the tag's inside are nobody's: what no entry refers to goes.
const needed = new Set();
const need = (path) => {
  if (needed.has(path)) return;
  needed.add(path);
  for (const [, other] of readFileSync(path, 'utf8').matchAll(/(?:from |import\(|import )'(\.[^']+)\.js'/g))
    need(join(dirname(path), `${other}.d.ts`));
};
for (const name of entries) need(join(to, 'types/tag/package', `${name}.d.ts`));
for (const name of readdirSync(join(to, 'types'), { recursive: true })) {
  const path = join(to, 'types', name);
  if (path.endsWith('.ts') && !needed.has(path)) rmSync(path);
}

const { name, ...rest } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
writeFileSync(join(to, 'package.json'), `${JSON.stringify({ name, version, ...rest }, null, 2)}\n`);
cpSync(join(from, 'README.md'), join(to, 'README.md'));
process.stdout.write(`package: ${relative('.', to)}, ${name} ${version}\n`);
