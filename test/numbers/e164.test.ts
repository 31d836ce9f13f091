import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import t from 'tap';
import { displayNumber, isE164 } from '../../src/numbers/e164.js';
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
});

t.test('numbers as people write them', async (t) => {
  t.equal(displayNumber('+12025550100', 'national'), '(202) 555-0100');
  t.equal(displayNumber('+12025550100', 'international'), '+1 202 555 0100');
  t.equal(displayNumber('+441632960123', 'national'), '01632 960123');
  t.equal(displayNumber('+12025550100', 'national'), '(202) 555-0100', 'a second time');
  t.equal(displayNumber('no number', 'national'), 'no number');
  t.equal(displayNumber('+9991234567', 'national'), '+9991234567', 'of no country');
  // A hundred neighbours are parsed once: each has to be written as if it had been parsed itself.
  for (const head of [
    '+120255501',
    '+4416329600',
    '+491701234',
    '+331234567',
    '+3906123456',
    '+35226123',
    '+9991234',
  ])
    for (let i = 0; i < 100; i++) {
      const number = `${head}${String(i).padStart(2, '0')}`;
      const parsed = parsePhoneNumberFromString(number);
      const expected = [parsed?.formatNational() ?? number, parsed?.formatInternational() ?? number];
      const written = [displayNumber(number, 'national'), displayNumber(number, 'international')];
      if (written.join() !== expected.join()) t.strictSame(written, expected, number);
    }
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
