import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import t from 'tap';
import { COMMANDS } from '../../src/commands/help.js';
import { problems } from '../../src/http/problems.js';
import { root } from './tool.js';

const read = (path: string) => readFile(join(root, path), 'utf8');

/** All Markdown of the repository's own. */
async function documents(): Promise<string[]> {
  const below = async (top: string) =>
    (await readdir(join(root, top), { recursive: true }))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(top, name));
  return ['README.md', ...(await below('docs')), ...(await below('src')), ...(await below('docker'))];
}

/** The anchor that forges make of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

const withoutCode = (text: string) => text.replace(/^( *)```[\s\S]*?^\1```/gm, '');

t.test('every relative link leads to a file, and to a heading where it names one', async (t) => {
  let links = 0;
  for (const document of await documents()) {
    const text = withoutCode(await read(document));
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      links += 1;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? join(root, document) : join(root, dirname(document), path);
      const there = await stat(target).catch(() => undefined);
      t.ok(there?.isFile(), `${document}: ${link}`);
      t.notOk(relative(root, target).startsWith('..'), `${document}: ${link} stays in the repository`);
      if (anchor === undefined || there === undefined) continue;
      const headings = withoutCode(await readFile(target, 'utf8')).matchAll(/^#+ +(.+)$/gm);
      const anchors = [...headings].map(([, heading = '']) => anchorOf(heading));
      t.ok(anchors.includes(anchor), `${document}: ${link} is a heading`);
    }
  }
  t.ok(links > 50, 'links were found');
});

t.test('settings, errors and variables of the documents are those of the code', async (t) => {
  const source = await read('src/config/settings.ts');
  const list = /const NAMES = \[([\s\S]*?)\] as const/.exec(source)?.[1] ?? '';
  const settings = [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) => name).sort();
  t.ok(settings.length > 10, 'settings in the code');
  const documented = (text: string) =>
    [
      ...new Set(
        [...text.matchAll(/^\|(.*?[^\\])\|/gm)].flatMap(([, cell = '']) => [
          ...cell.matchAll(/`([A-Z_]+)`/g),
        ]),
      ),
    ]
      .map(([, name = '']) => name)
      .sort();
  t.same(documented(await read('docs/reference/settings.md')), settings, 'settings.md');
  t.same(documented(await read('README.md')), settings, 'README.md');

  const errors = await read('docs/reference/errors.md');
  const rows = [...errors.matchAll(/^\| *`(\w+)` *\| *(\d{3}) *\|/gm)].map(([, code, status]) => [
    code,
    Number(status),
  ]);
  t.same(
    Object.fromEntries(rows) as unknown,
    Object.fromEntries(Object.entries(problems).map(([code, { status }]) => [code, status])),
    'errors.md',
  );

  const vars = await read('freeswitch-conf/vars.xml');
  for (const document of await documents()) {
    for (const [name] of (await read(document)).matchAll(/\bTAGSWITCH_[A-Z_]*[A-Z]\b/g)) {
      if (name === 'TAGSWITCH_NODE') continue;
      t.ok(settings.includes(name) || vars.includes(`$${name}"`), `${document}: ${name}`);
    }
  }
});

t.test('what is told of the record and of the HTTP interface is there', async (t) => {
  const view = await read('src/http/call-view.ts');
  const fields = [...view.slice(0, view.indexOf('export type CallView')).matchAll(/^ {4}(\w+): /gm)].map(
    ([, name = '']) => name,
  );
  t.ok(fields.length > 20, 'fields in the code');
  const record = await read('docs/reference/call-record.md');
  const told = [...record.slice(0, record.indexOf('\n## ')).matchAll(/^\|([^|]*)\|/gm)].flatMap(
    ([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  t.same(told.sort(), fields.sort(), 'call-record.md');

  const api = await read('docs/reference/http-api.md');
  const routes: string[] = [];
  for (const file of (await readdir(join(root, 'src/http'))).filter((name) => name.endsWith('.ts'))) {
    const code = await read(join('src/http', file));
    for (const [, method = '', path = ''] of code.matchAll(
      /http\.(get|post|put|delete)(?:<[^']*>)?\(\s*'([^']+)'/g,
    )) {
      routes.push(`${method.toUpperCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
    }
  }
  t.ok(routes.length >= 10, 'routes in the code');
  for (const route of routes.filter((one) => !one.startsWith('GET /demo/'))) {
    t.ok(api.includes(`\`${route}\``), `http-api.md: ${route}`);
  }

  const commands = await read('docs/reference/commands.md');
  for (const [name, [rest]] of Object.entries(COMMANDS)) {
    // A bar would end the cell of a table.
    const usage = `${name} ${rest}`.trimEnd().replaceAll('|', '\\|');
    t.ok(commands.includes(`| \`${usage}\` `), `commands.md: ${name}`);
  }

  const directory = await read('docs/reference/directory-file.md');
  const readers = ['account', 'endpoint', 'hours', 'pool', 'site', 'reuse'];
  const reader = (await Promise.all(readers.map((part) => read(`src/directory/${part}-file.ts`)))).join('\n');
  const keys = [...reader.matchAll(/\.map\(\[([^\]]+)\]\)/g)].flatMap(([, names = '']) =>
    [...names.matchAll(/'(\w+)'/g)].map(([, name = '']) => name),
  );
  t.ok(keys.length > 25, 'fields of the file in the code');
  for (const key of new Set(keys))
    t.match(directory, new RegExp(`[\`{ ]${key}[\`,}:]`), `directory-file.md: ${key}`);
});
