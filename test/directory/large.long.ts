/** Declarations of a size that takes seconds to make. */
import t from 'tap';
import type { DeclaredPool } from '../../src/directory/declaration.js';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import type { Directory } from '../../src/directory/model.js';
import { rangesSize } from '../../src/directory/ranges.js';
import { EMPTY_DIRECTORY, resolve } from '../../src/directory/resolve.js';
import { beside, faults, file, read } from './file-fixture.js';

t.setTimeout(120_000);

function pool(text: string): DeclaredPool | undefined {
  return read(file({ pools: `[{name: main, ${text}}]` })).accounts[0]?.pools[0];
}

t.test('a million rows are read in a few seconds', async (t) => {
  // Every other number, and not in order: no two make a range.
  const rows = Array.from(
    { length: 1_000_000 },
    (_, i) => `+1${2_000_000_000 + 2 * ((i * 7919) % 1_000_000)},`,
  );
  beside.set('million.csv', `number,state\n${rows.join('\n')}\n`);
  const began = performance.now();
  const numbers = pool('numbers: [{file: million.csv}]')?.numbers ?? [];
  const took = performance.now() - began;
  beside.clear();
  t.equal(rangesSize(numbers), 1_000_000);
  t.ok(took < 20_000, `${took.toFixed(0)} ms`);
  t.comment(`${took.toFixed(0)} ms`);
});

t.test('a small file that means a very large one is refused soon', async (t) => {
  const numbers = `&n [${Array.from({ length: 50_000 }, (_, i) => `+1202555${String(i).padStart(5, '0')}`).join()}]`;
  const pools = `&p [{name: p, numbers: ${numbers}}, ${Array.from({ length: 45 }, () => '{name: q, numbers: *n}').join()}]`;
  const began = performance.now();
  const found = faults(
    `apiVersion: tagswitch/v1\naccounts: [{name: a, pools: ${pools}}, {name: b, pools: *p}]`,
  );
  t.ok(
    found.some((fault) => fault.includes('expected at most 2000000 values in the file, aliases followed')),
  );
  t.ok(performance.now() - began < 30_000);
  const many = Array.from({ length: 101 }, () => '*a').join();
  t.match(faults(`apiVersion: tagswitch/v1\naccounts: [&a {name: x}, ${many}]`), [
    /at most 100 aliases, found 101/,
  ]);
});

t.test('a million numbers are found at once', async (t) => {
  // Every other number: no two are neighbours, so that each is a range of its own.
  const numbers = Array.from({ length: 1_000_000 }, (_, i) => {
    const number = `+1${2_000_000_000 + 2 * i}`;
    return { first: number, last: number };
  });
  const base = resolve({ accounts: [] }, EMPTY_DIRECTORY);
  const none = { timeZone: 'UTC', apiKeys: [], sites: [], endpoints: [], trunks: [] };
  const directory: Directory = {
    ...base,
    accounts: [{ ...none, id: 'acc_x', name: 'x', pools: [{ id: 'pool_x', name: 'p', numbers }] }],
  };
  const index = new DirectoryIndex(directory);
  let found = 0;
  const began = performance.now();
  for (let i = 0; i < 200_000; i++) {
    if (index.numberOwner(`+1${2_000_000_000 + ((i * 7919) % 2_000_000)}`) !== undefined) found++;
  }
  const each = ((performance.now() - began) / 200_000) * 1000;
  t.equal(found, 100_000);
  t.ok(each < 20, `${each.toFixed(2)} microseconds a lookup`);
  for (const number of ['+12000000000', '+12001999998']) t.ok(index.numberOwner(number), number);
  for (const number of [
    '+11999999999',
    '+12000000001',
    '+12001999999',
    '12000000000',
    '+1',
    '',
    '+12000000000x',
  ]) {
    t.equal(index.numberOwner(number), undefined, number);
  }
});
