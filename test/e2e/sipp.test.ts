/** The carrier's own kind of traffic: sipp at both ends of the whole switch. */
import t from 'tap';
import { sipp, type SippRun } from '../standalone/support/sipp.js';
import { declarationOf, numbersOf } from './declaration.js';
import { System } from './system.js';

t.setTimeout(120_000);

for (const [caller, callee, result, fault] of [
  ['caller-hangs-up', 'callee-answers', 'answered', 'caller'],
  ['caller-is-hung-up-on', 'callee-hangs-up', 'answered', 'callee'],
  ['caller-cancels', 'callee-is-cancelled', 'cancelled', 'caller'],
] as const) {
  t.test(`sipp: ${caller}, ${callee}`, async (t) => {
    const calls = 20;
    const runs: SippRun[] = [];
    const theirs = await sipp(callee, 'udp', { calls, seconds: 60 });
    runs.push(theirs);
    const system = await System.start(
      declarationOf([{ name: 'sipp', ring: [[`sip:agent@127.0.0.1:${String(theirs.port)}`]] }]),
    );
    t.teardown(async () => {
      for (const run of runs) run.stop();
      await system.stop();
    });
    const mine = await sipp(caller, 'udp', { to: system.settings.sip.port, calls, rate: 20 });
    runs.push(mine);
    t.same(await mine.ended, { code: 0, errors: '' }, 'every call went as the caller’s scenario says');
    t.same(await theirs.ended, { code: 0, errors: '' }, 'and as the callee’s does');
    const number = numbersOf(0).first;
    const records = await system.finished(number, calls, 10_000);
    t.equal(records.length, calls, 'one record a call');
    t.same(
      [...new Set(records.map((record) => `${String(record.result)} ${String(record.fault)}`))],
      [`${result} ${fault}`],
    );
  });
}
