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
