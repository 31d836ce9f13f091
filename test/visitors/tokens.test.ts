import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { Site } from '../../src/directory/model.js';
import { makePass, passIsGood } from '../../src/visitors/pass.js';
import { Proofs } from '../../src/visitors/proofs.js';
import { MAX_TOKEN, readVisitorKey, readVisitorToken } from '../../src/visitors/token.js';

const NOW = Date.UTC(2026, 0, 1);
const S = NOW / 1000;
const AUDIENCE = ['site_1', 'web'];
const ed = generateKeyPairSync('ed25519');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const edKey = readVisitorKey(pem(ed.publicKey));
const ecKey = readVisitorKey(pem(ec.publicKey));

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const good = { sub: 'someone@example.com', aud: 'web', iat: S, exp: S + 600 };

function token(claims: unknown, header: unknown, key: KeyObject): string {
  const text = `${part(header)}.${part(claims)}`;
  const data = Buffer.from(text);
  const signature =
    key.asymmetricKeyType === 'ed25519'
      ? sign(null, data, key)
      : sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}
const byEd = (claims: unknown, header: unknown = { alg: 'EdDSA', typ: 'JWT' }) =>
  token(claims, header, ed.privateKey);
const byEc = (claims: unknown, header: unknown = { alg: 'ES256' }) => token(claims, header, ec.privateKey);

t.test('S12.1 a token of the site is read, with either key', (t) => {
  const told = { subject: good.sub, until: (S + 600) * 1000 };
  t.strictSame(readVisitorToken(byEd(good), edKey, AUDIENCE, NOW), told);
  t.strictSame(readVisitorToken(byEc(good), ecKey, AUDIENCE, NOW), told);
  t.ok(readVisitorToken(byEd({ ...good, iat: undefined }), edKey, AUDIENCE, NOW), 'without iat');
  t.ok(readVisitorToken(byEd({ ...good, aud: ['x', 'site_1'] }), edKey, AUDIENCE, NOW), 'several audiences');
  t.throws(
    () => readVisitorKey(pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)),
    TypeError,
  );
  t.throws(
    () => readVisitorKey(pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)),
    TypeError,
  );
  t.end();
});

t.test('whatever is wrong with a token, it proves nothing', (t) => {
  const other = generateKeyPairSync('ed25519');
  const [head = '', body = '', signature = ''] = byEd(good).split('.');
  const mac = createHmac('sha256', pem(ed.publicKey))
    .update(`${part({ alg: 'HS256' })}.${body}`)
    .digest('base64url');
  const cases: readonly [string, string][] = [
    ['nothing', ''],
    ['alg none', `${part({ alg: 'none' })}.${body}.`],
    ['alg none, with a signature', byEd(good, { alg: 'none' })],
    ['the public key as a secret', `${part({ alg: 'HS256' })}.${body}.${mac}`],
    ['another algorithm than the key has', byEd(good, { alg: 'ES256' })],
    ['no algorithm', byEd(good, {})],
    ['a critical extension', byEd(good, { alg: 'EdDSA', crit: ['exp'] })],
    ['another type', byEd(good, { alg: 'EdDSA', typ: 'at+jwt' })],
    ["somebody else's key", token(good, { alg: 'EdDSA' }, other.privateKey)],
    ['the other key of ours', byEc(good, { alg: 'EdDSA' })],
    ['another body', `${head}.${part({ ...good, sub: 'x' })}.${signature}`],
    ['a cut signature', `${head}.${body}.${signature.slice(0, -4)}`],
    ['no signature', `${head}.${body}.`],
    ['a fourth part', `${head}.${body}.${signature}.${signature}`],
    ['a blank', ` ${head}.${body}.${signature}`],
    ['padding', `${head}.${body}.${signature}==`],
    ['no JSON', `${Buffer.from('{').toString('base64url')}.${body}.${signature}`],
    ['an array', byEd([good])],
    ['null', byEd(null)],
    ['no sub', byEd({ ...good, sub: undefined })],
    ['an empty sub', byEd({ ...good, sub: '' })],
    ['a long sub', byEd({ ...good, sub: 'x'.repeat(129) })],
    ['a sub that is no text', byEd({ ...good, sub: 1 })],
    ['no aud', byEd({ ...good, aud: undefined })],
    ['another aud', byEd({ ...good, aud: 'shop' })],
    ['other auds', byEd({ ...good, aud: ['shop', 1] })],
    ['no exp', byEd({ ...good, exp: undefined })],
    ['an end that is text', byEd({ ...good, exp: String(S + 600) })],
    ['ended', byEd({ ...good, exp: S })],
    ['an end too far ahead', byEd({ ...good, exp: S + 3_700 })],
    ['made in the future', byEd({ ...good, iat: S + 61 })],
    ['not yet', byEd({ ...good, nbf: S + 61 })],
    ['too large', byEd({ ...good, more: 'x'.repeat(MAX_TOKEN) })],
  ];
  for (const [name, text] of cases) t.equal(readVisitorToken(text, edKey, AUDIENCE, NOW), undefined, name);
  t.end();
});

t.test('no text but a signed one is a token', (t) => {
  const whole = byEd(good);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.constantFrom(...'ABCDEfghij0189-_.='), (at, character) => {
      // The last character of 64 bytes holds four bits that mean nothing.
      if (whole[at] === character || at === whole.length - 1) return;
      const spoilt = whole.slice(0, at) + character + whole.slice(at + 1);
      if (readVisitorToken(spoilt, edKey, AUDIENCE, NOW) !== undefined) throw new Error(spoilt);
    }),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000 }), (text) => {
      if (readVisitorToken(text, edKey, AUDIENCE, NOW) !== undefined) throw new Error(text);
    }),
  );
  t.end();
});

t.test('what was proved is remembered until its end, for its site and key alone', (t) => {
  const site = (over: Partial<Site>): Site => ({
    ...{ id: 'site_1', name: 'web', origins: [], printedNumber: '+12025550199', endpoints: [] },
    ...{ holdMs: 1, heartbeatMs: 1, visitorKey: pem(ed.publicKey), ...over },
  });
  const proofs = new Proofs(Buffer.alloc(32, 1));
  const text = byEd(good);
  const person = proofs.person(site({}), text, NOW);
  t.match(person, /^[\w-]{22}$/, 'no e-mail address');
  t.equal(person, proofs.personOf(site({}), good.sub));
  t.equal(proofs.person(site({}), text, NOW + 599_000), person);
  t.equal(proofs.person(site({}), text, NOW + 600_000), undefined, 'it ended');
  t.equal(proofs.person(site({ id: 'site_2', name: 'shop' }), text, NOW), undefined, 'another site');
  t.not(
    proofs.person(site({ id: 'site_2' }), text, NOW),
    person,
    'the same subject elsewhere is another person',
  );
  t.equal(
    proofs.person(site({ visitorKey: pem(ec.publicKey) }), text, NOW),
    undefined,
    'the key was changed',
  );
  const keyless = site({});
  Reflect.deleteProperty(keyless, 'visitorKey');
  t.equal(proofs.person(keyless, text, NOW), undefined, 'a site without a key');
  t.not(new Proofs(Buffer.alloc(32, 2)).personOf(site({}), good.sub), person, 'a keyed hash');

  const same = site({});
  const started = performance.now();
  for (let i = 0; i < 10_000; i++) proofs.person(same, text, NOW);
  const each = (performance.now() - started) / 10_000;
  t.ok(each < 0.02, `${(each * 1000).toFixed(1)} microseconds: it was not verified again`);
  t.end();
});

t.test('a pass is for its visitor on its site, until its end', (t) => {
  const key = Buffer.alloc(32, 3);
  const holder = { site: 'site_1', visitor: 'v1' };
  const pass = makePass(key, holder, NOW + 1_000);
  t.ok(pass.length < 40, pass);
  t.ok(passIsGood(key, holder, pass, NOW));
  t.notOk(passIsGood(key, holder, pass, NOW + 1_000), 'it ended');
  t.notOk(passIsGood(key, { ...holder, visitor: 'v2' }, pass, NOW));
  t.notOk(passIsGood(key, { ...holder, site: 'site_2' }, pass, NOW));
  t.notOk(passIsGood(Buffer.alloc(32, 4), holder, pass, NOW));
  const [until = '', mac = ''] = pass.split('.');
  for (const bad of ['', pass.slice(1), `z${until}.${mac}`, `${until}.`, `${until}.${mac}A`, `${pass}.x`])
    t.notOk(passIsGood(key, holder, bad, NOW), bad);
  t.end();
});
