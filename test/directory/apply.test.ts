import { readFile } from 'node:fs/promises';
import t from 'tap';
import { apply, PoolsBehind, type ApplyPorts } from '../../src/directory/apply.js';
import { applyCommand, planCommand, type CommandIo } from '../../src/directory/commands.js';
import type { Declaration } from '../../src/directory/declaration.js';
import { readDeclaration } from '../../src/directory/file.js';
import type { Account } from '../../src/directory/model.js';
import { allOffers } from '../../src/directory/number-moves.js';
import { chunks } from '../../src/directory/ranges.js';
import { reconcile } from '../../src/directory/reconcile.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { Resolver } from '../../src/numbers/resolver.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisDirectoryStore } from '../../src/redis/directory-store.js';
import { RedisLiveUse } from '../../src/redis/live-use.js';
import { RedisPoolWriter } from '../../src/redis/pool-writer.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';
import { Crash, dying, nothing, stepped, stepsOf, type Step } from './steps.js';

const redis = await TestRedis.start();
const clients = new RedisClients(redis.url, keepingLogger());
t.teardown(async () => {
  await clients.close('the test is over');
  await redis.stop();
});
await clients.ready(5000);

const ports: ApplyPorts = {
  store: new RedisDirectoryStore(clients.background),
  pools: new RedisPoolWriter(clients.background),
  liveUse: new RedisLiveUse(clients.background),
};
const scripts = new RedisScripts(clients.background);
const allocator = new Allocator(scripts);
const resolver = new Resolver(scripts, () => true);

t.beforeEach(async () => {
  await clients.background.flushall();
});

const HEAD = 'apiVersion: tagswitch/v1\naccounts:\n';
const SITE = '{name: shop, origins: [https://a.example.com], printedNumber: +12125550150}';

function acme(pools: string, more = ''): string {
  return `${HEAD}  - name: acme
    trunks: [{name: in, addresses: [192.0.2.1]}${more.includes('noTrunk') ? '' : ', {name: other, addresses: [192.0.2.2]}'}]
    endpoints: [{name: sales, destinations: ["sip:a@192.0.2.9"]}${more.includes('noEndpoint') ? '' : ', {name: help, destinations: ["sip:b@192.0.2.9"]}'}]
    sites: [${SITE}${more.includes('noSite') ? '' : `, ${SITE.replace('shop', 'blog')}`}]
    pools: [${pools}]
`;
}

function noFile(): never {
  throw new Error('no file is read here');
}

const declared = (text: string): Declaration => readDeclaration(text, { ownOrigins: [], readBeside: noFile });
const FIRST = declared(
  acme('{name: p, numbers: [+12025550100-+12025550109]}, {name: q, numbers: [+12025550120]}'),
);
const SECOND = declared(
  acme(
    '{name: p, numbers: [+12025550105-+12025550112], paused: [+12025550106]}, {name: r, numbers: [+12025550100, +12025550120]}',
  ),
);

/** Its new number is the first to be given: of those that nobody held, the lowest is. */
const THIRD = declared(
  acme('{name: p, numbers: [+12015550100, +12025550100-+12025550109]}, {name: q, numbers: [+12025550120]}'),
);

/** Which number stands in which pool, by the document and by Redis. Pools that the document does not know count too. */
async function placed(): Promise<{ document: string[]; pools: string[] }> {
  const document = allOffers(await ports.store.read(), 0).flatMap(({ account, pool, numbers }) =>
    [...chunks(numbers, 100)].flat().map((number) => `${account} ${pool} ${number}`),
  );
  const pools: string[] = [];
  for (const key of await clients.background.keys('ts:{account:*}:ends:*')) {
    const [, account = '', pool = ''] = /^ts:\{account:(.*)\}:ends:(.*)$/.exec(key) ?? [];
    for (const number of (await ports.pools.members(account, pool)).keys())
      pools.push(`${account} ${pool} ${number}`);
  }
  return { document: document.sort(), pools: pools.sort() };
}

/** The only account. */
async function account(): Promise<Account> {
  const [one] = (await ports.store.read()).accounts;
  if (one === undefined) throw new Error('there is no account');
  return one;
}

function idOf(things: readonly { id: string; name: string }[], name: string): string {
  return things.find((thing) => thing.name === name)?.id ?? `no ${name}`;
}

async function allocate(site: string, endpoint: string, session = 's1'): Promise<string> {
  const one = await account();
  const at = one.sites.find(({ name }) => name === site);
  if (at === undefined) throw new Error(`no site ${site}`);
  const request = { account: one.id, site: at.id, endpoint: idOf(one.endpoints, endpoint), session };
  return (await allocator.allocate(request, { pools: one.pools, site: at })).number;
}

async function call(number: string, trunk: string): Promise<void> {
  const one = await account();
  const pool = allOffers(await ports.store.read(), 0).find(({ numbers }) =>
    [...chunks(numbers, 100)].flat().includes(number),
  );
  await resolver.resolve({
    account: one.id,
    pool: pool?.pool ?? '',
    number,
    defaultEndpoint: idOf(one.endpoints, 'sales'),
    call: 'call_1',
    at: Date.now(),
    trunk: idOf(one.trunks, trunk),
    test: false,
  });
}

t.test('applied once it is true, applied twice nothing changes', async (t) => {
  const result = await apply(FIRST, ports);
  t.match(result, { outcome: 'applied', version: 1 });
  const before = await placed();
  t.equal(before.pools.length, 11);
  t.strictSame(before.pools, before.document);
  t.strictSame(await apply(FIRST, ports), { outcome: 'unchanged', version: 1 });
  t.match(await apply(SECOND, ports), { outcome: 'applied', version: 2 });
  const after = await placed();
  t.equal(after.pools.length, 9);
  t.strictSame(after.pools, after.document);
  t.match(await apply(declared(`${HEAD}  []`), ports), { outcome: 'applied', version: 3 });
  t.strictSame(await placed(), { document: [], pools: [] });
  t.strictSame(await clients.background.keys('*ends*'), [], 'no key is left');
});

t.test('what live links and calls need does not go without force', async (t) => {
  await apply(FIRST, ports);
  const number = await allocate('blog', 'help');
  const other = await allocate('shop', 'sales');
  const cases: readonly (readonly [file: string, reasons: RegExp[]])[] = [
    [
      acme('{name: q, numbers: [+12025550120]}'),
      [new RegExp(`^pool acme/p has live links or calls on numbers that would go: .*\\${number}`)],
    ],
    [
      acme('{name: p, numbers: [+12025550100-+12025550109]}, {name: q, numbers: [+12025550120]}', 'noSite'),
      [/^site acme\/blog has 1 live link$/],
    ],
    [
      acme(
        '{name: p, numbers: [+12025550100-+12025550109]}, {name: q, numbers: [+12025550120]}',
        'noEndpoint',
      ),
      [/^endpoint acme\/help has 1 live link$/],
    ],
    [`${HEAD}  []`, [/^account acme has 2 live links$/, /^pool acme\/p has/]],
    [acme('{name: q, numbers: [+12025550120]}', 'noSite noEndpoint'), [/^site/, /^endpoint/, /^pool/]],
  ];
  const before = await placed();
  for (const [text, reasons] of cases) {
    const result = await apply(declared(text), ports);
    t.equal(result.outcome, 'refused', text);
    if (result.outcome === 'refused') {
      t.equal(result.reasons.length, reasons.length, result.reasons.join(' | '));
      t.match(result.reasons, reasons);
    }
    t.strictSame(await placed(), before, 'nothing was changed');
    t.equal((await ports.store.read()).version, 1);
  }

  // What nobody holds may go at any time, also beside what somebody holds.
  const kept = declared(
    acme(`{name: p, numbers: [${number}, ${other}]}, {name: q, numbers: [+12025550120]}`),
  );
  t.match(await apply(kept, ports), { outcome: 'applied', version: 2 });

  await call(number, 'other');
  const noTrunk = declared(
    acme(`{name: p, numbers: [${number}, ${other}]}, {name: q, numbers: [+12025550120]}`, 'noTrunk'),
  );
  t.strictSame(await apply(noTrunk, ports), {
    outcome: 'refused',
    reasons: ['trunk acme/other has 1 live call'],
  });

  const { id } = await account();
  t.match(await apply(declared(`${HEAD}  []`), ports, { force: true }), { outcome: 'applied', version: 3 });
  t.strictSame(await placed(), { document: [], pools: [] });
  t.equal(await clients.background.hlen(accountKeys(id).links), 0, 'the links are over');
});

t.test('a link that is made while a number is about to go keeps it', async (t) => {
  await apply(FIRST, ports);
  // The look at live use sees nothing yet; the store looks again in the step that takes the numbers.
  const late: ApplyPorts = { ...ports, liveUse: { of: () => Promise.resolve([]) } };
  const number = await allocate('blog', 'help');
  const before = await placed();
  const result = await apply(declared(acme('{name: p, numbers: [+12025550109]}')), late);
  t.match(result, { outcome: 'refused', reasons: [new RegExp(`pool acme/p .*\\${number}`)] });
  t.strictSame(await placed(), before, 'the others are back in their pools');
});

async function startAgain(): Promise<void> {
  await clients.background.flushall();
  await apply(FIRST, ports);
}

t.test('a crash before and after each step is mended by the next start', async (t) => {
  await startAgain();
  const steps = await stepsOf(ports, (watched) => apply(SECOND, watched));
  t.ok(
    ['withdraw', 'hide', 'publish', 'move', 'reserve'].every((name) => steps.includes(name)),
    steps.join(),
  );
  let halfway = 0;
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; at <= steps.length; at++) {
      await startAgain();
      await t.rejects(apply(SECOND, dying(ports, when, at)));
      const found = await placed();
      if (found.pools.join() !== found.document.join()) halfway++;
      await reconcile(ports);
      const mended = await placed();
      t.strictSame(mended.pools, mended.document, `${when} step ${at} (${steps[at - 1]})`);
      t.equal(mended.pools.length, (await ports.store.read()).version === 1 ? 11 : 9);
      t.strictSame(
        await reconcile(ports),
        { reserved: 0, moved: 0, hidden: 0, withdrawn: 0, retimed: 0 },
        'once is enough',
      );
    }
  }
  t.ok(halfway >= 5, `${halfway} crashes left something to mend`);
});

t.test('a step that fails once: numbers go back, or the operator is told', async (t) => {
  await startAgain();
  const steps = await stepsOf(ports, (watched) => apply(SECOND, watched));
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; at <= steps.length; at++) {
      await startAgain();
      const fail: Step = (_name, number) => (number === at ? Promise.reject(new Crash()) : Promise.resolve());
      const failing = when === 'before' ? stepped(ports, fail, nothing) : stepped(ports, nothing, fail);
      const error: unknown = await apply(SECOND, failing).then(
        () => undefined,
        (error: unknown) => error,
      );
      const title = `${when} step ${at} (${steps[at - 1]})`;
      const published = at > steps.indexOf('publish') + 1;
      t.equal(error instanceof PoolsBehind, published, title);
      t.ok(error instanceof (published ? PoolsBehind : Crash), title);
      const { document, pools } = await placed();
      if ((await ports.store.read()).version === 1)
        t.strictSame(pools, document, `${title}: all is as before`);
      else
        t.ok(
          pools.every((one) => document.includes(one) || published),
          `${title}: no number is in a wrong pool`,
        );
      await apply(SECOND, ports);
      const again = await placed();
      t.strictSame(again.pools, again.document, `${title}: applied again`);
      t.equal(again.pools.length, 9);
    }
  }
});

t.test(
  'a process that starts in the middle of an apply, and an apply in the middle of a start',
  async (t) => {
    await startAgain();
    const applySteps = await stepsOf(ports, (watched) => apply(SECOND, watched));
    for (let at = 1; at <= applySteps.length; at++) {
      await startAgain();
      const between = stepped(
        ports,
        async (_name, number) => void (number === at && (await reconcile(ports))),
        nothing,
      );
      t.match(await apply(SECOND, between), { outcome: 'applied', version: 2 });
      const { document, pools } = await placed();
      t.strictSame(pools, document, `a start before step ${at} (${applySteps[at - 1]})`);
    }
    // Something to mend, so that the start does all of its steps.
    const spoilt = async (): Promise<void> => {
      await startAgain();
      const { id, pools } = await account();
      await ports.pools.withdraw(id, idOf(pools, 'p'), ['+12025550100', '+12025550107'], true);
      await ports.pools.reserve(id, idOf(pools, 'q'), ['+12025550150'], 0);
    };
    await spoilt();
    const startSteps = await stepsOf(ports, (watched) => reconcile(watched));
    for (let at = 1; at <= startSteps.length; at++) {
      const title = `an apply before step ${at} (${startSteps[at - 1]})`;
      await spoilt();
      let given = '';
      const interrupt: Step = async (_name, number) => {
        if (number !== at) return;
        await apply(THIRD, ports);
        given = await allocate('shop', 'sales');
      };
      await reconcile(stepped(ports, interrupt, nothing));
      const { document, pools } = await placed();
      t.strictSame(pools, document, title);
      t.equal(given, '+12015550100', 'a number that has just come is given to a page');
      t.equal(await allocate('shop', 'sales'), given, `${title}: and stays the page's`);
    }
  },
);

t.test('operators who apply at the same time', async (t) => {
  const files = [
    FIRST,
    SECOND,
    declared(acme('{name: z, numbers: [+12025550100-+12025550120]}')),
    declared(`${HEAD}  []`),
  ];
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, i) => apply(files[i % 4] ?? FIRST, ports)),
  );
  const versions = results.flatMap((one) => (one.outcome === 'applied' ? [one.version] : []));
  t.strictSame(
    versions.toSorted((a, b) => a - b),
    versions.map((_, i) => i + 1),
    'each version was published once',
  );
  t.equal((await ports.store.read()).version, versions.length);
  // How many were too late three times is the machine's business; nobody hears anything else.
  t.strictSame(
    results.filter(({ outcome }) => !['applied', 'unchanged', 'conflict'].includes(outcome)),
    [],
  );
  await reconcile(ports);
  const { document, pools } = await placed();
  t.strictSame(
    pools.filter((one) => document.includes(one)),
    document,
  );
});

t.test('a writer who is too late three times gives up, and changes nothing', async (t) => {
  let attempts = 0;
  const store = {
    read: () => ports.store.read(),
    watch: ports.store.watch.bind(ports.store),
    publish: () => {
      attempts += 1;
      return Promise.resolve(false);
    },
  };
  t.strictSame(await apply(FIRST, { ...ports, store }), { outcome: 'conflict' });
  t.equal(attempts, 3);
  t.equal((await ports.store.read()).version, 0);
});

t.test('numbers that were held keep their age over a pause in another pool', async (t) => {
  await apply(declared(acme('{name: p, numbers: [+12025550100, +12025550101]}')), ports);
  const first = await allocate('shop', 'sales', 's1');
  await apply(declared(acme('{name: q, numbers: [+12025550100, +12025550101]}')), ports, { force: true });
  t.not(
    await allocate('shop', 'sales', 's2'),
    first,
    'the page that still shows it may be called for a while',
  );
});

t.test('plan and apply as commands', async (t) => {
  const files = new Map([
    ['good.yaml', acme('{name: p, numbers: [+12025550100-+12025550109]}')],
    ['bad.yaml', acme('{name: p, numbers: [+1202]}').replace('name: acme', 'name: acme\n    colour: red')],
    ['none.yaml', `${HEAD}  []`],
  ]);
  const run = async (command: (io: CommandIo) => Promise<number>) => {
    const out: string[] = [];
    const err: string[] = [];
    const readText = (path: string): Promise<string> => {
      const text = files.get(path);
      return text === undefined ? readFile(`/nowhere/${path}`, 'utf8') : Promise.resolve(text);
    };
    const io = {
      readText,
      out: (line: string) => out.push(line),
      err: (line: string) => err.push(line),
      ownOrigins: [],
      readBeside: noFile,
      ports,
    };
    return { code: await command(io), out, err };
  };
  const plan = (path: string) => run((io) => planCommand(path, io));
  const make = (path: string, force = false) => run((io) => applyCommand(path, { force }, io));

  for (const command of [plan, make]) {
    const bad = await command('bad.yaml');
    t.equal(bad.code, 2);
    t.strictSame(bad.out, []);
    t.match(bad.err, [
      /^bad\.yaml: accounts\[0\] \(line 4, .*"colour" is not known/,
      /^bad\.yaml: accounts\[0\]\.pools\[0\]\.numbers\[0\] \(line 8,/,
    ]);
    t.strictSame(await command('missing.yaml'), {
      code: 2,
      out: [],
      err: ['missing.yaml: expected a file that can be read (ENOENT)'],
    });
  }
  const planned = await plan('good.yaml');
  t.equal(planned.code, 0);
  t.match(planned.out, [/^\+ account acme/]);
  t.equal(planned.out.at(-1), 'version 0 would become version 1');
  t.equal((await ports.store.read()).version, 0, 'a plan changes nothing');
  const made = await make('good.yaml');
  t.strictSame(made.out.slice(0, -1), planned.out.slice(0, -1), 'what was planned is what is done');
  t.equal(made.out.at(-1), 'version 1 is in force');
  t.strictSame(await make('good.yaml'), {
    code: 0,
    out: ['nothing to change, version 1 is in force'],
    err: [],
  });
  t.strictSame(await plan('good.yaml'), {
    code: 0,
    out: ['nothing to change, version 1 is in force'],
    err: [],
  });

  await allocate('shop', 'sales');
  const warned = await plan('none.yaml');
  t.equal(warned.code, 0);
  t.match(warned.out.slice(-2), [
    /^needs --force: account acme has 1 live link$/,
    /^needs --force: pool acme\/p has/,
  ]);
  const refused = await make('none.yaml');
  t.equal(refused.code, 1);
  t.match(refused.err, [/^account acme has 1 live link$/, /^pool acme\/p/, /^nothing was changed; --force/]);
  t.equal((await make('none.yaml', true)).code, 0);
  t.strictSame((await ports.store.read()).accounts, []);
});
