import fc from 'fast-check';
import t from 'tap';
import type { Account, Trunk } from '../../src/directory/model.js';
import { isTestToken, mintTestToken } from '../../src/calls/test-token.js';
import { CallerIdentity } from '../../src/sip/caller-identity.js';
import { safeHeaders, safeValue } from '../../src/sip/safe.js';
import { hasForgedHeader, screen, viaOf } from '../../src/sip/screening.js';
import { dialledNumber, parseSipUri } from '../../src/sip/sip-uri.js';
import { TokenBucket } from '../../src/sip/token-bucket.js';
import { TrunkRates } from '../../src/sip/trunk-rates.js';

const account: Account = {
  id: 'acc_0000000000000000',
  name: 'a',
  timeZone: 'UTC',
  apiKeys: [],
  sites: [],
  endpoints: [],
  pools: [],
  trunks: [],
};
const trunk: Trunk = { id: 'trk_0000000000000000', name: 't', serial: 1, addresses: [], transport: 'udp' };
const directory = {
  trunksByAddress: (address: string) => (address === '192.0.2.1' ? [{ account, trunk }] : []),
  numberOwner: () => undefined,
};
const nodes = { isNode: (address: string) => address === '192.0.2.9' };
const invite = (more: Partial<{ uri: string; raw: string; sourceAddress: string }> = {}) =>
  screen(
    {
      uri: 'sip:+12025550100@192.0.2.5',
      raw: 'INVITE sip:x SIP/2.0\r\nFrom: <sip:a@b>\r\n\r\n',
      sourceAddress: '192.0.2.1',
      ...more,
    },
    directory,
    nodes,
    viaOf('192.0.2.5:5060'),
  );

t.test('what an INVITE is', async (t) => {
  t.match(invite(), { kind: 'call', number: '+12025550100', trunks: [{ trunk }] });
  t.match(
    invite({ uri: 'sip:12025550100@192.0.2.5;user=phone' }),
    { kind: 'call', number: '+12025550100' },
    'a missing + is put back',
  );
  t.match(invite({ sourceAddress: '192.0.2.2' }), { kind: 'refused', status: 403, why: 'noTrunk' });
  t.match(invite({ sourceAddress: '192.0.2.9' }), { kind: 'refused', status: 403, why: 'nodeWithoutLeg' });
  t.match(invite({ sourceAddress: '192.0.2.9', uri: 'sip:leg.abc@192.0.2.5' }), {
    kind: 'leg',
    token: 'abc',
  });
  t.match(
    invite({ uri: 'sip:leg.abc@192.0.2.5' }),
    { kind: 'refused', status: 403, why: 'legFromStranger' },
    'a trunk that says leg. is a stranger, never a trunk',
  );
  t.match(invite({ uri: 'sip:192.0.2.5' }), { kind: 'refused', status: 484 });
  for (const via of ['192.0.2.5:5060;branch=z9hG4bK1', '192.0.2.5 ;branch=z9hG4bK1', '192.0.2.5:5060'])
    for (const before of [
      'Via: SIP/2.0/UDP ',
      'v : SIP / 2.0 / TCP ',
      'VIA: SIP/2.0/UDP 192.0.2.1;rport, SIP/2.0/UDP ',
    ])
      t.match(
        invite({ raw: `INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n${before}${via}\r\n\r\n` }),
        { kind: 'refused', status: 482, why: 'loop' },
        before + via,
      );
  for (const via of ['192.0.2.50', '192.0.2.5:5070', '192.0.2.1;x=192.0.2.5'])
    t.match(
      invite({ raw: `INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP ${via}\r\n\r\nv: SIP/2.0/UDP 192.0.2.5` }),
      {
        kind: 'call',
      },
    );
  t.match(invite({ raw: 'INVITE sip:x SIP/2.0\r\nmax-forwards : 0\r\n\r\n' }), {
    status: 483,
    why: 'tooManyHops',
  });
  t.match(invite({ raw: 'INVITE sip:x SIP/2.0\r\nMax-Forwards: 10\r\n\r\n' }), { kind: 'call' });
  t.match(invite({ uri: 'sip:alice@192.0.2.5' }), { kind: 'refused', status: 404 });
  t.match(invite({ uri: 'sip:%zz@192.0.2.5' }), { kind: 'refused', status: 400 });
  t.match(invite({ uri: 'tel:+12025550100' }), { kind: 'refused', status: 416 });
  t.match(invite({ uri: 'sip:@' }), { kind: 'refused', status: 400 });
});

t.test('forged headers are seen however they are written', async (t) => {
  const forged = [
    'X-Tagswitch-Plan: x',
    'x-tagswitch-plan: x',
    'X-TAGSWITCH-CALL : x',
    'X-Tagswitch: x',
    'X-Tagswitch-New\t: x',
    ' X-Tagswitch-Plan: x',
  ];
  for (const header of forged) {
    for (const end of ['\r\n', '\n', '\r']) {
      t.ok(
        hasForgedHeader(`INVITE sip:a SIP/2.0${end}Via: x${end}${header}${end}To: y\r\n\r\n`),
        JSON.stringify([header, end]),
      );
    }
    t.match(invite({ raw: `INVITE sip:a SIP/2.0\r\n${header}\r\n\r\n` }), {
      kind: 'refused',
      why: 'forgedHeader',
    });
  }
  t.notOk(
    hasForgedHeader(
      'INVITE sip:a SIP/2.0\r\nSubject: X-Tagswitch-Plan: x\r\n\r\nX-Tagswitch-Plan: in the body',
    ),
    'a value and a body are none',
  );
});

t.test('URIs and numbers', async (t) => {
  t.match(parseSipUri('sip:+12025550100;ext=1@example.com:5070;transport=udp;lr?x=y'), {
    user: '+12025550100',
    host: 'example.com',
    port: 5070,
  });
  t.equal(parseSipUri('sips:a%40b@[2001:db8::1]:5061')?.user, 'a@b');
  t.equal(parseSipUri(`sip:${'a'.repeat(600)}@h`), undefined);
  for (const bad of ['', 'sip:', 'http://x', 'sip:a b@c', 'sip:@'])
    t.equal(parseSipUri(bad), undefined, JSON.stringify(bad));
  for (const bad of ['', '+', '+0123456789', 'abc', '+123456', '+1234567890123456', '+1202555\r\n0100'])
    t.equal(dialledNumber(bad), undefined, JSON.stringify(bad));
  fc.assert(
    fc.property(fc.string(), (text) => {
      const uri = parseSipUri(`sip:${text}`);
      const number = uri === undefined ? undefined : dialledNumber(uri.user);
      t.ok(number === undefined || /^\+[1-9][0-9]{6,14}$/.test(number));
    }),
  );
});

t.test('nothing that breaks out of a value goes into a SIP message', async (t) => {
  for (const bad of ['a\rb', 'a\nb', 'a\0b', '\r\nX-Evil: 1']) {
    t.throws(() => safeValue('Reason', bad), { code: 'unsafeValue' });
    t.throws(() => safeHeaders({ Reason: bad }), { code: 'unsafeValue' });
    t.throws(() => safeHeaders({ [bad]: 'x' }), { code: 'unsafeValue' });
    try {
      safeValue('Reason', bad);
    } catch (error) {
      t.notMatch(String(error), /Evil/, 'the value itself is in no error');
    }
  }
  t.throws(() => safeHeaders({ 'a b': 'x' }), { code: 'unsafeValue' });
  t.same(safeHeaders({ 'Retry-After': '3' }), { 'Retry-After': '3' });
});

t.test('who calls', async (t) => {
  const identity = new CallerIdentity({
    seal: (number) => `sealed ${number}`,
    hash: (number) => `hash ${number}`,
  });
  const of = (headers: Readonly<Record<string, string | undefined>>) => ({
    header: (name: string) => headers[name],
  });
  const from = (value: string | undefined) => of({ From: value });
  const plain = {};
  t.equal(identity.shown(from('"A, B" <sip:+12025550123@h;x=y>;tag=1'), plain), '+12025550123');
  t.equal(identity.shown(from('sip:12025550123@h;tag=1'), plain), '12025550123');
  for (const none of [
    '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
    '',
    undefined,
    '<>',
    '<sip:%zz@h>',
  ]) {
    t.equal(identity.shown(from(none), plain), undefined);
    t.same(identity.sealed(from(none), plain), {});
  }
  t.same(identity.sealed(from('<sip:+12025550123@h>'), plain), {
    caller: 'sealed +12025550123',
    callerHash: 'hash +12025550123',
  });
  const caller = '+12025550123';
  const From = '"Switchboard" <sip:+12025550100@h>;tag=1';
  const trusted = { assertedIdentity: true };
  for (const asserted of [
    '"A, <B>" <sip:+12025550123@carrier.example;user=phone>',
    '<sip:reception@carrier.example>, <tel:+1-202-555-0123;ext=7>',
    'tel:+1.202.555.0123',
    'sip:+12025550123@carrier.example',
  ]) {
    const request = of({ From, 'P-Asserted-Identity': asserted });
    t.equal(identity.shown(request, trusted), caller, asserted);
    t.equal(identity.shown(request, plain), '+12025550100', 'a trunk that is not trusted asserts nothing');
  }
  t.equal(
    identity.shown(of({ From, 'P-Asserted-Identity': '<sip:reception@h>' }), trusted),
    '+12025550100',
    'no number is asserted',
  );
  for (const privacy of ['id', 'user;critical', 'history; ID', 'header,session']) {
    const request = of({ From, 'P-Asserted-Identity': `<sip:${caller}@h>`, Privacy: privacy });
    t.equal(identity.shown(request, trusted), undefined, privacy);
    t.same(identity.sealed(request, trusted), {}, 'nor is he recorded');
  }
  for (const open of ['none', 'history', 'session;critical'])
    t.equal(identity.shown(of({ From, Privacy: open }), plain), '+12025550100', open);
});

t.test('nobody calls, numbers are read by rules, and somebody diverted the call', async (t) => {
  const identity = new CallerIdentity({ seal: (number) => number, hash: (number) => number });
  const from = (From: string, more: Readonly<Record<string, string>> = {}) => ({
    header: (name: string) => ({ From, ...more })[name],
  });
  const trusted = { assertedIdentity: true };
  const asserted = { 'P-Asserted-Identity': '<sip:+12025550124@h>' };
  for (const nobody of [
    '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
    '<sip:anonymous@carrier.example;user=phone>;tag=1',
    'sip:anonymous;tag=1',
    'Anonymous <sip:+12025550123@h;user=phone>;tag=1',
    '"Restricted" <sip:+12025550123@h>',
    '"UNAVAILABLE" <sip:unavailable@h>',
    '<sip:+12025550123@anonymous.invalid>',
  ]) {
    t.equal(identity.shown(from(nobody), {}), undefined, nobody);
    t.same(identity.sealed(from(nobody, asserted), trusted), {}, 'though he is asserted');
    t.equal(identity.number(from(nobody, asserted), trusted), '+12025550124', 'a signature can be checked');
  }
  t.equal(
    identity.shown(from('"Anonymous Ltd" <sip:+12025550123@h>'), {}),
    '+12025550123',
    'a name like another',
  );
  const incoming = [
    { prefix: '+', becomes: '+' },
    { prefix: '00', becomes: '+' },
    { prefix: '0', becomes: '+44' },
  ];
  for (const [user, number] of [
    ['01632960123', '+441632960123'],
    ['0012025550123', '+12025550123'],
    ['+441632960123', '+441632960123'],
  ] as const)
    t.equal(identity.shown(from(`<sip:${user}@h>`), { incoming }), number);

  const diverting = (...lines: string[]) =>
    identity.diverting(
      { raw: ['INVITE sip:x SIP/2.0', ...lines, '', 'Diversion: <sip:9@h>'].join('\r\n') },
      { incoming },
    );
  t.equal(diverting(), undefined);
  t.equal(
    diverting('Diversion: "A, B" <sip:01632960160@h>;reason=no-answer', 'Diversion: <sip:+12025550161@h>'),
    '+441632960160',
  );
  t.equal(diverting('Diversion: <tel:+1-202-555-0160>;privacy=full;reason=unknown'), undefined);
  t.equal(diverting('Diversion: <tel:+1-202-555-0160>;privacy=off'), '+12025550160');
  t.equal(
    diverting('History-Info: <sip:+12025550162@h>;index=1,<sip:+12025550100@h>;index=1.1'),
    '+12025550162',
  );
  t.equal(
    diverting('History-Info: <sip:+12025550162@h?Privacy=history>;index=1,<sip:+12025550100@h>;index=1.1'),
    undefined,
  );
  t.equal(diverting('History-Info: <sip:+12025550162@h>;index=1'), undefined, 'it came straight to us');

  const two = [
    { account, trunk: { ...trunk, incoming } },
    { account: { ...account, id: 'acc_1' as const }, trunk },
  ];
  const read = (user: string, owner?: string) =>
    screen(
      { uri: `sip:${user}@192.0.2.5`, raw: '', sourceAddress: '192.0.2.1' },
      {
        trunksByAddress: () => two,
        numberOwner: (number) =>
          number === owner ? { account: two[1]?.account ?? account, pool: {} as never } : undefined,
      },
      nodes,
      viaOf('192.0.2.5:5060'),
    );
  t.match(read('01632960100'), { kind: 'call', number: '+441632960100', trunks: { length: 1 } });
  t.match(read('+441632960100'), { kind: 'call', trunks: { length: 2 } });
});

t.test('rates', async (t) => {
  const bucket = new TokenBucket(10, 0);
  t.equal(Array.from({ length: 30 }, () => bucket.take(0)).filter(Boolean).length, 10, 'a burst of a second');
  t.equal(
    Array.from({ length: 30 }, () => bucket.take(500)).filter(Boolean).length,
    5,
    'half a second brings half',
  );
  t.equal(bucket.take(400), false, 'a clock that steps back brings nothing');
  const rates = new TrunkRates();
  t.ok(
    Array.from({ length: 1000 }, () => rates.take(trunk, 0)).every(Boolean),
    'no limit declared, none kept',
  );
  const slow = { ...trunk, callsPerSecond: 2 };
  t.same(
    [0, 0, 0].map((now) => rates.take(slow, now)),
    [true, true, false],
  );
  t.ok(rates.take({ ...slow, callsPerSecond: 5 }, 0), 'a changed rate starts anew');
});

t.test('test calls', async (t) => {
  const key = Buffer.alloc(32, 1);
  const token = mintTestToken('+12025550100', key, 1000);
  t.ok(isTestToken(token, '+12025550100', key, 1030));
  t.notOk(isTestToken(token, '+12025550101', key, 1030), 'of another number');
  t.notOk(isTestToken(token, '+12025550100', key, 1100), 'too old');
  t.notOk(isTestToken(token, '+12025550100', Buffer.alloc(32, 2), 1030), 'of another switch');
  for (const bad of ['', 'x', '-', `${token}0`]) t.notOk(isTestToken(bad, '+12025550100', key, 1030));
});
