/**
 * What is heard: digits that a caller sends as RTP events and by INFO, and codecs that differ; sipp is the carrier, and the
 * callee is an end of our own that keeps every packet. The last ones are calls that must not go round, and OPTIONS.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Agent, type AgentCall } from '../standalone/media-agent.js';
import { sipp } from '../standalone/support/sipp.js';
import { declarationOf, numbersOf, type EndpointOf } from './declaration.js';
import { finalOf } from './ends.js';
import { audio, CarrierSteps, media, pause, response, scenarioXml, type Step } from './signalling/steps.js';
import { onRealServers, System } from './system.js';

t.setTimeout(240_000);

const folder = mkdtempSync(join(tmpdir(), 'tagswitch-sipp-'));
let system: System;
let events: Agent;
let plain: Agent;
let caller: Agent;

t.before(async () => {
  const answering = (formats: string) => (call: AgentCall) => {
    call.reply(180);
    call.reply(200, formats);
  };
  events = await Agent.start(answering('0 101'));
  plain = await Agent.start(answering('0'));
  caller = await Agent.start();
  system = await System.start(declarationOf(endpoints()));
});

t.teardown(async () => {
  await system.stop();
  for (const agent of [events, plain, caller]) await agent.close();
  rmSync(folder, { recursive: true, force: true });
});

function endpoints(loop?: string): EndpointOf[] {
  const at = (agent: Agent): string => `sip:agent@127.0.0.1:${String(agent.sip.port)}`;
  return [
    { name: 'events', ring: [[at(events)]] },
    { name: 'plain', ring: [[at(plain)]] },
    { name: 'round', ring: [[loop ?? at(plain)]] },
  ];
}

/** One call of sipp's to the number of endpoint `index`. @returns the callee's leg, where there is one */
async function carried(
  t: Test,
  name: string,
  index: number,
  steps: (c: CarrierSteps) => readonly Step[],
  callee?: Agent,
): Promise<AgentCall | undefined> {
  const before = callee?.calls.length ?? 0;
  writeFileSync(
    join(folder, `${name}.xml`),
    scenarioXml(name, steps(new CarrierSteps(numbersOf(index).first))),
  );
  const run = await sipp(name, 'udp', {
    to: system.settings.sip.port,
    calls: 1,
    seconds: 20,
    folder,
    patient: true,
  });
  const { code, errors } = await run.ended;
  t.equal(code, 0, `${name}: the carrier's end`);
  if (code !== 0) t.comment(errors);
  return callee?.calls[before];
}

/** The digits of the RTP events (RFC 4733) that came, each once: the packets of one event have one time stamp. */
function digitsAt(leg: AgentCall, payloadType: number): string {
  const seen = new Map<number, string>();
  for (const packet of leg.media.received)
    if (((packet[1] ?? 0) & 0x7f) === payloadType)
      seen.set(packet.readUInt32BE(4), '0123456789*#ABCD'[packet[12] ?? 16] ?? '?');
  return [...seen.values()].join('');
}

/** What sipp calls telephone-event is payload type 96. */
const offer = audio('0 96', 'rtpmap:96 telephone-event/8000', 'fmtp:96 0-15');

t.test('dtmf-by-rfc4733: the callee gets the digits as RTP events', async (t) => {
  const leg = await carried(
    t,
    'dtmf-by-rfc4733',
    0,
    (c) => [...c.answered({ sdp: offer }), pause(300), media('play_dtmf="159#"'), pause(3000), ...c.bye()],
    events,
  );
  t.equal(leg === undefined ? undefined : digitsAt(leg, 101), '159#');
});

t.test('dtmf-by-info: the INFO is answered; FreeSWITCH makes RTP events of it', async (t) => {
  const digit = (c: CarrierSteps, sequence: number, signal: string): Step[] => [
    c.send('INFO', sequence, { body: ['application/dtmf-relay', `Signal=${signal}\nDuration=160`] }),
    response(200),
    pause(400),
  ];
  const leg = await carried(
    t,
    'dtmf-by-info',
    0,
    (c) => [
      ...c.answered({ sdp: offer }),
      pause(300),
      ...digit(c, 2, '5'),
      ...digit(c, 3, '#'),
      pause(1000),
      ...c.bye(4),
    ],
    events,
  );
  if (leg === undefined) throw new Error('no leg');
  // The standalone media server says so in its list: digits go on as RTP events or not at all.
  t.equal(digitsAt(leg, 101), onRealServers ? '5#' : '');
});

t.test('codecs that differ are transcoded by FreeSWITCH, and refused by the standalone node', async (t) => {
  // A tone of 1 kHz in A-law: the eight samples of one turn, over and over.
  const turn = [0xd5, 0xbf, 0xaa, 0xbf, 0xd5, 0x3f, 0x2a, 0x3f];
  const tone = join(folder, 'tone.alaw');
  writeFileSync(tone, Buffer.from(Array.from({ length: 16_000 }, (_, at) => turn[at % 8] ?? 0)));
  const sdp = audio('8');
  if (!onRealServers) {
    await carried(t, 'codecs-differ', 1, (c) => c.refused(488, { sdp }), plain);
    return;
  }
  const leg = await carried(
    t,
    'codecs-differ',
    1,
    (c) => [...c.answered({ sdp }), media(`rtp_stream="${tone},-1,8"`), pause(1500), ...c.bye()],
    plain,
  );
  const heard = (leg?.media.received ?? []).filter((packet) => ((packet[1] ?? 0) & 0x7f) === 0);
  t.ok(heard.length > 30, `${String(heard.length)} packets of PCMU`);
  const loud = heard.filter((packet) => {
    const powers = [1, 2].map((turns) => power(packet.subarray(12), turns * 1000));
    return (powers[0] ?? 0) > 20 * (powers[1] ?? 0) && (powers[0] ?? 0) > 1e5;
  });
  t.ok(loud.length > 20, `the tone of 1 kHz is in ${String(loud.length)} of them`);
});

/** The power of `hertz` in a packet of PCMU at 8 kHz, by Goertzel. */
function power(payload: Buffer, hertz: number): number {
  const factor = 2 * Math.cos((2 * Math.PI * hertz) / 8000);
  let [one, two] = [0, 0];
  for (const byte of payload) {
    const bits = ~byte & 0xff;
    const size = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
    [one, two] = [(bits & 0x80 ? -size : size) + factor * one - two, one];
  }
  return (one * one + two * two - factor * one * two) / payload.length;
}

t.test('options-without-redis: OPTIONS is answered while Redis hangs', async (t) => {
  system.signal('redis-server', 'SIGSTOP');
  t.teardown(() => system.signal('redis-server', 'SIGCONT'));
  await carried(t, 'options-without-redis', 0, (c) => [c.outside('OPTIONS'), response(200)]);
  system.signal('redis-server', 'SIGCONT');
});

t.test('loop: an endpoint whose destination is its own number on this switch', async (t) => {
  const { first } = numbersOf(2);
  await system.follow(declarationOf(endpoints(`sip:${first}@${system.sip}`)));
  const call = await caller.call(system.sip, first);
  t.equal(await finalOf(call), 480, 'nobody can be reached');
  t.match(
    await system.record(first),
    { result: 'failed' },
    'one call, and one record: it went round no second time',
  );
});
