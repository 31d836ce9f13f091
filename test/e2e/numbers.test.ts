/** Numbers that go from hand to hand, by real calls: redials, and numbers in quarantine between two accounts. */
import t from 'tap';
import { Agent, type AgentCall } from '../standalone/media-agent.js';
import { until } from '../support/until.js';
import { finalOf } from './ends.js';
import { System } from './system.js';

const NUMBER = '+12025550100';
const OTHER_KEY = 'an-api-key-of-the-other-account';
const answers = (call: AgentCall): void => {
  call.reply(180);
  call.reply(200, '0 101');
};
const callees: Record<string, Agent> = {};
let system: System;
let caller: Agent;

const announcement = (policy: string): string => (policy === 'announce' ? ', announcement: tone' : '');

/** The account `tests` with the two endpoints, and `other` with one; the number is in the pool of one of them. */
function declaration(owner: 'tests' | 'other', inQuarantine?: string): string {
  const trunk = '    trunks: [{name: carrier, addresses: [127.0.0.1/32]}]\n';
  const site = "    sites: [{name: site, origins: [self], printedNumber: '+12125550150'}]\n";
  const endpoint = (name: string): string =>
    `      - {name: ${name}, destinations: ['sip:${name}@127.0.0.1:${String(callees[name]?.sip.port)}']}\n`;
  const pool = (name: string, numbers: string): string =>
    `    pools: [{name: pool, trunk: carrier, defaultEndpoint: ${name}, numbers: [${numbers}]${
      inQuarantine === undefined ? '' : `, inQuarantine: ${inQuarantine}${announcement(inQuarantine)}`
    }}]\n`;
  const of = (account: string, own: string): string => (account === owner ? `'${NUMBER}', ${own}` : own);
  return [
    trunk,
    site,
    '    endpoints:\n',
    endpoint('sales'),
    endpoint('support'),
    // The other number is paused: the site's visitors get the one that is watched here.
    pool('sales', of('tests', "'+12025550110'")).replace('trunk:', "paused: ['+12025550110'], trunk:"),
    `  - name: other\n    apiKeys: [{name: key, key: ${OTHER_KEY}}]\n`,
    trunk,
    '    endpoints:\n',
    endpoint('theirs'),
    pool('theirs', of('other', "'+12025550120'")),
    ...(inQuarantine === undefined ? [] : ['reuse: {quarantineMs: 86400000}\n']),
  ].join('');
}

t.setTimeout(120_000);

t.before(async () => {
  for (const name of ['sales', 'support', 'theirs']) callees[name] = await Agent.start(answers);
  caller = await Agent.start();
  system = await System.start(declaration('tests'));
});

t.teardown(async () => {
  await system.stop();
  for (const agent of [caller, ...Object.values(callees)]) await agent.close();
});

/** Calls the number as `from`; who was rung, or the refusal. The call's record is finished when this resolves. */
async function reached(from: string): Promise<string | number> {
  const counts = (): [string, number][] =>
    Object.entries(callees).map(([name, agent]) => [name, agent.calls.length]);
  const before = new Map(counts());
  const records = (await system.records(NUMBER)).length;
  caller.number = from;
  const call = await caller.call(system.sip, NUMBER);
  const status = await finalOf(call);
  if (status !== 200) return status;
  const rung = counts().filter(([name, count]) => count > (before.get(name) ?? 0));
  await call.send('BYE');
  if (!rung.some(([name]) => name === 'theirs')) {
    await until(async () => {
      const found = await system.records(NUMBER);
      return found.length > records && found.every(({ result }) => result !== null);
    });
  }
  return rung.map(([name]) => name).join();
}

/** The newest record of the number in the account `tests`. */
async function newest(): Promise<unknown> {
  const [record] = await system.records(NUMBER);
  return record;
}

/** The records of the number in the account `other`. */
async function others(): Promise<readonly { result: string | null }[]> {
  const answer = await fetch(`${system.http}/v1/calls?number=${encodeURIComponent(NUMBER)}`, {
    headers: { authorization: `Bearer ${OTHER_KEY}` },
  });
  return ((await answer.json()) as { items: { result: string | null }[] }).items;
}

t.test(
  'a caller who calls again reaches whom he reached before, though the number is another\u2019s',
  async (t) => {
    const first = await system.allocate('sales', 'session-1');
    t.equal(first.number, NUMBER);
    t.equal(await reached('+12025550123'), 'sales');
    t.match(await newest(), { why: 'linked', session: 'session-1', caller: '+12025550123' });
    await system.api('DELETE', `/v1/links/${first.link}`);
    // The number is given on when the page that showed it has had the margin for skewed clocks.
    await until(async () => (await system.allocate('support', 'session-2')).number === NUMBER, 15_000);
    t.equal(await reached('+12025550124'), 'support', 'somebody else reaches the one who has it now');
    t.match(await newest(), { why: 'linked', session: 'session-2' });
    t.equal(await reached('+12025550123'), 'sales', 'he who called before reaches whom he reached before');
    t.match(await newest(), { redial: true, late: true, session: 'session-1', result: 'answered' });
  },
);

t.test('a number in quarantine between two accounts', async (t) => {
  await system.follow(declaration('other', 'lastHolder'));
  t.equal(await reached('+12025550125'), 'support', 'lastHolder: the account that had it answers');
  t.match(await newest(), { result: 'answered', late: false, session: 'session-2' });
  await system.follow(declaration('other', 'default'));
  const before = (await system.records(NUMBER)).length;
  t.equal(
    await reached('+12025550125'),
    'theirs',
    'default: the default endpoint of the pool that has it now',
  );
  await system.follow(declaration('other', 'reject'));
  t.equal(await reached('+12025550125'), 404, 'reject');
  await until(
    async () => (await others()).length === 2 && (await others()).every(({ result }) => result !== null),
  );
  t.match((await others())[0], { result: 'failed', reason: { status: 404 }, why: 'unknownNumber' });

  await system.follow(declaration('other', 'announce'));
  const call = await caller.call(system.sip, NUMBER);
  t.equal(await finalOf(call, 15_000), 404, 'announce: refused in the end');
  t.ok(call.statuses.includes(183), 'after early media');
  const loud = call.media.received.filter((packet) =>
    packet.subarray(12).some((byte) => (byte & 0x7f) < 0x50),
  );
  t.ok(loud.length > 50, `a tone was heard: ${String(loud.length)} packets`);
  t.match(call.last.get('Reason'), /^Q\.850;cause=1\b/);
  await until(
    async () => (await others()).length === 3 && (await others()).every(({ result }) => result !== null),
  );
  t.match((await others())[0], {
    result: 'failed',
    reason: { status: 404, q850: 1 },
    answeredAt: null,
    why: 'unknownNumber',
    media: 'bridged',
  });
  t.equal((await system.records(NUMBER)).length, before, 'the account that had it learns nothing of these');
});

t.test('a redial never leads to another account', async (t) => {
  await system.follow(declaration('other'));
  const before = (await system.records(NUMBER)).length;
  t.equal(await reached('+12025550123'), 'theirs', 'he who reached sales by this number when it was theirs');
  t.equal((await system.records(NUMBER)).length, before, 'and the account that had it learns nothing of it');
});
