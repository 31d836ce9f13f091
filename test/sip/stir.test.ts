/** Signatures of callers' numbers: what holds, and what an attacker may try. Certificates are made by openssl. */
import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { Attesting } from '../../src/sip/attesting.js';
import { headerValues } from '../../src/sip/header-lines.js';
import { signerOf } from '../../src/sip/stir/certificate-chain.js';
import { fetchText, isAllowed } from '../../src/sip/stir/certificate-fetch.js';
import { Certificates } from '../../src/sip/stir/certificates.js';
import { readPassport } from '../../src/sip/stir/identity-header.js';
import { telephoneNumbers } from '../../src/sip/stir/tn-auth-list.js';
import { verified } from '../../src/sip/stir/verification.js';
import { taken } from '../../src/sip/stir/verstat.js';
import { identityBy, Signers, type Claims } from '../support/signers.js';

t.setTimeout(60_000);

const signers = new Signers();
const root = signers.make('root', { ca: true });
const middle = signers.make('middle', { ca: true, issuer: root });
const leaf = signers.make('leaf', { issuer: middle });
/** `one`: [2] 12025550123. `range`: [1] from 12025550120, five of them. `spc`: [0] 1234. */
const tn = (hex: string) => [`1.3.6.1.5.5.7.1.26=DER:${hex}`];
const one = signers.make('one', { issuer: root, more: tn('300fa20d160b3132303235353530313233') });
const other = signers.make('other', { issuer: root, more: tn('300fa20d160b3132303235353530313939') });
const range = signers.make('range', {
  issuer: root,
  more: tn('3014a1123010160b3132303235353530313230020105'),
});
const provider = signers.make('provider', { issuer: root, more: tn('3008a006160431323334') });
const broken = signers.make('broken', { issuer: root, more: tn('30ffa20d160b') });
const wide = signers.make('wide', { issuer: root, curve: 'P-384' });
const stranger = signers.make('stranger', {});
const underLeaf = signers.make('underleaf', { issuer: leaf });

const anchors = [new X509Certificate(root.pem)];
const CHAINS: Readonly<Record<string, string>> = {
  leaf: leaf.pem + middle.pem,
  bare: leaf.pem,
  one: one.pem,
  other: other.pem,
  range: range.pem,
  provider: provider.pem,
  broken: broken.pem,
  wide: wide.pem,
  stranger: stranger.pem,
  underleaf: underLeaf.pem + leaf.pem + middle.pem,
  itself: root.pem,
  nothing: 'hello',
};
const NOW = Date.now();
const iat = Math.floor(NOW / 1000);
const message = { orig: '12025550123', dest: '12025550100', date: iat };
const told = { orig: message.orig, dest: message.dest, iat };
const urlOf = (name: string): string => `https://certs.example/${name}`;
const fetched: string[] = [];

function verify(headers: readonly string[], now = NOW) {
  const certificates = new Certificates({
    anchors,
    now: () => now,
    fetch: async (url) => {
      fetched.push(url);
      const text = CHAINS[url.split('/').at(-1) ?? ''];
      if (text === undefined) throw new Error('gone');
      return text;
    },
  });
  return verified(headers, message, {
    isAllowed: (url) => isAllowed(url, new Set(['certs.example'])),
    certificate: (url) => certificates.of(url, 200),
    now: () => now,
  });
}

const signed = (name: string, more: Partial<typeof told> = {}, claims: Claims = {}, by = leaf) =>
  identityBy(by, { x5u: urlOf(name), ...told, ...more }, claims);

t.test('what holds', async (t) => {
  t.same(await verify([signed('leaf')]), { attestation: 'A' });
  for (const attest of ['B', 'C'] as const)
    t.same(await verify([signed('leaf', {}, { payload: { attest } })]), { attestation: attest });
  t.same(await verify([signed('one', {}, {}, one)]), { attestation: 'A' }, 'for its number');
  t.same(await verify([signed('range', {}, {}, range)]), { attestation: 'A' }, 'for its range');
  t.same(await verify([signed('provider', {}, {}, provider)]), { attestation: 'A' }, 'of a provider');
  t.same(
    await verify([signed('leaf', {}, { compact: true, parameters: ';alg=ES256' })]),
    { attestation: 'C' },
    'compact form: signed, without a level',
  );
  t.same(
    await verify([signed('leaf'), 'x.y.z;info=<https://certs.example/leaf>;ppt=div']),
    { attestation: 'A' },
    'others stand beside it',
  );
  t.same(await verify([]), { attestation: 'none' });
  t.same(await verify([signed('leaf', {}, { payload: { dest: { tn: ['12025550199', '12025550100'] } } })]), {
    attestation: 'A',
  });
});

t.test('what does not hold, and why', async (t) => {
  const header = { alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u: urlOf('leaf') };
  const good = signed('leaf');
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['alg none', [signed('leaf', {}, { header: { ...header, alg: 'none' } })], 'algorithm'],
    ['HS256', [signed('leaf', {}, { header: { ...header, alg: 'HS256' } })], 'algorithm'],
    ['alg as a parameter', [good.replace('alg=ES256', 'alg=none')], 'algorithm'],
    ['no signature', [good.replace(/\.[A-Za-z0-9_-]+;/, '.;')], 'malformed'],
    ['a short signature', [good.replace(/\.([A-Za-z0-9_-]{8})[A-Za-z0-9_-]+;/, '.$1;')], 'algorithm'],
    ['r and s of zero', [good.replace(/\.[A-Za-z0-9_-]+;/, `.${'A'.repeat(86)};`)], 'signature'],
    ['another key', [signed('leaf', {}, {}, one)], 'signature'],
    ['another attest', [swapped(good, { attest: 'B' })], 'signature'],
    ['attest D', [signed('leaf', {}, { payload: { attest: 'D' } })], 'malformed'],
    ['no attest', [signed('leaf', {}, { payload: { attest: undefined } })], 'malformed'],
    ['a URI in orig', [signed('leaf', {}, { payload: { orig: { uri: 'sip:x@h' } } })], 'malformed'],
    ['a nul in orig', [signed('leaf', { orig: '12025550123\0' })], 'malformed'],
    ['crit', [signed('leaf', {}, { header: { ...header, crit: ['x'] } })], 'malformed'],
    ['another x5u inside', [signed('leaf', {}, { header: { ...header, x5u: urlOf('one') } })], 'malformed'],
    ['info twice', [`${good};info=<${urlOf('one')}>`], 'malformed'],
    ['ppt that is not signed', [signed('leaf', {}, { header: { ...header, ppt: undefined } })], 'malformed'],
    ['shaken in compact form', [signed('leaf', {}, { compact: true })], 'malformed'],
    ['a nul', [good.replace(';info', '\0;info')], 'malformed'],
    ['padding', [good.replace('.', '=.')], 'malformed'],
    ['too long', [good + ';x='.padEnd(9000, 'x')], 'malformed'],
    ['two of them', [good, good], 'twice'],
    ['61 s old', [signed('leaf', { iat: iat - 62 })], 'stale'],
    ['61 s ahead', [signed('leaf', { iat: iat + 62 })], 'stale'],
    ['iat as text', [signed('leaf', {}, { payload: { iat: String(iat) } })], 'malformed'],
    ['another caller', [signed('leaf', { orig: '12025550124' })], 'caller'],
    ['another number', [signed('leaf', { dest: '12025550101' })], 'number'],
    ['a foreign host', [identityBy(leaf, { x5u: 'https://evil.example/leaf', ...told })], 'certificateHost'],
    ['http', [identityBy(leaf, { x5u: 'http://certs.example/leaf', ...told })], 'certificateHost'],
    [
      'a user before the host',
      [identityBy(leaf, { x5u: 'https://certs.example@evil.example/', ...told })],
      'certificateHost',
    ],
    [
      'another port',
      [identityBy(leaf, { x5u: 'https://certs.example:8443/leaf', ...told })],
      'certificateHost',
    ],
    ['a private address', [identityBy(leaf, { x5u: 'https://10.0.0.1/leaf', ...told })], 'certificateHost'],
    ['without the intermediate', [signed('bare')], 'chain'],
    ['issued by itself', [signed('stranger', {}, {}, stranger)], 'chain'],
    ['issued by what is no CA', [signed('underleaf', {}, {}, underLeaf)], 'chain'],
    ['the anchor itself', [signed('itself', {}, {}, root)], 'chain'],
    ['no certificate', [signed('nothing')], 'chain'],
    ['a broken TNAuthList', [signed('broken', {}, {}, broken)], 'chain'],
    ['P-384', [signed('wide', {}, {}, leaf)], 'curve'],
    ['for another number', [signed('other', {}, {}, other)], 'notItsNumber'],
  ];
  for (const [what, headers, why] of cases)
    t.same(await verify(headers), { attestation: 'failed', why }, what);
  t.same(
    await verify([signed('gone')]),
    { attestation: 'none', why: 'certificateUnreachable' },
    'that is nothing against the caller',
  );
  const year = 366 * 86_400;
  const later = signed('leaf', { iat: iat + year });
  t.same(await verify([later], NOW + year * 1000), { attestation: 'failed', why: 'certificateTime' });
  const before = fetched.length;
  await verify([signed('leaf', { orig: '12025550124' })]);
  t.equal(fetched.length, before, 'nothing is fetched for what fails anyway');
});

/** The header with another payload, and the signature as it was. */
function swapped(value: string, more: object): string {
  const [head = '', body = '', ...rest] = value.split('.');
  const payload = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  return [head, Buffer.from(JSON.stringify({ ...payload, ...more })).toString('base64url'), ...rest].join(
    '.',
  );
}

t.test('certificates come from where they may, small and in time, and are kept', async (t) => {
  const tls = signers.make('tls', { more: ['subjectAltName=IP:127.0.0.1,DNS:localhost'] });
  const asked: string[] = [];
  const web: Server = createServer({ key: tls.keyPem, cert: tls.pem }, (request, answer) => {
    asked.push(request.url ?? '');
    if (request.url === '/moved') answer.writeHead(302, { location: '/leaf' }).end();
    else if (request.url === '/huge') answer.end('x'.repeat(100_000));
    else if (request.url !== '/silent') answer.end(CHAINS['leaf']);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    web.closeAllConnections();
    web.close();
  });
  const at = (host: string, path: string): string =>
    `https://${host}:${String((web.address() as AddressInfo).port)}${path}`;
  await t.rejects(fetchText(at('127.0.0.1', '/leaf'), 2000), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  });
  t.equal(await fetchText(at('127.0.0.1', '/leaf'), 2000), CHAINS['leaf']);
  await t.rejects(fetchText(at('127.0.0.1', '/moved'), 2000), /status 302/);
  await t.rejects(fetchText(at('127.0.0.1', '/huge'), 2000), /too long/);
  await t.rejects(fetchText(at('127.0.0.1', '/silent'), 50), { code: 'ABORT_ERR' });
  await t.rejects(fetchText(at('localhost', '/leaf'), 2000), /inner address/, 'a name that leads inside');

  asked.length = 0;
  let now = NOW;
  const certificates = new Certificates({ anchors, fetch: fetchText, now: () => now });
  const url = at('127.0.0.1', '/leaf');
  const all = await Promise.all(Array.from({ length: 20 }, () => certificates.of(url, 2000)));
  t.ok(all.every((found) => typeof found === 'object'));
  await certificates.of(url, 0);
  t.same(asked, ['/leaf'], 'asked for once');
  now += 3_600_001;
  await certificates.of(url, 2000);
  t.equal(asked.length, 2, 'and again after an hour');
  const started = Date.now();
  t.equal(await certificates.of(at('127.0.0.1', '/silent'), 100), 'unreachable');
  t.ok(Date.now() - started < 1000, 'a call waits no longer than it may');
});

t.test("the carrier's own word", async (t) => {
  const of = (headers: Readonly<Record<string, string>>) => taken((name) => headers[name]);
  const passed = '<sip:+12025550123@h;verstat=TN-Validation-Passed>';
  for (const [headers, want] of [
    [{ 'P-Asserted-Identity': '<tel:+12025550123;verstat=TN-Validation-Passed-B>' }, { attestation: 'B' }],
    [{ From: '<sip:+12025550123;verstat=TN-Validation-Passed-A@h;user=phone>;tag=1' }, { attestation: 'A' }],
    [{ From: passed }, { attestation: 'C' }],
    [{ From: passed, 'Attestation-Info': 'A' }, { attestation: 'A' }],
    [{ From: passed, 'P-Attestation-Indicator': 'b' }, { attestation: 'B' }],
    [{ From: '<sip:1@h>;verstat=TN-Validation-Failed' }, { attestation: 'failed', why: 'verstat' }],
    [{ From: '<sip:1@h>;verstat=No-TN-Validation' }, { attestation: 'none' }],
    [{ From: '"x;verstat=TN-Validation-Passed-A" <sip:1@h>' }, { attestation: 'none' }],
    [{}, { attestation: 'none' }],
  ] as const)
    t.same(of(headers), want, JSON.stringify(headers));
  const attesting = new Attesting(undefined);
  const request = { raw: '', header: () => passed };
  t.same(
    await attesting.of(request, {}, undefined, '+12025550100'),
    { attestation: 'none' },
    'of a trunk that does not',
  );
  t.same(await attesting.of(request, { attestation: 'verstat' }, undefined, '+12025550100'), {
    attestation: 'C',
  });
  t.same(await attesting.of(request, { attestation: 'verify' }, undefined, '+12025550100'), {
    attestation: 'none',
    why: 'noAnchors',
  });
});

t.test('nothing that comes in throws', async (t) => {
  t.same(
    headerValues('INVITE x SIP/2.0\r\nIdentity: a\r\n  b\r\ny : c\r\n\r\nIdentity: d', 'identity', 'y'),
    ['a b', 'c'],
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 200 }), (text, bytes) => {
      readPassport(text, message);
      readPassport(`${text}.${text}.${text};info=<${text}>`, message);
      headerValues(text, 'identity');
      taken(() => text);
      const oid = Buffer.from('06082b0601050507011a', 'hex');
      const found = telephoneNumbers(Buffer.concat([oid, bytes]));
      const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes).toString('base64')}\n-----END CERTIFICATE-----`;
      return found !== undefined && typeof signerOf(pem, anchors) === 'string';
    }),
    { numRuns: 300 },
  );
});
