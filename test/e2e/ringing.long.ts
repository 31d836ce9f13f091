/** How long a call rings in all, whatever its trunks do. */
import t from 'tap';
import { LONGEST_RING_MS } from '../../src/routing/plan.js';
import { Agent, until, type AgentCall } from '../standalone/media-agent.js';
import { finalOf } from './ends.js';
import { System } from './system.js';

t.setTimeout(260_000);

/** The first trunk rings for most of the time before it turns out to be out of order; the second would ring as long again. */
const FIRST_RINGS_MS = 120_000;

const gateway = (agent: Agent): string => `127.0.0.1:${String(agent.sip.port)}`;

t.test('a trunk that rang long before it failed leaves the next one what is left', async (t) => {
  const first = await Agent.start((call: AgentCall) => {
    call.reply(180);
    setTimeout(() => {
      call.reply(503);
    }, FIRST_RINGS_MS).unref();
  });
  const second = await Agent.start((call: AgentCall) => {
    call.reply(180);
  });
  const caller = await Agent.start();
  const system = await System.start(
    [
      '    trunks:',
      '      - {name: carrier, addresses: [127.0.0.1/32]}',
      `      - {name: first, gateway: '${gateway(first)}'}`,
      `      - {name: second, gateway: '${gateway(second)}'}`,
      '    endpoints:',
      "      - {name: desk, ringMs: 140000, destinations: [{to: '+12125550123', trunks: [first, second]}]}",
      '    pools:',
      "      - {name: p, numbers: ['+12025550100'], trunk: carrier, defaultEndpoint: desk}",
      '',
    ].join('\n'),
  );
  t.teardown(async () => {
    await system.stop();
    await Promise.all([first, second, caller].map((agent) => agent.close()));
  });
  const begun = performance.now();
  const call = await caller.call(system.sip, '+12025550100');
  t.equal(await finalOf(call, LONGEST_RING_MS + 20_000), 480);
  const ms = performance.now() - begun;
  t.ok(ms >= LONGEST_RING_MS && ms < LONGEST_RING_MS + 3_000, `it rang for ${String(Math.round(ms))} ms`);
  t.same([first.calls.length, second.calls.length], [1, 1], 'over both trunks');
  t.match(await system.record('+12025550100'), {
    result: 'noAnswer',
    reason: { status: 480, q850: 19 },
    answeredAt: null,
  });
  await until(() => second.calls[0]?.cancelled !== undefined, 'a CANCEL: nobody rings on');
});
