import t from 'tap';
import fc from 'fast-check';
import {
  digitsOf,
  displayNumber,
  expandRange,
  inRange,
  isE164,
  MAX_RANGE,
  rangeSize,
} from '../../src/numbers/e164.js';
import { accountKeys, checkedId } from '../../src/numbers/keys.js';
import { mintLinkTail, poolOfLink, poolTag } from '../../src/numbers/links.js';
import { mintId } from '../../src/ids.js';

t.test('what is E.164 and what is not', async (t) => {
  for (const good of ['+12025550100', '+441632960123', '+1234567', '+123456789012345'])
    t.ok(isE164(good), good);
  for (const bad of [
    '',
    '+',
    '12025550100',
    '+02025550100',
    '+123456',
    '+1234567890123456',
    '+1202555 0100',
    '+1202555010٣',
    '+12025550100\n',
  ]) {
    t.notOk(isE164(bad), JSON.stringify(bad));
  }
  t.equal(digitsOf('+12025550100'), '12025550100');
});

t.test('ranges hold their ends, and faults are named', async (t) => {
  const range = { first: '+12025550198', last: '+12025550201' };
  t.strictSame([...expandRange(range)], ['+12025550198', '+12025550199', '+12025550200', '+12025550201']);
  t.strictSame([...expandRange({ first: '+12025550100', last: '+12025550100' })], ['+12025550100']);
  t.equal(rangeSize({ first: '+441632000000', last: '+441632999999' }), MAX_RANGE);
  const bad = [
    ['+441632000000', '+441633000000'],
    ['+12025550101', '+12025550100'],
    ['+1202555010', '+12025550100'],
    ['12025550100', '+12025550100'],
  ] as const;
  for (const [first, last] of bad) t.throws(() => [...expandRange({ first, last })], { code: 'badRange' });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: -60, max: 60 }),
      (at, size, off) => {
        const number = (n: number): string => `+${441632960000 + n}`;
        const range = { first: number(at), last: number(at + size) };
        return inRange(range, number(at + off)) === [...expandRange(range)].includes(number(at + off));
      },
    ),
  );
  t.notOk(inRange({ first: '+12025550100', last: '+12025550199' }, '+120255501500'), 'another length');
});

t.test('numbers as people write them', async (t) => {
  t.equal(displayNumber('+12025550100', 'national'), '(202) 555-0100');
  t.equal(displayNumber('+12025550100', 'international'), '+1 202 555 0100');
  t.equal(displayNumber('+441632960123', 'national'), '01632 960123');
  t.equal(displayNumber('+12025550100', 'national'), '(202) 555-0100', 'a second time');
  t.equal(displayNumber('no number', 'national'), 'no number');
});

t.test('ids and links', async (t) => {
  const pool = mintId('pool');
  t.equal(poolOfLink(`lnk_${poolTag(pool)}${mintLinkTail()}`), pool);
  for (const bad of [
    '',
    'lnk_',
    `lnk_${poolTag(pool)}`,
    `link_${poolTag(pool)}${mintLinkTail()}`,
    `lnk_${'A'.repeat(32)}`,
  ]) {
    t.equal(poolOfLink(bad), undefined);
  }
  t.throws(() => poolTag('pool_short'), TypeError);
  for (const bad of ['', 'a:b', 'a}b', 'a b', 'a\n', 'é', 'x'.repeat(65)]) {
    t.throws(() => checkedId(bad), { code: 'badId' });
    t.throws(() => accountKeys(bad), { code: 'badId' });
    t.throws(() => accountKeys('acc').ends(bad), { code: 'badId' });
  }
});
