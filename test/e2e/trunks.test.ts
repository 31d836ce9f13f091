/** Calls that leave by carriers' trunks: which answers make the next trunk's turn, and a trunk that is out of order. */
import t from 'tap';
import type { HeaderPairs } from '../../src/standalone/sip/message.js';
import { Agent, type AgentCall } from '../standalone/media-agent.js';
import { finalOf } from './ends.js';
import { System } from './system.js';

t.setTimeout(120_000);

/** What the first carrier answers; undefined for 200. */
let says: number | undefined;
/** Where it sends those whom it redirects. */
let elsewhere: Agent;
const answer = (call: AgentCall): void => {
  call.reply(180);
  call.reply(200, '0 101');
};
let first: Agent;
let second: Agent;
let caller: Agent;
let system: System;
let calls = 0;

t.before(async () => {
  first = await Agent.start((call) => {
    if (says === undefined) answer(call);
    else call.reply(says, undefined, more(says));
  });
  elsewhere = await Agent.start(answer);
  second = await Agent.start(answer);
  caller = await Agent.start();
  system = await System.start(declaration());
});

/** 302, 401 and 407 come with where to, and what is asked for. */
function more(status: number): HeaderPairs {
  const challenge = 'Digest realm="carrier.example", nonce="n-1", algorithm=MD5';
  if (status === 302) return [['Contact', `<sip:moved@${gateway(elsewhere)}>`]];
  if (status === 401) return [['WWW-Authenticate', challenge]];
  return status === 407 ? [['Proxy-Authenticate', challenge]] : [];
}

const gateway = (agent: Agent): string => `127.0.0.1:${String(agent.sip.port)}`;

function declaration(more = ''): string {
  return [
    '    trunks:',
    '      - {name: carrier, addresses: [127.0.0.1/32]}',
    `      - {name: first, gateway: '${gateway(first)}'${more}}`,
    `      - {name: second, gateway: '${gateway(second)}'}`,
    // RFC 6761: no such name, ever.
    "      - {name: nowhere, gateway: 'sip.invalid:5060'}",
    '    trunkGroups: [{name: out, trunks: [{trunk: second, priority: 2}, {trunk: first, priority: 1}]}]',
    '    endpoints:',
    "      - {name: desk, destinations: [{to: '+12125550123', group: out}]}",
    "      - {name: far, destinations: [{to: '+12125550123', trunks: [nowhere, second]}]}",
    '    pools:',
    "      - {name: p, numbers: ['+12025550100-+12025550189'], trunk: carrier, defaultEndpoint: desk}",
    "      - {name: q, numbers: ['+12025550190-+12025550199'], trunk: carrier, defaultEndpoint: far}",
    '',
  ].join('\n');
}

t.teardown(async () => {
  await system.stop();
  await Promise.all([first, second, elsewhere, caller].map((agent) => agent.close()));
});

/** One call: its final status, and how often each carrier was asked. */
async function place(status: number | undefined, number = `+${String(12_025_550_100 + calls++)}`) {
  says = status;
  const before = [first.calls.length, second.calls.length] as const;
  const call = await caller.call(system.sip, number);
  const final = await finalOf(call, 15_000);
  if (final === 200) await call.send('BYE');
  const record = await system.record(number);
  return {
    final,
    asked: [first.calls.length - before[0], second.calls.length - before[1]],
    result: record.result,
  };
}

t.test('the number goes out as the trunk wants it, by the trunk of the lowest priority', async (t) => {
  t.same(await place(undefined), { final: 200, asked: [1, 0], result: 'answered' });
  t.match(first.calls.at(-1)?.invite.uri, /^sip:\+12125550123@127\.0\.0\.1:/);
});

t.test('the next trunk has its turn where nobody behind the first one took the call', async (t) => {
  for (const status of [408, 500, 502, 503, 504]) {
    t.same(await place(status), { final: 200, asked: [1, 1], result: 'answered' }, String(status));
    // A trunk that failed three times in a row would be left out.
    await place(undefined);
  }
});

t.test("the callee's own answer is the answer", async (t) => {
  for (const [status, final, result] of [
    [404, 480, 'failed'],
    [486, 486, 'busy'],
    [480, 480, 'noAnswer'],
    [600, 486, 'busy'],
    [603, 603, 'rejected'],
  ] as const)
    t.same(await place(status), { final, asked: [1, 0], result }, String(status));
});

t.test('a carrier that asks for a password gets none, and the next trunk has its turn', async (t) => {
  for (const status of [401, 407]) {
    t.same(await place(status), { final: 200, asked: [1, 1], result: 'answered' }, String(status));
    await place(undefined);
  }
  for (const { invite } of first.calls)
    t.notOk(
      invite.get('Authorization') ?? invite.get('Proxy-Authorization'),
      'nothing derived of a password',
    );
});

t.test('a redirection is followed where the trunk may redirect, and nowhere else', async (t) => {
  t.same(await place(302), { final: 480, asked: [1, 0], result: 'failed' });
  t.equal(elsewhere.calls.length, 0);
  await system.follow(declaration(', followRedirects: true'));
  t.same(await place(302), { final: 200, asked: [1, 0], result: 'answered' });
  t.equal(elsewhere.calls.length, 1);
  t.match(elsewhere.calls[0]?.invite.uri, /^sip:(moved|leg\.)/);
});

t.test('a trunk that failed three times in a row is left out', async (t) => {
  for (let i = 0; i < 3; i += 1) t.same((await place(503)).asked, [1, 1]);
  t.same(await place(503), { final: 200, asked: [0, 1], result: 'answered' });
});

t.test('a gateway whose name DNS does not know costs no more than its turn', async (t) => {
  for (const number of ['+12025550190', '+12025550191', '+12025550192', '+12025550193'])
    t.same(await place(undefined, number), { final: 200, asked: [0, 1], result: 'answered' }, number);
  t.equal((await place(undefined)).final, 200, 'and no other call');
});
