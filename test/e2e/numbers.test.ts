/** Numbers that go from hand to hand, by real calls: redials, and numbers in quarantine between two accounts. */
import t, { type Test } from 'tap';
import { Agent, type AgentCall } from '../standalone/media-agent.js';
import { until } from '../support/until.js';
import { finalOf } from './ends.js';
import { System, type Record_ } from './system.js';

/** The number that goes from hand to hand, and another one of the account `tests`. */
const NUMBER = '+12025550100';
const SECOND = '+12025550110';
const OTHER_KEY = 'another-api-key-for-these-tests';
/** What a record says where nobody's visit is behind the call. */
const NOBODY = {
  level: 'none',
  session: null,
  visitor: null,
  link: null,
  redial: false,
  late: false,
} as const;

type Owner = 'tests' | 'other';
const keys: Record<Owner, string | undefined> = { tests: undefined, other: OTHER_KEY };
const answers = (call: AgentCall): void => {
  call.reply(180);
  call.reply(200, '0 101');
};
const callees: Record<string, Agent> = {};
let system: System;
let caller: Agent;

const announcement = (policy: string): string => (policy === 'announce' ? ', announcement: tone' : '');

/**
 * The account `tests` with the endpoints `sales` and `support`, and `other` with `theirs`. The number is in the pool of
 * one of them; with `inQuarantine` it rests for a day when it goes to the other.
 */
function declaration(owner: Owner, inQuarantine?: string): string {
  const trunk = '    trunks: [{name: carrier, addresses: [127.0.0.1/32]}]\n';
  const site = (origin: string): string =>
    `    sites: [{name: site, origins: [${origin}], printedNumber: '+12125550150'}]\n`;
  const endpoint = (name: string): string =>
    `      - {name: ${name}, destinations: ['sip:${name}@127.0.0.1:${String(callees[name]?.sip.port)}']}\n`;
  // Another number keeps the pool alive; that of `other` is paused, so that its visitors get the one that is watched.
  const pool = (account: Owner, defaultEndpoint: string, own: string): string => {
    const numbers = account === owner ? `'${NUMBER}', '${own}'` : `'${own}'`;
    const paused = account === 'other' ? `, paused: ['${own}']` : '';
    const policy =
      inQuarantine === undefined ? '' : `, inQuarantine: ${inQuarantine}${announcement(inQuarantine)}`;
    return `    pools: [{name: pool, trunk: carrier, defaultEndpoint: ${defaultEndpoint}, numbers: [${numbers}]${paused}${policy}}]\n`;
  };
  return [
    trunk,
    site('self'),
    '    endpoints:\n',
    endpoint('sales'),
    endpoint('support'),
    pool('tests', 'sales', SECOND),
    `  - name: other\n    apiKeys: [{name: key, key: ${OTHER_KEY}}]\n`,
    trunk,
    site('https://www.example.com'),
    '    endpoints:\n',
    endpoint('theirs'),
    pool('other', 'theirs', '+12025550120'),
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

/** What became of one call: what the caller heard, who was rung, and which account has its record. */
interface Outcome {
  readonly final: number;
  readonly rung: readonly string[];
  readonly account: Owner;
  readonly record: Record_;
  readonly call: AgentCall;
}

/** Calls `number` as `from`, hangs up once answered; the record is finished, and in one account alone. */
async function dial(t: Test, from: string, number = NUMBER): Promise<Outcome> {
  const records = async (account: Owner): Promise<readonly Record_[]> =>
    system.records(number, keys[account]);
  const owners = ['tests', 'other'] as const;
  const known = new Set((await Promise.all(owners.map(records))).flat().map(({ id }) => id));
  const before = new Map(Object.entries(callees).map(([name, { calls }]) => [name, calls.length]));
  caller.number = from;
  const call = await caller.call(system.sip, number);
  const final = await finalOf(call, 15_000);
  if (final === 200) await call.send('BYE');
  const fresh: { account: Owner; record: Record_ }[] = [];
  await until(async () => {
    fresh.length = 0;
    for (const account of owners)
      for (const record of await records(account)) if (!known.has(record.id)) fresh.push({ account, record });
    return fresh.length > 0 && fresh.every(({ record }) => record.result !== null);
  });
  const [one, second] = fresh;
  if (one === undefined || second !== undefined)
    throw new Error(`${String(fresh.length)} records of one call`);
  t.equal(one.record.caller, from);
  const rung = Object.entries(callees).flatMap(([name, { calls }]) =>
    calls.length > (before.get(name) ?? 0) ? [name] : [],
  );
  return { final, rung, call, ...one };
}

const AGAIN = '+12025550123';
const BOTH_PAGES = '+12025550129';
const BOTH_ACCOUNTS = '+12025550128';

t.test('a redial reaches whom it reached before, after the number was given to another', async (t) => {
  const first = await system.allocate('sales', 'session-1');
  t.equal(first.number, NUMBER);
  t.match(await dial(t, AGAIN), {
    final: 200,
    rung: ['sales'],
    account: 'tests',
    record: { why: 'linked', session: 'session-1', redial: false, result: 'answered' },
  });
  const other = await system.allocate('sales', 'session-9');
  t.equal(other.number, SECOND);
  t.match(await dial(t, BOTH_PAGES, SECOND), { rung: ['sales'], record: { session: 'session-9' } });
  for (const { link } of [first, other]) await system.api('DELETE', `/v1/links/${link}`);
  // Numbers are given on when the pages that showed them have had the margin for skewed clocks.
  await until(async () => (await system.allocate('support', 'session-2')).number === NUMBER, 15_000);
  await until(async () => (await system.allocate('support', 'session-9')).number === SECOND);
  const { link } = await system.allocate('support', 'session-9');
  await system.api('DELETE', `/v1/links/${link}`);
  t.match(
    await dial(t, '+12025550124'),
    { final: 200, rung: ['support'], record: { why: 'linked', session: 'session-2', redial: false } },
    'somebody else reaches the one who has it now',
  );
  for (const time of ['first', 'second']) {
    t.match(
      await dial(t, AGAIN),
      {
        final: 200,
        rung: ['sales'],
        account: 'tests',
        // It is credited to the link of then, and goes where that one leads.
        record: { why: 'lastHolder', redial: true, session: 'session-1', late: true, result: 'answered' },
      },
      `the ${time} redial`,
    );
  }
  t.match(
    await dial(t, BOTH_PAGES, SECOND),
    {
      final: 200,
      rung: ['sales'],
      account: 'tests',
      record: { why: 'redial', redial: true, session: 'session-9', late: true, result: 'answered' },
    },
    'also where the same visitor had the number for another endpoint since',
  );
});

t.test('quarantine, lastHolder: the account that had the number answers', async (t) => {
  const { link } = await system.allocate('support', 'session-2');
  await system.api('DELETE', `/v1/links/${link}`);
  await system.follow(declaration('other', 'lastHolder'));
  t.match(await dial(t, '+12025550125'), {
    final: 200,
    rung: ['support'],
    account: 'tests',
    record: { why: 'lastHolder', late: true, session: 'session-2', result: 'answered' },
  });
  t.match(
    await dial(t, AGAIN),
    { final: 200, rung: ['sales'], account: 'tests', record: { redial: true, session: 'session-1' } },
    'a redial too is his who had the number',
  );
});

t.test('quarantine, default: the account that has it now answers, and nobody is credited', async (t) => {
  await system.follow(declaration('other', 'default'));
  for (const from of ['+12025550126', AGAIN]) {
    t.match(await dial(t, from), {
      final: 200,
      rung: ['theirs'],
      account: 'other',
      record: { ...NOBODY, why: 'poolDefault', result: 'answered' },
    });
  }
});

t.test('quarantine, reject: 404, nobody is rung, and the record says so', async (t) => {
  await system.follow(declaration('other', 'reject'));
  for (const from of ['+12025550127', AGAIN]) {
    const outcome = await dial(t, from);
    t.match(outcome, {
      final: 404,
      account: 'other',
      record: {
        ...NOBODY,
        why: 'unknownNumber',
        endpoint: null,
        result: 'failed',
        reason: { status: 404, q850: 1 },
      },
    });
    t.strictSame(outcome.rung, []);
  }
});

t.test('quarantine, announce: a tone in early media, then as for reject', async (t) => {
  await system.follow(declaration('other', 'announce'));
  const outcome = await dial(t, '+12025550127');
  t.match(outcome, {
    final: 404,
    account: 'other',
    record: {
      ...NOBODY,
      why: 'unknownNumber',
      result: 'failed',
      reason: { status: 404, q850: 1 },
      answeredAt: null,
      media: 'bridged',
    },
  });
  t.strictSame(outcome.rung, []);
  const { statuses, media, last } = outcome.call;
  t.ok(statuses.includes(183), 'early media');
  const loud = media.received.filter((packet) => packet.subarray(12).some((byte) => (byte & 0x7f) < 0x50));
  t.ok(loud.length > 50, `a tone was heard: ${String(loud.length)} packets`);
  t.match(last.get('Reason'), /^Q\.850;cause=1\b/);
});

t.test('a redial never leads to another account, in neither direction', async (t) => {
  await system.follow(declaration('other'));
  t.match(
    await dial(t, AGAIN),
    { final: 200, rung: ['theirs'], account: 'other', record: { ...NOBODY, why: 'poolDefault' } },
    'who reached sales by the number when it was theirs',
  );
  const shown = await system.allocate('theirs', 'session-3', {}, OTHER_KEY);
  t.equal(shown.number, NUMBER);
  t.match(
    await dial(t, BOTH_ACCOUNTS),
    { final: 200, rung: ['theirs'], account: 'other', record: { why: 'linked', session: 'session-3' } },
    'and who reached theirs',
  );
  await system.follow(declaration('tests'));
  t.match(
    await dial(t, BOTH_ACCOUNTS),
    { final: 200, rung: ['support'], account: 'tests', record: { redial: false, session: 'session-2' } },
    'reaches the last holder in the account that has it again',
  );
  t.match(
    await dial(t, AGAIN),
    { final: 200, rung: ['sales'], account: 'tests', record: { redial: true, session: 'session-1' } },
    'whose own callers are known there still',
  );
});

t.test(
  'quarantine, default: nor is anybody credited who held the number in that account before',
  async (t) => {
    await system.follow(declaration('other', 'default'));
    for (const from of [BOTH_ACCOUNTS, '+12025550130']) {
      t.match(await dial(t, from), {
        final: 200,
        rung: ['theirs'],
        account: 'other',
        record: { ...NOBODY, why: 'poolDefault', result: 'answered' },
      });
    }
  },
);
