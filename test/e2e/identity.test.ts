/** Who calls, what the callee sees of it, and what is believed of it, by real calls. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { Agent, type AgentCall } from '../standalone/media-agent.js';
import { identityBy, Signers, type Certified } from '../support/signers.js';
import { finalOf } from './ends.js';
import { System, type Record_ } from './system.js';

t.setTimeout(120_000);

let system: System;
let caller: Agent;
let desk: Agent;
let web: Server;
let signer: Certified;
let x5u = '';

t.before(async () => {
  const signers = new Signers();
  const root = signers.make('root', { ca: true });
  signer = signers.make('signer', { issuer: root });
  const tls = signers.make('tls', { more: ['subjectAltName=IP:127.0.0.1'] });
  web = createServer({ key: tls.keyPem, cert: tls.pem }, (_, answer) => answer.end(signer.pem));
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${String((web.address() as AddressInfo).port)}`;
  x5u = `https://${host}/signer.pem`;
  writeFileSync(join(signers.folder, 'tls.pem'), tls.pem);
  process.env['NODE_EXTRA_CA_CERTS'] = join(signers.folder, 'tls.pem');
  [caller, desk] = await Promise.all([
    Agent.start(),
    Agent.start((call) => {
      call.reply(180);
      call.reply(200, '0 101');
    }),
  ]);
  const to = `destinations: ['sip:agent@127.0.0.1:${String(desk.sip.port)}']`;
  const gateway = `127.0.0.1:${String(desk.sip.port)}`;
  const endpoints: Record<string, string> = {
    own: to,
    dialled: `${to}, callerShown: dialled`,
    fixed: `${to}, callerShown: '+12025550150'`,
    hidden: `${to}, callerShown: anonymous`,
    abroad: "destinations: [{to: '+441632960123', trunks: [national]}]",
    signed: `${to}, routes: [{attestations: [A], endpoint: dialled}, {attestations: [failed], endpoint: hidden}]`,
  };
  const numbers = Object.keys(endpoints).map(
    (name, at) =>
      `      - {name: ${name}, numbers: ['+1202555010${String(at)}'], trunk: carrier, defaultEndpoint: ${name}}`,
  );
  system = await System.start(
    [
      '    trunks:',
      "      - {name: carrier, addresses: [127.0.0.1/32], assertedIdentity: true, attestation: verify, incoming: [{prefix: '00', becomes: '+'}]}",
      `      - {name: national, gateway: '${gateway}', techPrefix: '77#', outgoing: [{prefix: '+44', becomes: '0'}, {prefix: '+', becomes: '00'}]}`,
      "    sites: [{name: site, origins: [self], printedNumber: '+12125550150'}]",
      '    endpoints:',
      ...Object.entries(endpoints).map(([name, text]) => `      - {name: ${name}, ${text}}`),
      '    pools:',
      ...numbers,
      "      - {name: spare, numbers: ['+12025550150'], trunk: carrier}",
      '',
    ].join('\n'),
    'debug',
    { TAGSWITCH_STIR_ANCHORS: join(signers.folder, 'root.pem'), TAGSWITCH_STIR_HOSTS: host },
  );
});

t.teardown(async () => {
  await system.stop();
  web.close();
  await Promise.all([caller, desk].map((agent) => agent.close()));
});

type Headers = Parameters<Agent['call']>[2];

/** One call: its record, and its INVITE as the callee got it. */
async function called(
  dialled: string,
  headers: Headers = [],
): Promise<{ record: Record_; seen: AgentCall['invite'] }> {
  const before = desk.calls.length;
  const known = new Set((await system.records()).map(({ id }) => id));
  const call = await caller.call(system.sip, dialled, headers);
  t.equal(await finalOf(call), 200);
  await call.send('BYE');
  const seen = desk.calls[before]?.invite;
  if (seen === undefined) throw new Error('the callee saw nothing');
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    const record = (await system.records()).find((one) => !known.has(one.id) && one.result !== null);
    if (record !== undefined) return { record, seen };
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error('no record');
}

const fromOf = (invite: AgentCall['invite']): string =>
  /sip:([^@>]*)@/.exec(invite.get('From') ?? '')?.[1] ?? '';

t.test('which number the callee sees is the endpoint’s to say', async (t) => {
  for (const [number, shown] of [
    ['+12025550100', '+12025550123'],
    ['+12025550101', '+12025550101'],
    ['+12025550102', '+12025550150'],
    ['+12025550103', 'anonymous'],
  ] as const) {
    const { seen, record } = await called(number);
    t.equal(fromOf(seen), shown, number);
    t.equal(record.caller, '+12025550123', 'the record has the caller');
    t.equal(seen.get('Privacy'), shown === 'anonymous' ? 'id' : undefined);
  }
});

t.test('a caller who does not want to be known is nobody', async (t) => {
  const headers: Headers = [
    ['P-Asserted-Identity', '<sip:+12025550124@carrier.example>'],
    ['Privacy', 'id'],
  ];
  const { seen, record } = await called('+12025550100', headers);
  t.equal(fromOf(seen), 'anonymous');
  t.equal(seen.get('Privacy'), 'id');
  t.notMatch(seen.toBuffer().toString(), /5550124/, 'nowhere in the message');
  t.equal(record.caller, null);
});

t.test('numbers are read and written as the trunks have them', async (t) => {
  caller.number = '00441632960199';
  t.teardown(() => {
    caller.number = '+12025550123';
  });
  const { seen, record } = await called('0012025550104');
  t.equal(record.number, '+12025550104');
  t.equal(record.caller, '+441632960199');
  t.match(seen.uri, /^sip:77%2301632960123@/);
  t.equal(fromOf(seen), '01632960199');
});

t.test('who diverted the call goes on, and into the record', async (t) => {
  const diversion = '<sip:+12025550160@pbx.example>;reason=unconditional;counter=1';
  const history =
    '<sip:+12025550161@pbx.example>;index=1, <sip:+12025550100@pbx.example;cause=302>;index=1.1';
  const one = await called('+12025550100', [['Diversion', diversion]]);
  t.equal(one.seen.get('Diversion'), diversion);
  t.equal(one.record.diverting, '+12025550160');
  const other = await called('+12025550100', [['History-Info', history]]);
  t.equal(other.seen.get('History-Info'), history);
  t.equal(other.record.diverting, '+12025550161');
  const evil = await called('+12025550100', [['Diversion', '<sip:${hangup_now()}@h>;x="${uuid}"']]);
  t.equal(evil.seen.get('Diversion'), undefined, 'what FreeSWITCH would expand does not go on');
});

t.test('a signature is verified, recorded, routed by and passed on', async (t) => {
  const iat = Math.floor(Date.now() / 1000);
  const told = { x5u, orig: '12025550123', dest: '12025550105', iat };
  const good = identityBy(signer, told);
  const first = await called('+12025550105', [['Identity', good]]);
  t.match(first.record, { attestation: 'A', attestationWhy: null });
  t.equal(fromOf(first.seen), '+12025550105', 'routed by it');
  t.equal(first.seen.get('Identity'), good);
  t.equal(first.seen.getAll('Identity').length, 1);
  const other = await called('+12025550105', [
    ['Identity', identityBy(signer, { ...told, orig: '12025550124' })],
  ]);
  t.match(other.record, { attestation: 'failed', attestationWhy: 'caller' });
  t.equal(fromOf(other.seen), 'anonymous', 'routed by it');
  const none = await called('+12025550105');
  t.match(none.record, { attestation: 'none', attestationWhy: null });
});
