/** The application's SIP rooms behind a control port of the test's own: what comes in is what a test says, what leaves is kept. */
import type { Test } from 'tap';
import type { CallEvent } from '../../src/calls/events.js';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import type { Account, Trunk } from '../../src/directory/model.js';
import { Attesting } from '../../src/sip/attesting.js';
import { CallRouting } from '../../src/sip/call-routing.js';
import { CallerIdentity } from '../../src/sip/caller-identity.js';
import { DrachtioConnection } from '../../src/sip/drachtio.js';
import { InboundCalls } from '../../src/sip/inbound.js';
import { LegAdmission } from '../../src/sip/leg-admission.js';
import { OutboundLegs } from '../../src/sip/outbound.js';
import { Switchboard } from '../../src/sip/switchboard.js';
import { TrunkHealth } from '../../src/sip/trunk-health.js';
import { TrunkRates } from '../../src/sip/trunk-rates.js';
import { ControlPort } from '../sip/control-port.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';

export const NUMBER = '+12025550100';
export const NODE = '192.0.2.9';
export const LEG_KEY = Buffer.alloc(32, 7);
const TRUNK: Trunk = {
  id: 'trk_0000000000000000', name: 'carrier', serial: 1, addresses: ['192.0.2.1/32'], transport: 'udp',
  gateway: 'sip.example.com:5060', assertedIdentity: true, attestation: 'verify',
}; // prettier-ignore
const ACCOUNT: Account = {
  id: 'acc_0000000000000000', name: 'acme', timeZone: 'UTC', apiKeys: [], sites: [], trunks: [TRUNK],
  endpoints: [
    {
      id: 'end_0000000000000000', name: 'sales', whisper: 'tone', maxCallMs: 60_000,
      ring: [{ ringMs: 20_000, destinations: [{ serial: 2, to: 'sip:agent@192.0.2.20:5060', trunks: [] }, { serial: 3, to: '+12025550160', trunks: [TRUNK.id] }] }],
    },
  ],
  pools: [{ id: 'pool_0000000000000000', name: 'main', numbers: [{ first: NUMBER, last: NUMBER }], defaultEndpoint: 'end_0000000000000000' }],
}; // prettier-ignore

/** What the application did with a request. */
export interface Outcome {
  /** Of its answer; undefined where it was proxied. */
  readonly status: number | undefined;
  /** The whole frame that it sent. */
  readonly frame: string;
}

export async function application(t: Test) {
  const port = new ControlPort();
  const log = keepingLogger();
  const events: CallEvent[] = [];
  const admission = { admit: async () => undefined };
  const directory = new DirectoryIndex({
    apiVersion: 'tagswitch/v1',
    version: 1,
    nextSerial: 4,
    accounts: [ACCOUNT],
  });
  const nodes = {
    choose: () => ({ name: `${NODE}:8021`, sip: `${NODE}:5180` }),
    isNode: (address: string) => address === NODE,
    callBack: () => undefined,
    ringOut: () => undefined,
  };
  const now = () => Date.now();
  const trunkHealth = new TrunkHealth(now, log);
  const both = { directory: () => directory, legKey: LEG_KEY, trunkHealth, now, log };
  const inbound = new InboundCalls({
    ...both,
    nodes,
    resolver: {
      resolve: async ({ defaultEndpoint = '' }) => ({
        level: 'none',
        late: false,
        why: 'poolDefault',
        endpoint: defaultEndpoint,
      }),
      remember: async () => undefined,
    },
    rates: new TrunkRates(),
    routing: new CallRouting(admission),
    identity: new CallerIdentity({ seal: () => 'sealed', hash: () => 'hash' }),
    attesting: new Attesting({ isAllowed: () => false, certificate: async () => 'unreachable', now }),
    append: (event) => void events.push(event),
    expectDirect: () => undefined,
    refused: () => undefined,
    switchAddress: '192.0.2.5:5060',
    transport: () => 'udp',
    decided: () => undefined,
    isTest: () => false,
  });
  const switchboard = new Switchboard({
    directory: () => directory,
    nodes,
    inbound,
    outbound: new OutboundLegs({ ...both, admission: new LegAdmission(admission) }),
    switchAddress: '192.0.2.5:5060',
    pressed: () => false,
    refused: () => undefined,
    log,
  });
  const drachtio = new DrachtioConnection(
    { host: '127.0.0.1', port: await port.listen(), secret: 'not to be told' },
    { invite: switchboard.invite, other: switchboard.other, dialog: () => undefined },
    log,
  );
  t.teardown(async () => {
    drachtio.close();
    await port.close();
  });
  await drachtio.ready(5000);
  drachtio.followDialogs();
  await until(() => port.frames.filter((frame) => frame.includes('|route|')).length >= 12);
  let last = 0;
  return {
    port,
    log,
    events,
    /** Hands the application a request as drachtio-server does, and waits for what it does with it. */
    give: async (sip: string, from = '192.0.2.1'): Promise<Outcome> => {
      const txn = `txn-${String((last += 1))}`;
      const leader = `id-${txn}|sip|network|${String(Buffer.byteLength(sip))}|udp|${from}|5060|10:00:00.000000|${txn}||127.0.0.1|5060|`;
      const frame = await new Promise<string>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`nothing came of ${JSON.stringify(sip)}`));
        }, 10_000);
        port.onFrame = (its) => {
          if (its.split('|', 3)[2] !== txn) return;
          clearTimeout(timer);
          resolve(its);
        };
        port.push(`${leader}\r\n${sip}`);
      });
      const status = /\r\nSIP\/2\.0 (\d{3}) /.exec(frame)?.[1];
      if (frame.split('|')[1] === 'proxy') port.push(`r|response|${frame.split('|')[0] ?? ''}|OK|done`);
      return { status: status === undefined ? undefined : Number(status), frame };
    },
    /** Still there, and on the one connection that it made. */
    isWell: () => drachtio.up && port.sockets.length === 1,
  };
}
