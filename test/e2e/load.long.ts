/** More calls than were agreed on, and applications that are restarted under load: sipp at both ends. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { sipp } from '../bench/sipp.js';
import { fictionalNumbers } from '../bench/numbers.js';
import { Agent } from '../standalone/media-agent.js';
import { freePort } from '../../src/start/ports.js';
import { until } from '../support/until.js';
import { startSecond } from './second-application.js';
import { System, type Record_ } from './system.js';

t.setTimeout(300_000);

const NUMBER = '+12025550100';

function declaration(callee: number, trunk = ''): string {
  return [
    `    trunks: [{name: carrier, addresses: [127.0.0.1/32]${trunk}}]`,
    `    endpoints: [{name: load, destinations: ['sip:agent@127.0.0.1:${String(callee)}']}]`,
    `    pools: [{name: load, numbers: ['${NUMBER}'], trunk: carrier, defaultEndpoint: load}]`,
    '',
  ].join('\n');
}

/** Calls of a second and a bit, a new one every `1 / perSecond`. */
async function callers(system: System, calls: number, perSecond: number) {
  const list = fictionalNumbers(calls).map((caller) => ({ caller, number: NUMBER }));
  return sipp('caller', { port: await freePort(), to: system.sip, calls, list, perSecond });
}

async function finished(system: System, count: number): Promise<readonly Record_[]> {
  const all: Record_[] = [];
  await until(async () => {
    all.splice(0, all.length, ...(await system.records(NUMBER)));
    return all.length >= count && all.every(({ result }) => result !== null);
  }, 20_000);
  return all;
}

t.test('20 calls a second agreed on, 40 offered: at least 18 a second complete', async (t) => {
  const callee = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  const system = await System.start(declaration(callee.sip.port, ', callsPerSecond: 20'), 'info');
  t.teardown(async () => {
    await system.stop();
    await callee.close();
  });
  const calls = 400;
  const { successful, failed } = await callers(system, calls, 40);
  t.equal(successful + failed, calls);
  t.ok(successful >= 18 * 10, `${String(successful)} in 10 s`);
  // The bucket holds a second's worth at the start, and sipp's second is not ours to the millisecond.
  t.ok(successful <= 20 * 11 + 5, `and no more than was agreed on: ${String(successful)}`);
  const records = await finished(system, successful);
  t.equal(records.length, successful, 'a call that was turned away left nothing behind');
  t.ok(records.every(({ result }) => result === 'answered'));
});

t.test('two applications restarted in turn at 20 calls a second: none failed', async (t) => {
  const callee = await freePort();
  const system = await System.start(declaration(callee), 'info');
  let second: ChildProcess | undefined;
  t.teardown(async () => {
    second?.kill('SIGKILL');
    await system.stop();
  });
  const port = await freePort();
  const start = async (): Promise<void> => {
    second = await startSecond(system, port);
  };
  await start();
  const calls = 20 * 24;
  const theirs = sipp('callee', { port: callee, calls, perSecond: 20 });
  let over = false;
  const mine = callers(system, calls, 20).finally(() => (over = true));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const exits: (number | null)[] = [];
  for (let round = 0; round < 2; round += 1) {
    // The one that the launcher watches is started again by it.
    await system.restart('application');
    const ended = once(second as ChildProcess, 'exit');
    second?.kill('SIGTERM');
    exits.push(((await ended) as [number | null])[0]);
    await start();
  }
  t.equal(over, false, 'all of it under load');
  t.same(exits, [0, 0]);
  t.match(await mine, { successful: calls, failed: 0, errors: '' });
  t.match(await theirs, { successful: calls, failed: 0 });
  const records = await finished(system, calls);
  t.equal(records.length, calls, 'one record a call');
  t.same(
    records.filter(({ result: how, media }) => how !== 'answered' || media !== 'bridged'),
    [],
  );
});
