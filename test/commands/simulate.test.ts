import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { simulateCommand } from '../../src/commands/simulate.js';
import { NoRedis, withPrivateRedis } from '../../src/start/private-redis.js';

async function run(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await simulateCommand(argv, { out: (line) => out.push(line), err: (line) => err.push(line) });
  return { code, out, err };
}

const SMALL = ['--numbers', '5', '--visits-per-hour', '30', '--hours', '4', '--seed', '3'];

t.test('a small simulation, for people and for programs', async (t) => {
  const table = await run(...SMALL);
  t.match(table, { code: 0, err: [], out: [/^5 numbers, 30 visits an hour, 4 hours, seed 3$/] });
  for (const row of [
    /^visits without a number +\d+\.\d %/,
    /^wrong: newest holder alone +\d+\.\d %/,
    /^Brier score/,
  ]) {
    t.ok(
      table.out.some((line) => row.test(line)),
      String(row),
    );
  }
  const json = await run(...SMALL, '--json');
  t.equal(json.out.length, 1);
  const outcome = JSON.parse(json.out[0] ?? '') as { visits: number };
  t.match(outcome, {
    seed: 3,
    numbers: 5,
    visitsPerHour: 30,
    hours: 4,
    blocked: Number,
    brier: Number,
    bins: Array,
  });
  t.ok(outcome.visits > 80 && outcome.visits < 160, `${outcome.visits} visits`);
  t.ok(
    table.out.some((line) => line === `visits${String(outcome.visits).padStart(33)}`),
    'the same in both',
  );
});

t.test('bad arguments, all at once', async (t) => {
  const { code, out, err } = await run('--numbers', '0', '--hours', 'x', '--seed', '1.5');
  t.same([code, out], [2, []]);
  t.same(
    err.map((line) => /--\w+/.exec(line)?.[0]),
    ['--numbers', '--hours', '--seed'],
  );
  t.match(await run('--number', '5'), { code: 2, err: [/did you mean --numbers\?/] });
});

t.test('its redis-server is gone afterwards, however it ended; where there is none it says so', async (t) => {
  let folder = '';
  await t.rejects(
    withPrivateRedis(async (url) => {
      folder = join(url, '..');
      t.ok(existsSync(url));
      throw new Error('half-way');
    }),
    { message: 'half-way' },
  );
  t.notOk(existsSync(folder));

  const path = process.env.PATH;
  t.teardown(() => {
    process.env.PATH = path;
  });
  process.env.PATH = t.testdir({});
  await t.rejects(
    withPrivateRedis(async () => 'started'),
    new NoRedis('redis-server did not start: spawn setpriv ENOENT'),
  );
  const { code, err } = await run(...SMALL);
  t.equal(code, 1);
  t.match(err, [/^tagswitch simulate: redis-server did not start: /]);
  t.ok((await readdir(tmpdir())).every((name) => join(tmpdir(), name) !== folder));
});
