/**
 * The main job with TLS throughout: carriers, media node, application's legs. On the real servers alone, which this suite
 * starts with certificates of its own; the standalone ones do not speak TLS, and say so.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { TlsIdentity } from '../../src/standalone/sip/flow.js';
import { Agent } from '../standalone/media-agent.js';
import { Signers } from '../support/signers.js';
import { declarationOf } from './declaration.js';
import { callOver, finalOf } from './ends.js';
import { System } from './system.js';

t.setTimeout(120_000);

const HOST = '127.0.0.1';
const SIP_PORT = 5061;
/** A number whose calls leave by two trunks. */
const FAR = '+13125550199';
const drachtio = process.env['TAGSWITCH_TEST_DRACHTIO_COMMAND'];
const canSpeakTls = drachtio !== undefined && process.env['TAGSWITCH_TEST_FREESWITCH_COMMAND'] !== undefined;

const signers = new Signers();
const authority = signers.make('Tests', { ca: true });
const stranger = signers.make('Stranger', { ca: true });

function identity(name: string, issuer = authority): TlsIdentity {
  const { pem, keyPem } = signers.make(name, {
    issuer,
    more: [`subjectAltName=IP:${HOST}`, 'extendedKeyUsage=serverAuth,clientAuth'],
  });
  return { cert: pem, key: keyPem, ca: authority.pem };
}

/** The commands of the servers' environment, with TLS in place of what they would listen on. */
function setUpTls(command: string): void {
  const { cert, key, ca } = identity('switch');
  const node = identity('node');
  const file = (name: string, text: string): string => {
    const path = join(signers.folder, name);
    writeFileSync(path, text);
    return path;
  };
  file('agent.pem', node.cert + node.key);
  file('cafile.pem', node.ca);
  const options = [
    `--contact 'sips:${HOST}:${String(SIP_PORT)};transport=tls'`,
    `--key-file ${file('switch.key', key)}`,
    `--cert-file ${file('switch.pem', cert)}`,
    `--chain-file ${file('ca.pem', ca)}`,
  ];
  Object.assign(process.env, {
    TAGSWITCH_TEST_DRACHTIO_COMMAND: command
      .replaceAll(/--contact '[^']*'/g, '')
      .replace('>', `${options.join(' ')} >`),
    DRACHTIO_TLS_VERIFY_CLIENT_CERT: '1',
    TAGSWITCH_SIP: `${HOST}:${String(SIP_PORT)}`,
    TAGSWITCH_NODE_SWITCH_PATTERN: `127[.]0[.]0[.]1:${String(SIP_PORT)}`,
    TAGSWITCH_NODE_TLS: 'true',
    TAGSWITCH_NODE_TLS_FOLDER: signers.folder,
  });
}

t.test('calls over TLS', async (t) => {
  if (!canSpeakTls) {
    const declaration = declarationOf([{ name: 'answers', ring: [[`sip:agent@${HOST}:5070`]] }], 'tls');
    const system = await System.start(
      declarationOf([{ name: 'answers', ring: [[`sip:agent@${HOST}:5070`]] }]),
    );
    t.teardown(() => system.stop());
    await t.rejects(system.apply(declaration), 'apply refuses TLS where the servers cannot speak it');
    return;
  }
  setUpTls(drachtio);
  const answer = (call: Agent['calls'][number]): void => {
    call.reply(180);
    call.reply(200, '0 101');
  };
  const callee = await Agent.start(answer, identity('callee'));
  const impostor = await Agent.start(answer, identity('impostor', stranger));
  const caller = await Agent.start(undefined, identity('caller'));
  const at = (agent: Agent): string => `sip:agent@${HOST}:${String(agent.sip.port)}`;
  const declared = declarationOf(
    [
      { name: 'answers', ring: [[at(callee)]] },
      { name: 'elsewhere', ring: [[at(impostor)]] },
    ],
    'tls',
  );
  const gateway = (agent: Agent): string => `gateway: '${HOST}:${String(agent.sip.port)}', transport: tls`;
  const system = await System.start(
    [
      declared.slice(0, declared.indexOf('    sites:')),
      `      - {name: impostor, ${gateway(impostor)}}\n      - {name: second, ${gateway(callee)}}\n`,
      declared.slice(declared.indexOf('    sites:'), declared.indexOf('    pools:')),
      "      - {name: far, destinations: [{to: '+12125550123', trunks: [impostor, second]}]}\n",
      declared.slice(declared.indexOf('    pools:')),
      `      - {name: far, numbers: ['${FAR}'], trunk: carrier, defaultEndpoint: far}\n`,
    ].join(''),
  );
  t.teardown(async () => {
    await system.stop();
    await Promise.all([callee, impostor, caller].map((agent) => agent.close()));
  });

  await t.test('is bridged, recorded, and every far end is told a way back over TLS', (t) =>
    callOver(t, { system, caller, callee }, 'tls'),
  );

  await t.test('who cannot prove that he is the callee hears nothing of the call', async (t) => {
    const link = await system.allocate('elsewhere', 'session-2');
    const call = await caller.call(system.sip, link.number, [], undefined, 'tls');
    t.equal(await finalOf(call, 20_000), 480);
    t.equal(impostor.calls.length, 0);
    t.match(await system.record(link.number), { result: 'failed', fault: 'carrier' });
  });

  await t.test('the next trunk has its turn where a gateway cannot prove who it is', async (t) => {
    const before = callee.calls.length;
    const call = await caller.call(system.sip, FAR, [], undefined, 'tls');
    t.equal(await finalOf(call, 20_000), 200);
    t.equal(impostor.calls.length, 0);
    t.match(
      callee.calls[before]?.invite.uri.toString(),
      /^sip:\+12125550123@127\.0\.0\.1:\d+;transport=tls$/,
    );
    t.equal((await call.send('BYE')).status, 200);
    t.match(await system.record(FAR), { result: 'answered' });
  });

  await t.test('who cannot prove who he is cannot call', async (t) => {
    const before = await system.records();
    const call = await impostor.call(system.sip, '+12025550100', [], undefined, 'tls');
    t.equal(call.statuses.length, 0);
    await t.rejects(finalOf(call, 1500));
    t.equal((await system.records()).length, before.length);
  });
});
