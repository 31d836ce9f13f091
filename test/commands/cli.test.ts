import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { TestRedis } from '../support/redis.js';

const launcher = fileURLToPath(new URL('../../../bin/tagswitch', import.meta.url));

const FILE = `apiVersion: tagswitch/v1
accounts:
  - name: demo
    timeZone: Europe/London
    trunks: [{ name: loopback, addresses: [127.0.0.0/8] }]
    endpoints: [{ name: sales, destinations: ['sip:agent@127.0.0.1:5070'] }]
    pools: [{ name: demo, numbers: [+12025550100], defaultEndpoint: sales, trunk: loopback }]
`;

t.test('the program', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tagswitch-cli-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const program = join(folder, 'linked');
  await symlink(launcher, program);

  const run = async (argv: readonly string[], env: Record<string, string> = {}) => {
    const child = spawn(program, argv, {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (err += text.toString()));
    const [code] = (await once(child, 'close')) as [number];
    return { code, out, err };
  };

  await t.test('help, version, and what is not there', async (t) => {
    const help = await run(['help']);
    t.equal(help.code, 0);
    for (const name of ['start', 'plan FILE', 'apply FILE', 'call NUMBER', 'explain CALL'])
      t.match(help.out, `  ${name}`);
    t.match(help.out, /simulate \[--numbers COUNT\]/);
    t.same(await run(['--help']), help);
    t.same(await run(['call', '--help']), help);
    t.match(await run([]), { code: 2, out: '', err: /Usage/ });
    t.match(await run(['--version']), { code: 0, out: /^\d+\.\d+\.\d+\n$/, err: '' });
    t.match(await run(['explian', 'x']), {
      code: 2,
      err: 'tagswitch: there is no command "explian": did you mean explain?\n',
    });
    t.match(await run(['constructor']), { code: 2, err: /tagswitch help/ });
    t.match(await run(['start', 'now']), { code: 2, err: /"now": expected nothing more/ });
    t.match(await run(['call', '+12025550100'], { TAGSWITCH_SIPP: 'x', TAGSWITCH_HTTP: 'y' }), {
      code: 2,
      err: /TAGSWITCH_SIPP: .*did you mean TAGSWITCH_SIP\?\n.*TAGSWITCH_HTTP: expected/s,
    });
  });

  await t.test('without a switch: one line each, and nothing is made', async (t) => {
    const http = { TAGSWITCH_HTTP: '127.0.0.1:1' };
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['explain', 'call_1'], /^tagswitch explain: nothing answers at http:\/\/127\.0\.0\.1:1 .*\n$/],
      [['call', '+12025550100'], /^tagswitch: .*\/data: expected the data folder of a switch.*\n$/],
      [
        ['plan', 'f.yaml'],
        /^tagswitch plan: nothing listens at .*\/data\/redis\/redis\.sock: start tagswitch first, or set REDIS_URL\n$/,
      ],
    ];
    for (const [argv, err] of cases) t.match(await run(argv, http), { code: 1, out: '', err });
    t.match(await run(['apply', 'f.yaml'], { REDIS_URL: 'redis://:hidden@127.0.0.1:1' }), {
      code: 1,
      err: /^tagswitch apply: the Redis that REDIS_URL names does not answer\n$/,
    });
    t.notOk(existsSync(join(folder, 'data')));
  });

  await t.test('plan and apply', async (t) => {
    const redis = await TestRedis.start();
    t.teardown(() => redis.stop());
    const env = { REDIS_URL: redis.url };
    await writeFile(join(folder, 'good.yaml'), FILE);
    await writeFile(join(folder, 'bad.yaml'), FILE.replace('trunk: loopback', 'trunk: loopbak'));
    t.match(await run(['plan', 'good.yaml'], env), {
      code: 0,
      out: /version 0 would become version 1/,
      err: '',
    });
    t.match(await run(['apply', 'good.yaml'], env), { code: 0, out: /version 1 is in force/, err: '' });
    t.match(await run(['apply', 'good.yaml', '--force'], env), {
      code: 0,
      out: /nothing to change, version 1/,
    });
    t.match(await run(['apply', 'bad.yaml'], env), { code: 2, out: '', err: /bad\.yaml: .*trunk/ });
    t.match(await run(['apply', 'none.yaml'], env), { code: 2, err: /none\.yaml: expected a file/ });
    t.match(await run(['plan', 'good.yaml', '--force'], env), {
      code: 2,
      err: /--force: there is no such option/,
    });
    t.match(await run(['apply'], env), { code: 2, err: /FILE: expected/ });
  });
});
