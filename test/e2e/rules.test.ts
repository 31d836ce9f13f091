/** Rules of the design that no plain call shows: what the media node itself refuses, and what a refused call costs. */
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { writeCallIds } from '../../src/calls/call-ids.js';
import { mintId } from '../../src/ids.js';
import { newCallId, newTag } from '../../src/standalone/sip/ids.js';
import { SipRequest } from '../../src/standalone/sip/message.js';
import type { Agent } from '../standalone/media-agent.js';
import { until } from '../support/until.js';
import { numbersOf } from './declaration.js';
import { finalOf, startEnds, type Ends } from './ends.js';
import type { System } from './system.js';

t.setTimeout(180_000);

let ends: Ends;
let system: System;
let caller: Agent;
let callee: Agent;

t.before(async () => {
  ends = await startEnds();
  ({ system, caller, callee } = ends);
});

t.teardown(() => ends.stop());

/** Where the media node listens for SIP, as the application was told. */
function nodeAddress(): string {
  const found = [...system.log().matchAll(/"sip":"([0-9.]+:[0-9]+)","msg":"media node is up"/g)].at(-1)?.[1];
  if (found === undefined) throw new Error('the media node was not met');
  return found;
}

/** What Redis is asked while `work` runs. */
async function redisCommands(work: () => Promise<void>): Promise<string> {
  const socket = connect(join(system.settings.data, 'redis', 'redis.sock'));
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.write('MONITOR\r\n');
  await until(() => text.includes('+OK'));
  await work();
  const token = newTag();
  const other = connect(join(system.settings.data, 'redis', 'redis.sock'));
  other.write(`ECHO ${token}\r\n`);
  await until(() => text.includes(token));
  other.destroy();
  socket.destroy();
  return text;
}

t.test('a refused call costs no Redis command; a call that is taken costs one lookup', async (t) => {
  const number = numbersOf(0).last;
  const lookups = (text: string): number =>
    text.split('\n').filter((line) => /\] "eval(sha)?"/i.test(line) && line.includes(':numbers"')).length;
  const refused = await redisCommands(async () => {
    const calls = await Promise.all(
      Array.from({ length: 10 }, async (_, at) =>
        at % 2 === 0
          ? caller.call(system.sip, number, [['X-Tagswitch-Plan', 'x']])
          : caller.call(system.sip, `leg.${'A'.repeat(32)}`),
      ),
    );
    for (const call of calls) t.equal(await finalOf(call), 403);
  });
  t.equal(lookups(refused), 0);
  t.notMatch(refused, new RegExp(number.slice(1)), 'and none names the number');
  const taken = await redisCommands(async () => {
    const call = await caller.call(system.sip, number);
    t.equal(await finalOf(call), 200);
    await call.send('BYE');
  });
  t.equal(lookups(taken), 1);
});

t.test('the media node takes a plan in its one form, and nothing else', async (t) => {
  const node = nodeAddress();
  const leg = `[leg_timeout=5]sofia/tagswitch/sip:leg.${'A'.repeat(32)}@${system.sip}`;
  const call = mintId('call');
  const good: Record<string, string> = {
    'X-Tagswitch-Call': writeCallIds({ call, account: mintId('acc') }),
    'X-Tagswitch-Caller': '+12025550123',
    'X-Tagswitch-Plan': leg,
  };
  const bad: readonly [string, Record<string, string>][] = [
    ['no headers at all', {}],
    ['no account', { ...good, 'X-Tagswitch-Call': call }],
    ['no call', { ...good, 'X-Tagswitch-Call': mintId('acc') }],
    ['no plan', { ...good, 'X-Tagswitch-Plan': '' }],
    ...[
      `sofia/tagswitch/sip:agent@127.0.0.1:${String(callee.sip.port)}`,
      `[leg_timeout=5]sofia/tagswitch/sip:agent@127.0.0.1:${String(callee.sip.port)}`,
      `[leg_timeout=5]sofia/tagswitch/sip:leg.${'A'.repeat(32)}@127.0.0.1:${String(callee.sip.port)}`,
      `[leg_timeout=5,api_on_answer=status]${leg.slice(15)}`,
      `{execute_on_answer=system}${leg}`,
      `loopback/${leg}`,
      `${leg},loopback/answers`,
      `${leg}|user/1000`,
      `${leg}:_:${leg}`,
      `\${system(id)}${leg}`,
      `${leg} `.repeat(2).trim(),
    ].map(
      (plan) => [`plan ${plan}`, { ...good, 'X-Tagswitch-Plan': plan }] as [string, Record<string, string>],
    ),
  ];
  const before = callee.calls.length;
  for (const [what, headers] of bad) {
    const call = await caller.call(
      node,
      'anything',
      Object.entries(headers).filter(([, value]) => value !== ''),
    );
    t.equal(await finalOf(call), 403, what);
  }
  t.equal(callee.calls.length, before, 'nobody was rung by any of them');
  // Of the right form, but with a token that is not ours: the leg comes back to us and is refused there.
  const stranger = await caller.call(node, 'anything', Object.entries(good));
  t.equal(await finalOf(stranger), 603, 'the leg is refused by the application');
  t.equal(callee.calls.length, before);
});

t.test('the media node serves calls alone', async (t) => {
  const node = nodeAddress();
  for (const method of ['REGISTER', 'SUBSCRIBE', 'MESSAGE', 'REFER', 'PUBLISH']) {
    const status = await new Promise<number>((resolve, reject) => {
      caller.sip.request(
        SipRequest.create(method, `sip:${node}`, {
          headers: [
            ['From', `<sip:a@127.0.0.1>;tag=${newTag()}`],
            ['To', `<sip:${node}>`],
            ['Call-ID', newCallId()],
            ['CSeq', `1 ${method}`],
            ['Contact', `<${caller.sip.uri('udp', 'test')}>`],
            ['Max-Forwards', '70'],
            ['Event', 'dialog'],
            ['Refer-To', '<sip:b@127.0.0.1>'],
          ],
        }),
        {
          onResponse: (response) => void (response.status >= 200 && resolve(response.status)),
          onFailure: (cause) => reject(new Error(cause)),
        },
      );
    });
    t.ok(status >= 400 && status < 700, `${method}: ${String(status)}`);
  }
});
