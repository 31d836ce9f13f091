/** Calls that take as long as calls may: the longest ringing there is, and talk that outlasts every time of ours. */
import t from 'tap';
import { Agent, until } from '../standalone/media-agent.js';
import { declarationOf, numbersOf } from './declaration.js';
import { finalOf } from './ends.js';
import { System } from './system.js';

const at = ({ sip }: Agent): string => `sip:agent@127.0.0.1:${String(sip.port)}`;
let system: System;
let caller: Agent;
let rings: Agent;
let answers: Agent;

t.setTimeout(300_000);

t.before(async () => {
  rings = await Agent.start((call) => call.reply(180));
  answers = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  caller = await Agent.start();
  system = await System.start(
    declarationOf([
      { name: 'rings', ring: [[at(rings)], [at(rings)]], ringMs: 85_000 },
      { name: 'answers', ring: [[at(answers)]] },
    ]),
  );
});

t.teardown(async () => {
  await system.stop();
  for (const agent of [caller, rings, answers]) await agent.close();
});

/** The two go on side by side, so that the suite takes as long as the longer one. */
t.test('side by side', { jobs: 2, buffered: true }, (t) => {
  void t.test(
    'a plan of 170 s rings to its end: 480, never cut by timer C',
    { buffered: true },
    async (t) => {
      const number = numbersOf(0).first;
      const sentAt = Date.now();
      const call = await caller.call(system.sip, number);
      const status = await finalOf(call, 190_000);
      const rang = (Date.now() - sentAt) / 1000;
      t.equal(status, 480);
      t.ok(rang >= 169 && rang <= 173, `it rang for ${rang.toFixed(1)} s`);
      t.equal(rings.calls.length, 2, 'one leg for each group');
      await until(
        () => rings.calls.every(({ cancelled }) => cancelled !== undefined),
        'a CANCEL for each leg',
      );
      t.match(await system.record(number), { result: 'noAnswer', fault: 'callee', reason: { status: 480 } });
    },
  );

  void t.test(
    'a call of 230 s stays live, and its record is closed by its BYE',
    { buffered: true },
    async (t) => {
      const number = numbersOf(1).first;
      const call = await caller.call(system.sip, number);
      await until(() => call.statuses.at(-1) === 200, 'the answer');
      await until(() => (answers.calls[0]?.acks ?? 0) > 0, 'ACK at the callee');
      await new Promise((resolve) => setTimeout(resolve, 230_000)); // longer than an unkept call counts as live
      const [open] = await system.records(number);
      t.match(open, { result: null }, 'no sweep took it for dead');
      await t.rejects(
        system.apply(declarationOf([{ name: 'rings', ring: [[at(rings)]] }]), false),
        'its number is in use: the media node keeps it',
      );
      t.equal((await call.send('BYE')).status, 200);
      await until(() => answers.calls[0]?.bye !== undefined, 'BYE at the callee');
      const { result, fault, talkMs } = await system.record(number);
      t.strictSame({ result, fault }, { result: 'answered', fault: 'caller' });
      t.ok((talkMs ?? 0) >= 229_000, `it talked for ${String(talkMs)} ms`);
    },
  );
  t.end();
});
