/** Why a number in a page's text is none of the tag's, and why a visitor may be recognised or not. */
import t from 'tap';
import { explainConsent, type ConsentFacts } from '../../tag/explain-consent.js';
import { explainer, type Reason } from '../../tag/explain.js';

const explain = explainer(['+1 2025550199']);

t.test('each number that is left alone has its reason', async (t) => {
  const rows: readonly (readonly [text: string, written: string, reason: Reason])[] = [
    ['Fax 202-555-0111', '202-555-0111', 'digits'],
    ['Branch: (312) 555-0142', '(312) 555-0142', 'digits'],
    ['Call 555-0199', '555-0199', 'local'],
    ['order 12025550199123', '12025550199123', 'longer'],
    ['Customer 882025550199', '882025550199', 'longer'],
    ['ref 2025550199/7', '2025550199/7', 'longer'],
    ['id x2025550199', '2025550199', 'longer'],
    ['ticket #2025550199', '2025550199', 'reference'],
    ['?id=2025550199', '2025550199', 'reference'],
    ['$2025550199', '2025550199', 'price'],
    ['only \u20ac 2025550199', '2025550199', 'price'],
    ['worth 3.025.550.199 EUR', '3.025.550.199', 'price'],
    ['ISBN 2025550199', '2025550199', 'isbn'],
    ['20255.50199 m', '20255.50199', 'grouped'],
    ['+44 2025550199', '+44 2025550199', 'country'],
    ['0044 1632 960199', '0044 1632 960199', 'country'],
    ['+44 1632 960123', '+44 1632 960123', 'country'],
    ['since 2019-05-21', '2019-05-21', 'date'],
    ['since 21.05.2019', '21.05.2019', 'date'],
  ];
  for (const [text, written, reason] of rows)
    t.strictSame(explain.untouched(text), [{ written, reason }], text);
});

t.test('what the tag finds has none, and neither has what is no number at all', async (t) => {
  const found = [
    'Call (202) 555-0199, +1 202-555-0199, 202.555.0199 or 1 202 555 0199 today',
    'tel:+12025550199',
    '202-JKL-0199',
  ];
  for (const text of found) {
    t.strictSame(explain.untouched(text), [], text);
    t.ok(explain.finds(text), text);
  }
  for (const text of ['', 'no number', '12 of 16,384', '1,2,3,4,5,6,7,8', `card ${'4'.repeat(30)}`])
    t.strictSame(explain.untouched(text), [], text);
  t.strictSame(
    explain.untouched('Call 202-555-0199, fax 202-555-0111'),
    [{ written: '202-555-0111', reason: 'digits' }],
    'the other one beside it',
  );
});

t.test('where the tag does not look, its own number is named in all forms, and no other', async (t) => {
  t.strictSame(
    explain.untouched('Call +1 202-555-0199 or (202) 555-0199, 202-JKL-0199, fax 202-555-0111', 'off'),
    [
      { written: '+1 202-555-0199', reason: 'off' },
      { written: '(202) 555-0199', reason: 'off' },
      { written: '202-JKL-0199', reason: 'off' },
    ],
  );
  t.strictSame(explain.untouched('Fax 202-555-0111', 'textarea'), []);
});

t.test('pieces of a number that is spread over texts', async (t) => {
  t.ok(explain.endsIn('-0199'));
  t.notOk(explain.endsIn('-0198'));
  const text = 'Call 202-555-0199 or 202-555-0111';
  t.ok(explain.findsBetween(text, 12, 17));
  t.notOk(explain.findsBetween(text, 20, text.length));
});

t.test('several printed numbers, and none', async (t) => {
  const both = explainer(['+1 2025550199', '+44 1632960123']);
  t.strictSame(both.untouched('202-555-0199, 01632 960123 and 01632 960124'), [
    { written: '01632 960124', reason: 'digits' },
  ]);
  const none = explainer(['']);
  t.strictSame(none.untouched('202-555-0199'), [{ written: '202-555-0199', reason: 'digits' }]);
  t.notOk(none.finds('202-555-0199'));
});

t.test('consent, and who said so', async (t) => {
  const nothing: ConsentFacts = {
    setting: undefined,
    mode: undefined,
    globalPrivacyControl: false,
    hasSession: undefined,
  };
  const rows: readonly (readonly [facts: Partial<ConsentFacts>, text: RegExp])[] = [
    [{}, /^granted: nobody asked/],
    [{ hasSession: true }, /^granted: nobody asked/],
    [{ setting: 'unset' }, /^not granted yet \(unset\): data-consent/],
    [{ setting: 'denied' }, /^not granted: data-consent/],
    [{ setting: 'denied', mode: 'granted' }, /^granted: Google's consent mode/],
    [
      { mode: 'granted', globalPrivacyControl: true },
      /^not granted: the browser sends Global Privacy Control/,
    ],
    [{ globalPrivacyControl: true, hasSession: true }, /^granted: the page called tagswitch\.consent/],
    [{ hasSession: false }, /^not granted: the page called tagswitch\.consent/],
    [{ setting: 'denied', hasSession: false }, /^not granted: data-consent/],
  ];
  for (const [facts, text] of rows)
    t.match(explainConsent({ ...nothing, ...facts }), text, JSON.stringify(facts));
});
