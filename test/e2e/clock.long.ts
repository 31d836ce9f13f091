/** The clock of the application's machine is set while single calls ring and are up; under load: `faults.long.ts`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { Agent } from '../standalone/media-agent.js';
import { until } from '../support/until.js';
import { declarationOf, numbersOf } from './declaration.js';
import { finalOf } from './ends.js';
import { OwnNode } from './own-node.js';
import { SettableClock } from './settable-clock.js';
import { System, onRealServers } from './system.js';

t.setTimeout(60_000);

const HOUR = 3_600_000;
const TALK_MS = 300;
const clock = new SettableClock();
let system: System;
let caller: Agent;
let rings: Agent;
let answers: Agent;
let node: OwnNode | undefined;
let folder = '';

t.before(async () => {
  rings = await Agent.start((call) => {
    call.reply(180);
  });
  answers = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  caller = await Agent.start();
  folder = mkdtempSync(join(tmpdir(), 'tagswitch-node-'));
  if (!onRealServers) node = await OwnNode.start(folder);
  const [first, second] = [rings, answers].map(({ sip }) => `sip:agent@127.0.0.1:${String(sip.port)}`);
  system = await System.start(
    declarationOf([
      { name: 'in-turn', ring: [[first ?? ''], [second ?? '']], ringMs: 3000 },
      { name: 'answers', ring: [[second ?? '']] },
    ]),
    'info',
    node?.environment() ?? {},
  );
  clock.started();
});

t.teardown(async () => {
  clock.close();
  await system.stop();
  await node?.stop();
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([caller, rings, answers].map((agent) => agent.close()));
});

const OFFSETS = [
  ['forwards', HOUR],
  ['back', -HOUR],
] as const;

for (const [i, [way, offset]] of OFFSETS.entries()) {
  t.test(`set ${way} while the first destination rings: the second one still does`, async (t) => {
    const number = `+${String(Number(numbersOf(0).first.slice(1)) + i)}`;
    const before = rings.calls.length;
    const call = await caller.call(system.sip, number);
    await until(() => rings.calls.length > before);
    clock.set(system, offset);
    t.equal(await finalOf(call), 200);
    await call.send('BYE');
    const record = await system.record(number);
    t.match(record, { result: 'answered', media: 'bridged' });
    const ringMs = record.ringMs ?? -1;
    t.ok(ringMs >= 2500 && ringMs < 10_000, `rang ${String(ringMs)} ms`);
    clock.set(system, 0);
  });
}

// The media node of the real floor is not ours to stop.
if (!onRealServers) {
  t.test('without a media node', async () => {
    await node?.stop();
    await until(async () => /no media node/.test(await (await fetch(`${system.http}/readyz`)).text()));
  });

  for (const [i, [way, offset]] of OFFSETS.entries()) {
    t.test(`set ${way} in a direct call: it is as long as it was`, async (t) => {
      const number = `+${String(Number(numbersOf(1).first.slice(1)) + i)}`;
      const call = await caller.call(system.sip, number);
      t.equal(await finalOf(call), 200);
      clock.set(system, offset);
      await wait(TALK_MS);
      await call.send('BYE');
      const record = await system.record(number);
      t.match(record, { result: 'answered', media: 'direct' });
      const talkMs = record.talkMs ?? -1;
      t.ok(talkMs >= TALK_MS - 50 && talkMs < TALK_MS + 5000, `talked ${String(talkMs)} ms`);
      clock.set(system, 0);
    });
  }
}
