/** Hours, overflow, caps and the longest call, by real calls. */
import t from 'tap';
import { Agent, type AgentCall } from '../standalone/media-agent.js';
import { until } from '../support/until.js';
import { finalOf } from './ends.js';
import { System } from './system.js';

t.setTimeout(120_000);

const answers = (call: AgentCall): void => {
  call.reply(180);
  call.reply(200, '0 101');
};
let system: System;
let caller: Agent;
let desk: Agent;
let silent: Agent;
let spare: Agent;

const NUMBERS = {
  shut: '+12025550100',
  dark: '+12025550101',
  busy: '+12025550102',
  long: '+12025550103',
  quiet: '+12025550104',
  texas: '+12025550105',
  first: '+12025550106',
  waits: '+12025550107',
};

t.before(async () => {
  [caller, desk, spare, silent] = await Promise.all([
    Agent.start(),
    Agent.start(answers),
    Agent.start(answers),
    Agent.start((call) => call.reply(180)),
  ]);
  const to = (agent: Agent): string => `['sip:agent@127.0.0.1:${String(agent.sip.port)}']`;
  const endpoints: Record<string, string> = {
    desk: `destinations: ${to(desk)}`,
    shut: `destinations: ${to(silent)}, hours: {open: []}, overflow: desk`,
    dark: `destinations: ${to(desk)}, hours: {open: ['mon-sun 00:00-24:00'], holidays: [${today()}, ${today(1)}]}`,
    quiet: `destinations: ${to(silent)}, ringMs: 2000, overflow: desk`,
    busy: `destinations: ${to(desk)}, concurrentCalls: 3`,
    long: `destinations: ${to(desk)}, maxCallMs: 2000`,
    texas: `destinations: ${to(silent)}, routes: [{areas: ['+1214'], endpoint: long}]`,
    first: `destinations: ${to(desk)}, concurrentCalls: 1, overflow: spare`,
    waits: `destinations: ${to(silent)}, ringMs: 1000, overflow: spare`,
    spare: `destinations: ${to(spare)}, concurrentCalls: 1`,
  };
  system = await System.start(
    [
      '    trunks: [{name: carrier, addresses: [127.0.0.1/32]}]',
      "    sites: [{name: site, origins: [self], printedNumber: '+12125550150'}]",
      '    endpoints:',
      ...Object.entries(endpoints).map(([name, text]) => `      - {name: ${name}, ${text}}`),
      '    pools:',
      ...Object.entries(NUMBERS).map(
        ([name, number]) =>
          `      - {name: ${name}, numbers: ['${number}'], trunk: carrier, defaultEndpoint: ${name}}`,
      ),
      '',
    ].join('\n'),
  );
});

t.teardown(async () => {
  await system.stop();
  await Promise.all([caller, desk, spare, silent].map((agent) => agent.close()));
});

/** A day by London's clock; two, for a test that is run at midnight. */
function today(more = 0): string {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London' }).format(
    Date.now() + more * 86_400_000,
  );
  return `'${day}'`;
}

t.test('a closed endpoint passes its calls on; one without an overflow turns them away', async (t) => {
  const call = await caller.call(system.sip, NUMBERS.shut);
  t.equal(await finalOf(call), 200);
  t.equal(silent.calls.length, 0, 'nobody was rung there');
  await call.send('BYE');
  const passed = await system.record(NUMBERS.shut);
  t.match(passed, { result: 'answered', destination: `sip:agent@127.0.0.1:${String(desk.sip.port)}` });
  t.same(
    passed.route?.map(({ because }) => because),
    ['number', 'closed'],
  );

  const before = desk.calls.length;
  const refused = await caller.call(system.sip, NUMBERS.dark);
  t.equal(await finalOf(refused), 480, 'a holiday');
  t.equal(desk.calls.length, before);
  t.match(await system.record(NUMBERS.dark), {
    result: 'rejected',
    fault: 'callee',
    reason: { status: 480, q850: 20, text: 'closed' },
    media: null,
  });
});

t.test('nobody answers: the overflow is rung', async (t) => {
  const call = await caller.call(system.sip, NUMBERS.quiet);
  t.equal(await finalOf(call), 200);
  t.equal(silent.calls.length, 1);
  await call.send('BYE');
  t.match(await system.record(NUMBERS.quiet), {
    result: 'answered',
    route: null,
    destination: `sip:agent@127.0.0.1:${String(desk.sip.port)}`,
  });
});

t.test('three calls at once and no more; an end makes room', async (t) => {
  const calls = await Promise.all(Array.from({ length: 8 }, () => caller.call(system.sip, NUMBERS.busy)));
  const finals = await Promise.all(calls.map((call) => finalOf(call)));
  t.same(finals.toSorted(), [200, 200, 200, 486, 486, 486, 486, 486]);
  const up = calls.filter((_, at) => finals[at] === 200);
  await up[0]?.send('BYE');
  const list = async () => system.records(NUMBERS.busy);
  await until(async () => (await list()).filter(({ result }) => result === 'answered').length === 1, 5000);
  const next = await caller.call(system.sip, NUMBERS.busy);
  t.equal(await finalOf(next), 200);
  for (const call of [next, ...up.slice(1)]) await call.send('BYE');
  await until(async () => (await list()).every(({ result }) => result !== null), 5000);
  const turnedAway = (await list()).filter(({ result }) => result === 'busy');
  t.equal(turnedAway.length, 5);
  for (const { fault, reason } of turnedAway)
    t.match(
      { fault, reason },
      { fault: 'callee', reason: { status: 486, q850: 17, text: 'too many calls' } },
    );
});

t.test(
  'a full endpoint passes its calls on; the cap of an overflow holds however it is come to',
  async (t) => {
    const first = await caller.call(system.sip, NUMBERS.first);
    t.equal(await finalOf(first), 200);
    const second = await caller.call(system.sip, NUMBERS.first);
    t.equal(await finalOf(second), 200);
    t.equal(spare.calls.length, 1);
    // Nobody answers these; the overflow is rung, and has its one call already.
    const third = await caller.call(system.sip, NUMBERS.waits);
    t.equal(await finalOf(third), 486);
    t.equal(spare.calls.length, 1, 'nobody was rung there');
    t.match(await system.record(NUMBERS.waits), { result: 'busy', fault: 'callee', reason: { status: 486 } });
    for (const call of [first, second]) await call.send('BYE');
    await until(
      async () => (await system.records(NUMBERS.first)).every(({ result }) => result !== null),
      5000,
    );
    const routes = (await system.records(NUMBERS.first)).map(({ route }) =>
      route?.map(({ because }) => because),
    );
    t.same(
      routes.filter((route) => route !== undefined),
      [['number', 'full']],
    );

    const fourth = await caller.call(system.sip, NUMBERS.waits);
    t.equal(await finalOf(fourth), 200, 'now there is room');
    const fifth = await caller.call(system.sip, NUMBERS.waits);
    t.equal(await finalOf(fifth), 486, 'and the one that came by ringing in vain counts');
    await fourth.send('BYE');
  },
);

t.test('the longest call: both ends get BYE, and the record says why', async (t) => {
  const call = await caller.call(system.sip, NUMBERS.long);
  t.equal(await finalOf(call), 200);
  const answered = Date.now();
  const callee = desk.calls.at(-1);
  await until(() => call.bye !== undefined && callee?.bye !== undefined, 6000);
  const lasted = Date.now() - answered;
  // FreeSWITCH counts whole seconds of its own clock.
  t.ok(lasted > 900 && lasted < 3500, `after ${String(lasted)} ms`);
  t.match(await system.record(NUMBERS.long), {
    result: 'answered',
    fault: 'ours',
    reason: { status: 200, text: 'ALLOTTED_TIMEOUT' },
  });
});

t.test("a rule sends the callers of an area elsewhere, and the limit there is the call's", async (t) => {
  const before = silent.calls.length;
  const { body } = await system.api('GET', '/v1/route?number=%2B12025550105&caller=%2B12145550123');
  t.match(body, {
    standsFor: { name: 'texas', why: 'poolDefault' },
    steps: [{ name: 'texas' }, { name: 'long', because: 'area' }],
    turnedAway: null,
    plan: { maxCallMs: 2000, rounds: [[{ legs: [{ to: `sip:agent@127.0.0.1:${String(desk.sip.port)}` }] }]] },
  });
  caller.number = '+12145550123';
  const call = await caller.call(system.sip, NUMBERS.texas);
  t.equal(await finalOf(call), 200);
  t.equal(silent.calls.length, before);
  await call.send('BYE');
  const { route } = await system.record(NUMBERS.texas);
  t.same(
    route?.map(({ because }) => because),
    ['number', 'area'],
  );
});
