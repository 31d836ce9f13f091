import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile, cp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { VISITOR_COOKIE } from '../../src/visitors/cookie.js';
import { allocate, swapHtml, visitorCookie } from '../../tag/package/server.js';
import { KEY, makeDirectory, World } from '../http/fixture.js';
import { root } from '../ops/tool.js';
import { freePort } from '../../src/start/ports.js';

const run = promisify(execFile);
const PRINTED = '+1 2025550199';
const GIVEN = { number: '+12025550100', display: '(202) 555-0100', level: 'session' };
const swapped = (html: string) => swapHtml(html, PRINTED, GIVEN);

t.test('the number of HTML is swapped where people and telephones read it, and nowhere else', async (t) => {
  const cases: readonly [before: string, after: string][] = [
    ['<p>Call 202-555-0199 now', '<p>Call 202-555-0100 now'],
    ['<p>Tel: 202-555-0199', '<p>Tel: 202-555-0100'],
    [
      '<a href="tel:+1-202-555-0199">+1 (202) 555-0199</a>',
      '<a href="tel:+12025550100">+1 (202) 555-0100</a>',
    ],
    ["<A class=x HREF='TEL:2025550199' >", "<A class=x HREF='TEL:+12025550100' >"],
    ['<a href=tel:+12025550199>', '<a href=tel:+12025550100>'],
    ['202&nbsp;555&#8209;0199 &amp; 1', '202&nbsp;555&#8209;0100 &amp; 1'],
    ['<img alt="202.555.0199" title=202.555.0199>', '<img alt="202.555.0100" title=202.555.0100>'],
    [
      '<input placeholder="202 555 0199" value="202 555 0199" title="202 555 0199">',
      '<input placeholder="202 555 0199" value="202 555 0199" title="202 555 0100">',
    ],
    ['<b aria-label = "202 555 0199">x</b>', '<b aria-label = "202 555 0100">x</b>'],
    ['a < 202-555-0199 </>', 'a < 202-555-0100 </>'],
    [
      '<p data-tagswitch-off>202-555-0199<p>202-555-0199</p></p>202-555-0199',
      '<p data-tagswitch-off>202-555-0199<p>202-555-0199</p></p>202-555-0100',
    ],
    [
      '<img data-tagswitch-off alt="202-555-0199">202-555-0199',
      '<img data-tagswitch-off alt="202-555-0199">202-555-0100',
    ],
    [
      '<script>a("</b>202-555-0199")</script >202-555-0199',
      '<script>a("</b>202-555-0199")</script >202-555-0100',
    ],
    [
      '<script><!-- <script>1</script>202-555-0199--></script>202-555-0199',
      '<script><!-- <script>1</script>202-555-0199--></script>202-555-0100',
    ],
    [
      '<textarea title="202-555-0199"><b>202-555-0199</textarea>202-555-0199',
      '<textarea title="202-555-0100"><b>202-555-0199</textarea>202-555-0100',
    ],
    [
      '<!-->202-555-0199<!-- 202-555-0199 --!>202-555-0199',
      '<!-->202-555-0100<!-- 202-555-0199 --!>202-555-0100',
    ],
  ];
  for (const [before, after] of cases) t.equal(swapped(before), after, before);
  const same = [
    '<p>Fax 202-555-0111, order 12025550199123',
    '<a href="/202-555-0199" data-phone="202-555-0199" onclick="call(\'202-555-0199\')">x</a>',
    '<a href="sms:+12025550199">x</a><area href="tel:+12025550199">',
    '<style>a::after { content: "202-555-0199" }</style><title>202-555-0199</title>',
    '<select><option title="202-555-0199">202-555-0199</select>',
    '<div contenteditable>202-555-0199</div>',
    '<?xml 202-555-0199?><!doctype 202-555-0199></ 202-555-0199>',
    '<p title="202-555-0199',
    '<script>202-555-0199',
    '<div data-tagswitch-off><b>202-555-0199',
  ];
  for (const html of same) t.equal(swapped(html), html, html);
  t.equal(swapHtml('202-555-0199', PRINTED, undefined), '202-555-0199', 'nothing was given');
  const abroad = { number: '+441632960100', display: '+44 1632 <b>&', level: 'session' };
  t.equal(
    swapHtml('<p title=2025550199>202-555-0199', PRINTED, abroad),
    '<p title=2025550199>+44 1632 &#60;b&#62;&#38;',
    'another form is text, and keeps within its quotes',
  );
});

/** HTML of all kinds, well formed or not. */
const bits = fc.constantFrom(
  ...[
    '<p>',
    '</p>',
    '<a href="tel:+12025550111">',
    '<script>',
    '</script>',
    '<!--',
    '-->',
    '<b title=',
    '"',
    "'",
    '>',
    '<',
    '&nbsp;',
  ],
  ...[
    '<textarea>',
    '</textarea>',
    ' data-tagswitch-off',
    '/>',
    '<!doctype html>',
    '202-555-0111',
    '202',
    '555',
    '0199',
    '\r\n',
    '\u0000',
    '\ud800',
    '\ue000',
    'ü',
  ],
);
const anyHtml = fc
  .array(fc.oneof(bits, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 40 })
  .map((all) => all.join(''));

interface Sample {
  readonly html: string;
  readonly swapped: string;
}
const joined = (all: readonly Sample[]): Sample => ({
  html: all.map(({ html }) => html).join(''),
  swapped: all.map((one) => one.swapped).join(''),
});
const same = (html: string): Sample => ({ html, swapped: html });
const wrap = (open: string, { html, swapped }: Sample, close: string): Sample => ({
  html: open + html + close,
  swapped: open + swapped + close,
});
const number = fc
  .constantFrom('(202) 555-0199', '+1 202 555 0199', '202.555.0199')
  .map((text) => ({ html: text, swapped: text.replace('0199', '0100') }));
/** Well formed HTML, with the number in places where it is to be swapped and where it is not. */
const { node } = fc.letrec<{ node: Sample; inner: Sample }>((tie) => ({
  inner: fc.array(tie('node'), { maxLength: 4 }).map(joined),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    number.map((one) => joined([same(' '), one, same(' ')])),
    fc.constantFrom(' words ', '<br>', '&amp;', '<hr/>', ' 202-555-0112 ').map(same),
    number.map(({ html }) => same(`<script>'${html}' < 1</script>`)),
    number.map(({ html }) => same(`<!-- ${html} <p> -->`)),
    number.map((one) => wrap('<img data-x="202-555-0199" alt="', one, '">')),
    tie('inner').map((inner) => wrap('<div class="x">', inner, '</div>')),
    number
      .chain((one) => tie('inner').map((inner) => wrap(`<section title='${one.html}'>`, inner, '</section>')))
      .map(({ html, swapped }) => ({
        html,
        swapped: swapped.replace(/^<section title='[^']*'/, (tag) => tag.replace('0199', '0100')),
      })),
    tie('inner').map(({ html }) => same(`<div data-tagswitch-off>${html}</div>`)),
  ),
}));

t.test('whatever HTML it is', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`seed ${seed}`);
  const isOurs = (html: string) => /2\D*0\D*2\D*5\D*5\D*5\D*0\D*1\D*9\D*9/i.test(html);
  fc.assert(
    fc.property(anyHtml, (html) => {
      fc.pre(!isOurs(html));
      return swapped(html) === html;
    }),
    { seed, numRuns: 3_000 },
  );
  t.pass('without the number it is the same byte for byte');
  fc.assert(
    fc.property(
      fc.array(node, { maxLength: 5 }).map(joined),
      (sample) => swapped(sample.html) === sample.swapped,
    ),
    { seed, numRuns: 1_000 },
  );
  t.pass('with the number it is swapped in its places alone');
  const long = `${'<a '.repeat(100_000)}${'"'.repeat(1_001)}${'<!--'.repeat(100_000)}`;
  const started = performance.now();
  t.equal(swapped(long), long);
  t.ok(performance.now() - started < 2_000, 'hostile HTML takes no time either');
});

t.test('a server is given the number of a session, or nothing in time', async (t) => {
  const w = new World({ now: Date.now }, makeDirectory());
  const own = await freePort();
  await w.http.listen('127.0.0.1', own);
  const base = `http://127.0.0.1:${own}`;
  t.teardown(() => w.http.close());
  const wanted = {
    base,
    key: KEY,
    site: 'web',
    endpoint: 'sales',
    session: 's-1',
    visitor: 'v-1',
    touch: { source: 'ads', query: { gclid: 'g' } },
  };
  t.strictSame(await allocate(wanted), GIVEN);
  t.match(w.links.links[0]?.request, {
    session: 's-1',
    visitor: 'v-1',
    touch: /"source":"ads".*"gclid":"g"/,
  });
  t.strictSame(await allocate(wanted), GIVEN, 'the same again');
  t.equal(await allocate({ ...wanted, session: 's-2', userAgent: 'Googlebot/2.1' }), undefined, 'a crawler');
  t.equal(await allocate({ ...wanted, key: 'another' }), undefined, 'refused');
  t.equal(await allocate({ ...wanted, base: 'no address' }), undefined, 'no address');
  w.links.failure = new Error('a fault of ours');
  t.equal(await allocate(wanted), undefined, 'a 500');

  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  const started = performance.now();
  t.equal(await allocate({ ...wanted, base: `http://127.0.0.1:${port}`, timeoutMs: 100 }), undefined);
  t.ok(performance.now() - started < 1_000, 'no answer within its deadline');
});

t.test('the cookie of a visitor is the one that tag and server speak of', async (t) => {
  t.equal(visitorCookie('v-1'), 'tsv=v-1; Path=/; Max-Age=34128000; SameSite=Lax; Secure');
  t.equal(
    visitorCookie('v-1', { domain: 'example.com', secure: false }),
    'tsv=v-1; Path=/; Max-Age=34128000; SameSite=Lax; Domain=example.com',
  );
  t.equal(visitorCookie(undefined), 'tsv=; Path=/; Max-Age=0; SameSite=Lax; Secure', 'its end');
  for (const bad of ['', 'a;b', 'a b', 'a\r\nb', 'x'.repeat(129)])
    t.throws(() => visitorCookie(bad), RangeError);
  for (const domain of ['', 'example', 'a.b; Path=/x'])
    t.throws(() => visitorCookie('v', { domain }), RangeError);

  const w = new World({ now: Date.now }, makeDirectory('http://www.example.com'));
  const answer = await w.http.inject({
    method: 'POST',
    url: '/v1/visitors/cookie',
    headers: { origin: 'http://www.example.com', host: 'numbers.example.com', 'content-type': 'text/plain' },
    payload: JSON.stringify({ site: 'web', visitor: 'v-1' }),
  });
  t.equal(
    answer.headers['set-cookie'],
    visitorCookie('v-1', { domain: 'example.com', secure: false }),
    'as the server itself sets it',
  );
  await w.http.close();
  t.equal(VISITOR_COOKIE, 'tsv');
  const [, read = ''] = /COOKIE = '(.*)'/.exec(await readFile(join(root, 'tag/analytics.ts'), 'utf8')) ?? [];
  t.equal(
    new RegExp(read.replaceAll('\\\\', '\\')).exec(visitorCookie('v-1'))?.[1],
    'v-1',
    'as the tag reads it',
  );
});

/** The examples of a document. */
function codeOf(document: string): string[] {
  return [...document.matchAll(/^```tsx?\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
}

t.test('the package installs, type-checks and is safe to import without a page', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tagswitch-package-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const env = { PATH: process.env['PATH'], HOME: folder, npm_config_update_notifier: 'false' };
  const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    cwd: join(root, 'dist/package'),
    env,
  });
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@types'), { recursive: true });
  await run('tar', ['-xzf', join(folder, packed.stdout.trim()), '-C', modules]);
  await cp(join(modules, 'package'), join(modules, 'tagswitch-tag'), { recursive: true });
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const own = JSON.parse(await readFile(join(modules, 'tagswitch-tag/package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  t.match(own, { name: 'tagswitch-tag', version, peerDependencies: { react: '>=18' } });
  t.equal(own['dependencies'], undefined, 'it needs nothing');
  for (const name of ['react', 'react-dom', '@types/react', '@types/node'])
    await symlink(join(root, 'node_modules', name), join(modules, name));

  const pages = join(root, 'examples/pages');
  const examples = await Promise.all(
    (await readdir(pages)).map(async (file) => [file, await readFile(join(pages, file), 'utf8')] as const),
  );
  for (const [file, text] of examples) await writeFile(join(folder, file), text);
  for (const [nth, code] of codeOf(
    await readFile(join(modules, 'tagswitch-tag/README.md'), 'utf8'),
  ).entries())
    await writeFile(join(folder, `readme-${nth}.ts`), code);
  const blank = (text: string) => text.replace(/\s+/g, ' ').trim();
  const guide = codeOf(await readFile(join(root, 'docs/guides/tags-for-developers.md'), 'utf8'));
  t.ok(guide.length > 3, 'the guide has examples');
  for (const code of guide)
    t.ok(
      examples.some(([, text]) => blank(text).includes(blank(code))),
      `the guide's example is one of examples/pages: ${code}`,
    );
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(
    join(folder, 'wrong.ts'),
    `import { load } from 'tagswitch-tag';
     // @ts-expect-error a site is needed
     void load({ src: '' });`,
  );
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023', 'dom', 'dom.iterable'],
      module,
      moduleResolution: resolution,
      jsx: 'react-jsx',
      strict: true,
      exactOptionalPropertyTypes: true,
      types: ['node'],
      noEmit: true,
    };
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['*.ts', '*.tsx'] }),
    );
    const tsc = await run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ]).catch((error: unknown) => error as { stdout: string });
    t.equal(tsc.stdout, '', `examples/pages type-checks: ${resolution}`);
  }
  const code = `
    const names = await Promise.all(['', '/react', '/server'].map(async (part) => Object.keys(await import('tagswitch-tag' + part)).sort()));
    const { load, number } = await import('tagswitch-tag');
    const { createElement } = await import('react');
    const { renderToString } = await import('react-dom/server');
    const { TrackedNumber } = await import('tagswitch-tag/react');
    const html = renderToString(createElement(TrackedNumber, { number: '+1 2025550199', display: '202-555-0199', className: 'x' }));
    const given = renderToString(createElement(TrackedNumber, { number: '+1 2025550199', display: '202-555-0199', given: ${JSON.stringify(GIVEN)} }));
    const refused = await Promise.all([load({ src: 'x', site: 'y' }), number()].map((one) => one.catch(({ message }) => message)));
    process.stdout.write(JSON.stringify({ names, html, given, refused }));`;
  await writeFile(join(folder, 'import.mjs'), code);
  const imported = JSON.parse((await run(process.execPath, [join(folder, 'import.mjs')])).stdout) as unknown;
  t.strictSame(imported, {
    names: [
      ['load', 'number', 'subscribe'],
      ['TrackedNumber', 'useTrackedNumber'],
      ['allocate', 'swapHtml', 'visitorCookie'],
    ],
    html: '<a class="x" href="tel:+12025550199" data-tagswitch-off="">202-555-0199</a>',
    given: '<a href="tel:+12025550100" data-tagswitch-off="">202-555-0100</a>',
    refused: ['there is no page to load a tag into', 'there is no page that shows a number'],
  });
  t.match(
    await readFile(join(modules, 'tagswitch-tag/react.js'), 'utf8'),
    /^"use client"/,
    'a client component',
  );
});
