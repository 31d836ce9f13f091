/**
 * The main job on the whole switch, two far ends of our own around it:
 *
 *   caller          switch (SIP server, application, media node)          callee
 *     | INVITE number --> screening, resolve, plan --> bridge --> leg --> |
 *     | <------------------------- 180, 200 ------------------------------|
 *     | <======== audio of each in the other's ears, sample by sample ====>|
 *
 * The same cases run on the real drachtio-server and FreeSWITCH (see system.ts).
 */
import t, { type Test } from 'tap';
import { connect } from 'node:net';
import { createSocket } from 'node:dgram';
import { until as untilTrue } from '../support/until.js';
import { Agent, until, type AgentCall } from '../standalone/media-agent.js';
import { declarationOf, numbersOf, type EndpointOf } from './declaration.js';
import { finalOf } from './ends.js';
import { System } from './system.js';

/** How a callee behaves, by the name of its endpoint. */
const callees: Record<string, (call: AgentCall) => void> = {
  answers: (call) => {
    call.reply(180);
    call.reply(200, '0 101');
  },
  rings: (call) => call.reply(180),
  busy: (call) => call.reply(486),
  declines: (call) => call.reply(603),
  unknown: (call) => call.reply(404),
  broken: (call) => call.reply(500),
  codecs: (call) => call.reply(488),
  slow: (call) => {
    // Longer than a silent node is given: the callee is only slow to ring.
    setTimeout(() => call.reply(180), 2600);
    setTimeout(() => call.reply(200, '0 101'), 2900);
  },
  early: (call) => call.reply(183, '0 101'),
  moves: (call) => call.reply(302, undefined, [['Contact', '<sip:elsewhere@127.0.0.1:9>']]),
};

const agents: Record<string, Agent> = {};
const index: Record<string, number> = {};
let system: System;
let caller: Agent;

const agentOf = (name: string): Agent => {
  const agent = agents[name];
  if (agent === undefined) throw new Error(`no agent ${name}`);
  return agent;
};
const uriOf = (name: string): string => `sip:agent@127.0.0.1:${String(agentOf(name).sip.port)}`;
/** A number of the endpoint's pool that no other test uses. */
const used: Record<string, number> = {};
const numberOf = (name: string): string => {
  const at = (used[name] ?? 99) - 1;
  used[name] = at;
  const { first } = numbersOf(index[name] ?? 0);
  return `+${String(Number(first.slice(1)) + at)}`;
};

t.setTimeout(240_000);

t.before(async () => {
  for (const [name, behave] of Object.entries(callees)) agents[name] = await Agent.start(behave);
  caller = await Agent.start();
  const endpoints: EndpointOf[] = [
    ...Object.keys(callees).map((name) => ({
      name,
      ring: [[uriOf(name)]],
      ringMs: name === 'rings' ? 2000 : 20_000,
    })),
    { name: 'nobody', ring: [['sip:agent@127.0.0.1:9']] },
    { name: 'together', ring: [[uriOf('rings'), uriOf('slow'), uriOf('busy')]] },
    { name: 'in-turn', ring: [[uriOf('busy')], [uriOf('answers')]] },
    { name: 'media-and-answer', ring: [[uriOf('early'), uriOf('slow')]] },
    { name: 'moved', ring: [[uriOf('moves')]] },
    { name: 'whisper', ring: [[uriOf('answers')]], whisper: 'tone' },
    { name: 'unheld', ring: [[uriOf('answers')]], answersUnheld: false },
    {
      name: 'ten',
      ring: [
        Array.from({ length: 9 }, (_, at) => uriOf('rings').replace('agent', `agent${String(at)}`)).concat(
          uriOf('answers'),
        ),
      ],
    },
  ];
  endpoints.forEach(({ name }, at) => (index[name] = at));
  system = await System.start(declarationOf(endpoints));
});

t.teardown(async () => {
  await system.stop();
  for (const agent of [caller, ...Object.values(agents)]) await agent.close();
});

/** Calls `number` as the carrier does. */
const dial = async (number: string): Promise<AgentCall> => caller.call(system.sip, number);
/** The callee's leg of this test's call: the newest that its agent has. */
const legOf = async (name: string, before: number): Promise<AgentCall> => {
  const { calls } = agentOf(name);
  await until(() => calls.length > before, `an INVITE at ${name}`);
  const leg = calls[before];
  if (leg === undefined) throw new Error('no leg');
  return leg;
};

async function talk(t: Test, a: AgentCall, b: AgentCall, count = 25): Promise<void> {
  a.media.received.length = b.media.received.length = 0;
  const [fromA, fromB]: [Buffer[], Buffer[]] = [[], []];
  for (let n = 0; n < count; n += 1) {
    fromA.push(a.media.send(0, 11));
    fromB.push(b.media.send(0, 77));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const samples = (packets: readonly Buffer[]): Buffer =>
    Buffer.concat(packets.map((packet) => packet.subarray(12)));
  // A media node may hold back the packets at either end of a stream, never change or mix one.
  const heard = async (at: AgentCall, sent: readonly Buffer[], who: string): Promise<void> => {
    const whole = samples(sent);
    await until(() => at.media.received.length >= count - 8, `the audio at ${who}`);
    const got = samples(
      at.media.received.filter((packet) => (packet[1] ?? 0) === 0 || (packet[1] ?? 0) === 128),
    );
    const found = sent.filter((packet) => got.includes(packet.subarray(12))).length;
    t.ok(found >= count - 8, `${who} heard ${String(found)} of ${String(count)} packets, unchanged`);
    t.ok(whole.length > 0 && !got.equals(Buffer.alloc(got.length)), 'and it is no silence');
  };
  await heard(b, fromA, 'callee');
  await heard(a, fromB, 'caller');
  t.notOk(
    samples(b.media.received).includes(fromB[count - 1]?.subarray(12) ?? 'x'),
    'the callee does not hear himself',
  );
}

/** Whether something takes `transport` at the host and port of a SIP URI in angle brackets. */
async function reachable(header: string): Promise<boolean> {
  const [, host = '', port = '5060'] = /<sips?:(?:[^@>]*@)?([0-9.]+)(?::([0-9]+))?/.exec(header) ?? [];
  if (/transport=tcp/i.test(header)) {
    return new Promise((resolve) => {
      const socket = connect(Number(port), host, () => {
        socket.destroy();
        resolve(true);
      }).once('error', () => resolve(false));
    });
  }
  // A SIP server on UDP answers OPTIONS, whatever it says; a closed port answers nothing.
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const answered = new Promise<boolean>((resolve) => {
    socket.once('message', () => resolve(true));
    setTimeout(() => resolve(false), 2000).unref();
  });
  const own = `127.0.0.1:${String(socket.address().port)}`;
  socket.send(
    `OPTIONS sip:${host}:${port} SIP/2.0\r\nVia: SIP/2.0/UDP ${own};branch=z9hG4bKreach${String(Math.random()).slice(2)};rport\r\nFrom: <sip:t@${own}>;tag=1\r\nTo: <sip:${host}:${port}>\r\nCall-ID: reach-${String(Math.random())}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n`,
    Number(port),
    host,
  );
  const result = await answered;
  socket.close();
  return result;
}

t.test('a page view gets a number, and its call is bridged, heard both ways, and recorded', async (t) => {
  const link = await system.allocate('answers', 'session-1', {
    visitor: 'visitor-1',
    touch: { source: 'news', medium: 'email' },
  });
  t.equal(link.level, 'session');
  const before = agentOf('answers').calls.length;
  const sentAt = Date.now();
  const call = await dial(link.number);
  t.equal(await finalOf(call), 200);
  const leg = await legOf('answers', before);
  t.ok(call.statuses.includes(180), 'the caller heard ringing');
  await talk(t, call, leg);

  await t.test('what the far ends were given can be reached over its own transport', async (t) => {
    for (const header of [
      ...call.last.getAll('Record-Route'),
      call.last.get('Contact') ?? '',
      ...leg.invite.getAll('Record-Route'),
      leg.invite.get('Contact') ?? '',
    ]) {
      t.ok(await reachable(header), header);
      t.notMatch(header, /transport=tcp/, 'UDP in, UDP out');
    }
    t.notMatch(leg.invite.toString(), /x-tagswitch/i, 'nothing of the plan goes on to the callee');
    t.match(leg.invite.get('From') ?? '', /\+12025550123/, 'the callee sees the caller');
  });

  // A step lies between what caused it at one end and what the other end saw of it, however busy the machine is.
  const within = (what: string, told: string | null, from: number, until: number): void => {
    const at = Date.parse(told ?? '');
    const off = Math.max(from - at, at - until);
    t.ok(off <= 50, `${what}: ${String(off)} ms outside of what the ends saw`);
  };
  await untilTrue(async () => typeof (await system.records(link.number))[0]?.answeredAt === 'string');
  const [soFar] = await system.records(link.number);
  t.match(soFar, { result: null, endedAt: null, media: 'bridged' });
  within('answeredAt, while it is up', soFar?.answeredAt ?? null, leg.seenAt(200), call.seenAt(200));

  const byeAt = Date.now();
  const bye = await call.send('BYE');
  t.equal(bye.status, 200);
  await until(() => leg.bye !== undefined, 'BYE at the callee');
  const endedAt = Date.now();
  const record = await system.record(link.number);
  t.match(record, {
    number: link.number,
    caller: '+12025550123',
    session: 'session-1',
    visitor: 'visitor-1',
    link: link.link,
    level: 'session',
    late: false,
    why: 'linked',
    test: false,
    result: 'answered',
    fault: 'caller',
    reason: { status: 200, q850: 16 },
    destination: uriOf('answers'),
    media: 'bridged',
  });
  within('startedAt', record.startedAt, sentAt, call.seenAt(180));
  within('ringingAt', record.ringingAt, sentAt, call.seenAt(180));
  within('answeredAt', record.answeredAt, leg.seenAt(200), call.seenAt(200));
  within('endedAt', record.endedAt, byeAt, endedAt);
  t.equal(record.talkMs, Date.parse(record.endedAt ?? '') - Date.parse(record.answeredAt ?? ''));
});

t.test('the callee hangs up', async (t) => {
  const number = numberOf('answers');
  const before = agentOf('answers').calls.length;
  const call = await dial(number);
  t.equal(await finalOf(call), 200);
  const leg = await legOf('answers', before);
  await until(() => leg.acks > 0, 'ACK at the callee');
  t.equal((await leg.send('BYE')).status, 200);
  await until(() => caller.calls.find((each) => each === call)?.bye !== undefined, 'BYE at the caller');
  t.match(await system.record(number), {
    result: 'answered',
    fault: 'callee',
    why: 'poolDefault',
    level: 'none',
    link: null,
  });
});

t.test('a caller who asks for privacy is nobody, to the callee and in the record', async (t) => {
  const number = numberOf('answers');
  const before = agentOf('answers').calls.length;
  const call = await caller.call(system.sip, number, [['Privacy', 'id']]);
  t.equal(await finalOf(call), 200);
  const { invite } = await legOf('answers', before);
  t.notMatch(invite.toString(), /2025550123/, 'his number is nowhere in the INVITE');
  t.match(invite.get('From'), /anonymous/i);
  await call.send('BYE');
  t.match(await system.record(number), { result: 'answered', caller: null });
});

t.test('the caller gives up: CANCEL reaches the callee', async (t) => {
  for (const name of ['rings', 'early']) {
    const number = numberOf(name);
    const before = agentOf(name).calls.length;
    const call = await dial(number);
    const leg = await legOf(name, before);
    await until(() => call.statuses.some((status) => status > 100), 'a provisional');
    if (name === 'early') await until(() => call.statuses.includes(183), '183 with early media');
    call.client?.cancel();
    t.equal(await finalOf(call), 487, name);
    await until(() => leg.cancelled !== undefined, 'CANCEL at the callee');
    t.match(await system.record(number), {
      result: 'cancelled',
      fault: 'caller',
      reason: { status: 487 },
      answeredAt: null,
    });
  }
});

t.test('what the caller is told when nobody is connected', async (t) => {
  const cases = [
    ['busy', 486, 17, 'busy', 'callee'],
    ['declines', 603, 21, 'rejected', 'callee'],
    ['rings', 480, 19, 'noAnswer', 'callee'],
    ['unknown', 480, 38, 'failed', 'callee'],
    ['broken', 480, 38, 'failed', 'carrier'],
    ['codecs', 488, 88, 'failed', 'callee'],
    ['nobody', 480, 38, 'failed', 'carrier'],
    ['moved', 480, 38, 'failed', 'carrier'],
  ] as const;
  await Promise.all(
    cases.map(async ([name, status, q850, result, fault]) => {
      const number = numberOf(name);
      const call = await dial(number);
      t.equal(await finalOf(call, 15_000), status, name);
      t.match(
        call.last.get('Reason') ?? '',
        new RegExp(`^Q\\.850;cause=${String(q850)}\\b`),
        `${name}: ${call.last.get('Reason') ?? 'no Reason'}`,
      );
      t.match(
        await system.record(number),
        { result, fault, reason: { status }, answeredAt: null, talkMs: null },
        name,
      );
    }),
  );
});

t.test('a callee who is slow to ring is no silent node', async (t) => {
  const number = numberOf('slow');
  const call = await dial(number);
  t.equal(await finalOf(call), 200);
  await call.send('BYE');
  t.match(await system.record(number), { result: 'answered' });
});

t.test('ring groups: together, and one after the other', async (t) => {
  const [ringing, answering] = [agentOf('rings').calls.length, agentOf('slow').calls.length];
  const together = numberOf('together');
  const call = await dial(together);
  t.equal(await finalOf(call), 200, 'the second of three answers');
  const loser = await legOf('rings', ringing);
  await until(() => loser.cancelled !== undefined, 'CANCEL at the one who only rang');
  await talk(t, call, await legOf('slow', answering), 20);
  await call.send('BYE');
  t.match(await system.record(together), { result: 'answered', destination: uriOf('slow') });

  const media = numberOf('media-and-answer');
  const third = await dial(media);
  t.equal(await finalOf(third), 200, 'early media of one does not win against one who still rings');
  t.notOk(third.statuses.includes(183));
  await third.send('BYE');
  t.match(await system.record(media), { result: 'answered', destination: uriOf('slow') });

  const inTurn = numberOf('in-turn');
  const second = await dial(inTurn);
  t.equal(await finalOf(second), 200, 'the first group is busy, the second answers');
  t.notOk(second.statuses.includes(486));
  await second.send('BYE');
  t.match(await system.record(inTurn), { result: 'answered', destination: uriOf('answers') });
});

t.test('a plan of ten legs arrives over UDP', async (t) => {
  const number = numberOf('ten');
  const call = await dial(number);
  t.equal(await finalOf(call), 200);
  await call.send('BYE');
  t.match(await system.record(number), { result: 'answered', destination: uriOf('answers') });
});

t.test('a whisper is heard by the callee alone, and the caller is answered after it', async (t) => {
  const number = numberOf('whisper');
  const before = agentOf('answers').calls.length;
  const call = await dial(number);
  const leg = await legOf('answers', before);
  await until(() => leg.acks > 0, 'the callee has answered');
  t.notOk(call.statuses.includes(200), 'the caller still waits');
  await until(() => leg.media.received.length > 10, 'the whisper at the callee');
  const loud = leg.media.received.some((packet) => packet.subarray(12).some((byte) => (byte & 0x7f) < 0x50));
  t.ok(loud, 'it is a tone, not silence');
  t.equal(call.media.received.length, 0, 'the caller hears nothing of it');
  t.equal(await finalOf(call), 200);
  await talk(t, call, leg, 20);
  await call.send('BYE');
  t.match(await system.record(number), { result: 'answered' });
});

t.test('whose number it is', async (t) => {
  const link = await system.allocate('answers', 'session-late');
  t.equal((await system.api('DELETE', `/v1/links/${link.link}`)).status, 204);
  const late = await dial(link.number);
  t.equal(await finalOf(late), 200, 'an ended link: its last holder');
  await late.send('BYE');
  t.match(await system.record(link.number), { late: true, why: 'lastHolder', session: 'session-late' });

  const unheld = await dial(numberOf('unheld'));
  // A pool that is reserved to an endpoint answers for it.
  t.equal(await finalOf(unheld), 200, 'never held: the endpoint that the pool is reserved to');
  await unheld.send('BYE');

  const nowhere = await dial('+13125550199');
  t.equal(await finalOf(nowhere), 404, 'a number that is not ours');
  t.match(await system.record('+13125550199'), {
    result: 'failed',
    why: 'unknownNumber',
    reason: { status: 404 },
    endpoint: null,
  });
});

t.test('who is refused', async (t) => {
  const number = numberOf('answers');
  const before = agentOf('answers').calls.length;
  const forged = ['X-Tagswitch-Plan', 'x-tagswitch-plan', 'X-TAGSWITCH-Call ', 'X-Tagswitch-Anything'];
  for (const name of forged) {
    const call = await caller.call(system.sip, number, [[name, 'sofia/tagswitch/sip:evil@127.0.0.1:9']]);
    t.equal(await finalOf(call), 403, JSON.stringify(name));
  }
  const stranger = await caller.call(system.sip, `leg.${'A'.repeat(48)}`);
  t.equal(await finalOf(stranger), 403, 'a leg token that is not ours');
  t.equal(agentOf('answers').calls.length, before, 'nobody was rung');
  t.same(await system.records(number), [], 'and nothing is recorded: it did not pass screening');
  const options = await reachable(`<sip:${system.sip}>`);
  t.ok(options, 'OPTIONS is answered');
});

t.test('the application is killed in a call, and comes back', async (t) => {
  const number = numberOf('answers');
  const before = agentOf('answers').calls.length;
  const call = await dial(number);
  t.equal(await finalOf(call), 200);
  const leg = await legOf('answers', before);
  await until(() => leg.acks > 0, 'ACK at the callee');
  const down = system.pid('application');
  system.signal('application', 'SIGKILL');
  await talk(t, call, leg, 20);
  await until(
    () => {
      try {
        return system.pid('application') !== down;
      } catch {
        return false;
      }
    },
    'its successor',
    15_000,
  );
  await system.ready();
  t.equal((await call.send('BYE')).status, 200);
  await until(() => leg.bye !== undefined, 'BYE at the callee');
  t.match(await system.record(number), { result: 'answered', fault: 'caller', media: 'bridged' });
});

t.test('the application is down when the call ends', async (t) => {
  const link = await system.allocate('answers', 'session-gap');
  const before = agentOf('answers').calls.length;
  const call = await dial(link.number);
  t.equal(await finalOf(call), 200);
  const leg = await legOf('answers', before);
  await until(() => leg.acks > 0, 'ACK at the callee');
  system.signal('application', 'SIGKILL');
  t.equal((await call.send('BYE')).status, 200, 'the BYE ends both legs without us');
  await until(() => leg.bye !== undefined, 'BYE at the callee');
  await system.ready();
  t.match(await system.record(link.number, 15_000), {
    result: 'answered',
    session: 'session-gap',
    fault: 'caller',
  });
});
