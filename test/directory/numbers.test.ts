import t from 'tap';
import { apply, type ApplyPorts, type ApplyResult } from '../../src/directory/apply.js';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import { readDeclaration } from '../../src/directory/file.js';
import type { Account } from '../../src/directory/model.js';
import { numberState } from '../../src/directory/number-state.js';
import { reconcile } from '../../src/directory/reconcile.js';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { parseHolderLog } from '../../src/numbers/holder-log.js';
import { accountKeys } from '../../src/numbers/keys.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisDirectoryStore } from '../../src/redis/directory-store.js';
import { RedisLiveUse } from '../../src/redis/live-use.js';
import { RedisPoolWriter } from '../../src/redis/pool-writer.js';
import { scanSortedSet } from '../../src/redis/scan.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';
import { dying, stepsOf } from './steps.js';

const redis = await TestRedis.start();
const clients = new RedisClients(redis.url, keepingLogger());
t.teardown(async () => {
  await clients.close('the test is over');
  await redis.stop();
});
await clients.ready(5000);

const DAY = 86_400_000;
/** What `reconcile` says where there was nothing to mend. */
const WELL = { reserved: 0, moved: 0, hidden: 0, withdrawn: 0, retimed: 0 };
/** The clock of everybody; it begins at the time of Redis, which the look at live use goes by. */
let now = Date.now();
const clock = (): number => now;
const client = clients.background;
const ports: ApplyPorts = {
  store: new RedisDirectoryStore(client),
  pools: new RedisPoolWriter(client, clock),
  liveUse: new RedisLiveUse(client),
};
const allocator = new Allocator(new RedisScripts(client), clock);

t.beforeEach(async () => {
  await client.flushall();
  now = Date.now();
});

const SITE = 'origins: [https://a.example.com], printedNumber: +12125550150';

interface Parts {
  readonly profile?: string;
  readonly site?: string;
}

/** An account with one site and one endpoint. */
function account(name: string, pools: string, { profile, site }: Parts = {}): string {
  return `  - name: ${name}
    endpoints: [{name: sales, destinations: ["sip:${name}@192.0.2.9"]}]
    sites: [{name: shop, ${SITE}${site === undefined ? '' : `, ${site}`}}]
    pools: [${pools}]
${profile === undefined ? '' : `    profile: ${profile}\n`}`;
}

function make(accounts: readonly string[], reuse?: string, force = false): Promise<ApplyResult> {
  const list = accounts.length === 0 ? '  []\n' : accounts.join('');
  const text = `apiVersion: tagswitch/v1\naccounts:\n${list}${reuse === undefined ? '' : `reuse: ${reuse}\n`}`;
  const declaration = readDeclaration(text, { ownOrigins: [], readBeside: () => '' });
  return apply(declaration, ports, { force, clock });
}

async function made(...args: Parameters<typeof make>): Promise<DirectoryIndex> {
  const result = await make(...args);
  if (result.outcome !== 'applied') throw new Error(JSON.stringify(result));
  return new DirectoryIndex(await ports.store.read());
}

function accountOf(index: DirectoryIndex, name: string): Account {
  const found = index.directory.accounts.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no account ${name}`);
  return found;
}

async function allocate(index: DirectoryIndex, name: string, session: string) {
  const one = accountOf(index, name);
  const [site, endpoint] = [one.sites[0], one.endpoints[0]];
  if (site === undefined || endpoint === undefined) throw new Error('no site');
  const request = { account: one.id, site: site.id, endpoint: endpoint.id, session };
  return allocator.allocate(request, { pools: index.poolsFor(one.id, site.id, endpoint.id), site });
}

/** What each pool has on offer, by name, and from when. */
async function offers(index: DirectoryIndex): Promise<Record<string, Record<string, number>>> {
  const all: Record<string, Record<string, number>> = {};
  for (const one of index.directory.accounts) {
    for (const pool of one.pools) {
      const found: Record<string, number> = {};
      for await (const part of scanSortedSet(client, accountKeys(one.id).ends(pool.id))) {
        for (const { member, score } of part) found[member] = score;
      }
      all[`${one.name}/${pool.name}`] = found;
    }
  }
  return all;
}

async function newest(owner: Account, number: string) {
  return parseHolderLog((await client.hget(accountKeys(owner.id).numbers, number)) ?? '')[0];
}

t.test('a paused number is shown to nobody new, and its link lives on', async (t) => {
  let index = await made([account('acme', '{name: p, numbers: [+12025550100, +12025550101]}')]);
  const held = await allocate(index, 'acme', 's1');
  t.equal(held.number, '+12025550100');
  const paused = '{name: p, numbers: [+12025550100, +12025550101], paused: [+12025550100]}';
  index = await made([account('acme', paused)]);
  const acme = accountOf(index, 'acme');
  t.equal(index.numberState(held.number, now), 'paused');
  t.equal(index.numberState('+12025550101', now), 'active');
  t.equal(index.numberOwner(held.number)?.account.name, 'acme', 'it still rings');
  t.strictSame(await offers(index), { 'acme/p': { '+12025550101': 0 } });
  t.match(await allocate(index, 'acme', 's2'), { number: '+12025550101' });
  t.match(await allocate(index, 'acme', 's3'), { level: 'none' }, 'not to a new visitor');
  t.match(
    await allocator.renew(acme.id, held.link ?? '', []),
    { state: 'renewed', number: held.number },
    'its page keeps it',
  );
  const uses = await ports.liveUse.of(acme);
  t.ok(
    uses.some(({ number, kind }) => number === held.number && kind === 'link'),
    'and counts as live use',
  );

  // It goes on offer again while its link lives: not before that is over.
  index = await made([account('acme', '{name: p, numbers: [+12025550100, +12025550101]}')]);
  const until = (await newest(acme, held.number))?.until ?? 0;
  t.ok(until > now);
  t.equal((await offers(index))['acme/p']?.[held.number], until + MARGIN_MS);

  // Paused, with a live link: it cannot leave the account or retire without force.
  await made([account('acme', paused)]);
  for (const pools of [
    '{name: p, numbers: [+12025550101]}',
    '{name: p, numbers: [+12025550100, +12025550101], retired: [+12025550100]}',
  ]) {
    const refused = await make([account('acme', pools)]);
    t.match(refused, { outcome: 'refused', reasons: [/pool acme\/p .*\+12025550100/] }, pools);
    const late = { ...ports, liveUse: { of: () => Promise.resolve([]) } };
    const text = `apiVersion: tagswitch/v1\naccounts:\n${account('acme', pools)}`;
    const declaration = readDeclaration(text, { ownOrigins: [], readBeside: () => '' });
    t.match(await apply(declaration, late, { clock }), { outcome: 'refused' }, 'the store itself looks too');
  }
});

t.test('a retired number is out of service', async (t) => {
  let index = await made([account('acme', '{name: p, numbers: [+12025550100, +12025550101]}')]);
  const held = await allocate(index, 'acme', 's1');
  const retired = '{name: p, numbers: [+12025550100, +12025550101], retired: [+12025550100]}';
  t.match(await make([account('acme', retired)]), {
    outcome: 'refused',
    reasons: [/pool acme\/p has live links or calls on numbers that would go: \+12025550100/],
  });
  index = await made([account('acme', retired)], undefined, true);
  t.equal(index.numberState(held.number, now), 'retired');
  t.equal(index.numberOwner(held.number), undefined, 'a call gets 404');
  t.strictSame(await offers(index), { 'acme/p': { '+12025550101': 0 } });
  t.equal((await allocator.renew(accountOf(index, 'acme').id, held.link ?? '', [])).state, 'unknown');
  index = await made([account('acme', '{name: p, numbers: [+12025550100, +12025550101]}')]);
  t.equal(index.numberState(held.number, now), 'active');
  t.equal(index.numberOwner(held.number)?.pool.name, 'p');
  t.equal(Object.keys((await offers(index))['acme/p'] ?? {}).length, 2);
});

t.test('the overflow number is never handed out to one visitor', async (t) => {
  const pools = '{name: p, numbers: [+12025550100, +12025550101], paused: [+12025550101]}';
  const index = await made([account('acme', pools, { site: 'overflowNumber: +12025550101' })]);
  t.strictSame(await offers(index), { 'acme/p': { '+12025550100': 0 } });
  await client.flushdb();
  await ports.store.publish({ ...index.directory, version: 1 });
  t.match(await reconcile(ports, clock), { reserved: 1 }, 'nor after a loss of the pools');
  t.strictSame(await offers(index), { 'acme/p': { '+12025550100': 0 } });
});

t.test('numbers move to another pool with their links', async (t) => {
  let index = await made([
    account(
      'acme',
      '{name: p, numbers: [+12025550100-+12025550102], paused: [+12025550102]}, {name: q, numbers: [+12025550110]}',
    ),
  ]);
  const acme = accountOf(index, 'acme');
  const p = acme.pools[0]?.id ?? '';
  const held = await allocate(index, 'acme', 's1');
  const other = await allocate(index, 'acme', 's2');
  const before = (await offers(index))['acme/p'];
  // Pool p goes; its numbers move into q, one of them paused there.
  index = await made([
    account(
      'acme',
      '{name: q, numbers: [+12025550100-+12025550102, +12025550110], paused: [+12025550101, +12025550102]}',
    ),
  ]);
  const q = accountOf(index, 'acme').pools[0]?.id ?? '';
  t.strictSame(accountOf(index, 'acme').formerPools, [p]);
  t.equal(index.accountOfPool(p)?.id, acme.id, 'links of p are still found');
  t.equal(index.accountOfPool(q)?.id, acme.id);
  t.equal(index.accountOfPool('pool_nobody'), undefined);
  t.strictSame(await offers(index), {
    'acme/q': { '+12025550100': before?.['+12025550100'], '+12025550110': 0 },
  });
  t.match(await newest(acme, held.number), { link: held.link, pool: q });
  t.match(await newest(acme, other.number), { link: other.link, pool: q }, 'the paused one too');
  t.match(await allocate(index, 'acme', 's1'), { number: held.number, link: held.link }, 'the page keeps it');
  t.match(await allocate(index, 'acme', 's3'), { number: '+12025550110' }, 'nobody else gets it');
  t.match(await allocate(index, 'acme', 's4'), { level: 'none' });
  t.strictSame(await reconcile(ports, clock), WELL);

  // The next pool goes too: both are remembered, the newest first.
  index = await made([account('acme', '{name: r, numbers: [+12025550100-+12025550102, +12025550110]}')]);
  t.strictSame(accountOf(index, 'acme').formerPools, [q, p]);
  t.equal(Object.keys((await offers(index))['acme/r'] ?? {}).length, 4);
  t.equal(await client.zcard(accountKeys(acme.id).ends(q)), 0);
});

t.test('what is known of the traffic of a pool goes two days after the pool, or the account', async (t) => {
  const pools = '{name: p, numbers: [+12025550100]}, {name: q, numbers: [+12025550110]}';
  let index = await made([account('acme', pools), account('bold', '{name: b, numbers: [+12025550120]}')]);
  const acme = accountOf(index, 'acme');
  const known = acme.pools.map(({ id }) => accountKeys(acme.id).traffic(id));
  for (const session of ['s1', 's2', 's3']) await allocate(index, 'acme', session);
  await allocate(index, 'bold', 's4');
  known.push(
    ...accountOf(index, 'bold').pools.map(({ id }) => accountKeys(accountOf(index, 'bold').id).traffic(id)),
  );
  t.strictSame(
    (await client.keys('*:traffic:*')).sort(),
    known.toSorted(),
    'a key for each pool, given or refused',
  );
  const ttl = async (): Promise<number[]> => Promise.all(known.map((key) => client.ttl(key)));

  index = await made([account('acme', '{name: q, numbers: [+12025550110]}')], undefined, true);
  t.equal(index.directory.accounts.length, 1);
  for (const left of await ttl()) t.ok(left > 48 * 3600 && left <= 49 * 3600, `they do not stay: ${left} s`);

  // What is in use is kept: an hour later the pool that is left has its two days again, the others go on.
  for (const key of known) await client.expire(key, 3600);
  now += 3_600_000;
  await allocate(index, 'acme', 's5');
  const [gone = 0, used = 0, ofGone = 0] = await ttl();
  t.ok(used > 48 * 3600, `${used} s`);
  t.ok(gone <= 3600 && gone > 0 && ofGone <= 3600 && ofGone > 0, `${gone} s, ${ofGone} s`);
});

t.test('S5.4 active, quarantined, active at exact times', async (t) => {
  const reuse = `{quarantineMs: ${10 * DAY}, halfLifeMs: ${30 * DAY}}`;
  const numbers = '{name: p, numbers: [+12025550100, +12025550101]}';
  const one = '{name: p, numbers: [+12025550101]}';
  let index = await made(
    [account('acme', numbers), account('bold', '{name: b, numbers: [+12025550120]}')],
    reuse,
  );
  const left = now;
  index = await made([account('acme', one), account('bold', '{name: b, numbers: [+12025550120]}')], reuse);
  const acme = accountOf(index, 'acme');
  t.match(index.directory.former, [
    { first: '+12025550100', last: '+12025550100', account: acme.id, at: left, pool: acme.pools[0]?.id },
  ]);
  t.equal(index.numberState('+12025550100', left + 10 * DAY - 1), 'quarantined', "nobody's, at rest");
  t.equal(index.numberState('+12025550100', left + 10 * DAY), undefined);
  t.equal(index.numberOwner('+12025550100'), undefined);
  t.match(index.formerOwner('+12025550100', left), { account: { name: 'acme' }, policy: 'lastHolder' });
  t.equal(index.formerOwner('+12025550101', left), undefined);

  now += DAY;
  const taken = '{name: b, numbers: [+12025550100, +12025550120], inQuarantine: reject}';
  index = await made([account('acme', one), account('bold', taken)], reuse);
  const free = left + 10 * DAY;
  t.strictSame((await offers(index))['bold/b'], { '+12025550120': 0, '+12025550100': free });
  t.equal(index.numberState('+12025550100', free - 1), 'quarantined');
  t.equal(index.numberState('+12025550100', free), 'active');
  t.equal(index.numberOwner('+12025550100')?.account.name, 'bold');
  t.match(index.formerOwner('+12025550100', free - 1), { account: { name: 'acme' }, policy: 'reject' });
  t.equal(index.formerOwner('+12025550100', free), undefined);
  t.match(await allocate(index, 'bold', 's1'), { number: '+12025550120' });
  now = free - 1;
  t.match(
    await allocate(index, 'bold', 's2'),
    { number: '+12025550120' },
    'the same, a minute after its rest',
  );
  t.match(await allocate(index, 'bold', 's3'), { level: 'none' }, 'a millisecond too early');
  now = free;
  t.match(await allocate(index, 'bold', 's3'), { number: '+12025550100' });
});

/** How many days of quarantine an operator had declared, and declares next; undefined for no `reuse` at all. */
const RETIMINGS: readonly (readonly [what: string, first: number, days: number | undefined])[] = [
  ['a longer quarantine', 10, 20],
  ['a longer one, after the end of the first', 1, 20],
  ['a shorter one', 10, 5],
  ['one that is over already', 10, 1],
  ['none any more', 10, undefined],
];

for (const [what, first, days] of RETIMINGS) {
  t.test(`${what}: a crash between any two steps is mended, and the next crash in that`, async (t) => {
    const begin = now;
    const reuse = (length: number): string => `{quarantineMs: ${length * DAY}, halfLifeMs: ${30 * DAY}}`;
    const declaredFirst = [
      account('acme', '{name: p, numbers: [+12025550101, +12025550102, +12025550104]}'),
      account('bold', '{name: b, numbers: [+12025550100, +12025550103, +12025550120-+12025550123]}'),
    ];
    // Each kind of step: one number goes, one is paused, two move with what they rest, one comes, one stays and is retimed.
    const declaredNext = [
      account('acme', '{name: p, numbers: [+12025550101, +12025550102]}'),
      account(
        'bold',
        '{name: b, numbers: [+12025550100, +12025550122, +12025550123, +12025550124], paused: [+12025550122]}, {name: c, numbers: [+12025550103, +12025550120, +12025550121]}',
      ),
    ];
    const textOf = (accounts: readonly string[], rest: string): string =>
      `apiVersion: tagswitch/v1\naccounts:\n${accounts.join('')}${rest}`;
    const next = readDeclaration(textOf(declaredNext, days === undefined ? '' : `reuse: ${reuse(days)}\n`), {
      ownOrigins: [],
      readBeside: () => '',
    });
    let link: string | null = null;

    /** Two numbers of acme rest for bold, who has shown another one to a page and had one given back. */
    const startAgain = async (): Promise<void> => {
      await client.flushall();
      now = begin;
      await made(
        [
          account('acme', '{name: p, numbers: [+12025550100-+12025550104]}'),
          account('bold', '{name: b, numbers: [+12025550120-+12025550123]}'),
        ],
        reuse(first),
      );
      let index = await made(declaredFirst, reuse(first));
      const gone = await allocate(index, 'bold', 's0');
      await allocator.end(accountOf(index, 'bold').id, gone.link ?? '');
      now += 2 * DAY;
      index = new DirectoryIndex(await ports.store.read());
      ({ link } = await allocate(index, 'bold', 's1'));
    };
    const restsFor = (length: number): number => (length > 2 ? begin + length * DAY : 0);
    /** Where each number is on offer, and from when; of the past, only that it is past. */
    const found = async (): Promise<Record<string, Record<string, number>>> => {
      const all = await offers(new DirectoryIndex(await ports.store.read()));
      for (const pool of Object.values(all))
        for (const [number, at] of Object.entries(pool)) pool[number] = at > now ? at : 0;
      return all;
    };
    const pagesOf = async (): Promise<unknown> =>
      (await allocate(new DirectoryIndex(await ports.store.read()), 'bold', 's1')).link;

    await startAgain();
    const earlier = await found();
    t.equal(earlier['bold/b']?.['+12025550100'], restsFor(first));
    const steps = await stepsOf(ports, (watched) => apply(next, watched, { clock }));
    for (const name of ['withdraw', 'hide', 'publish', 'move', 'retime', 'reserve'])
      t.ok(steps.includes(name), `${name} in ${steps.join()}`);
    const later = await found();
    const { version: published } = await ports.store.read();
    const free = restsFor(days ?? 0);
    t.equal(later['bold/b']?.['+12025550100'], free);
    t.equal(later['bold/c']?.['+12025550103'], free, 'also of what moved');

    let retimed = 0;
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; at <= steps.length; at++) {
        const title = `${when} step ${at} (${steps[at - 1]})`;
        await startAgain();
        await t.rejects(apply(next, dying(ports, when, at), { clock }), title);
        const { version } = await ports.store.read();
        const mended = await reconcile(ports, clock);
        retimed += mended.retimed;
        t.strictSame(
          await found(),
          version === published ? later : earlier,
          `${title}: numbers and times as declared`,
        );
        t.strictSame(await reconcile(ports, clock), WELL, `${title}: once is enough`);
        t.equal(await pagesOf(), link, `${title}: a page keeps its number`);
      }
    }
    t.ok(retimed > 0, `${retimed} times were wrong`);

    // Whoever mends may die as well.
    const crashed = async (): Promise<void> => {
      await startAgain();
      await t.rejects(apply(next, dying(ports, 'after', steps.indexOf('publish') + 1), { clock }));
    };
    await crashed();
    const mending = await stepsOf(ports, (watched) => reconcile(watched, clock));
    t.ok(mending.includes('retime'), mending.join());
    for (let at = 1; at <= mending.length; at++) {
      await crashed();
      await t.rejects(reconcile(dying(ports, 'before', at), clock));
      await reconcile(ports, clock);
      t.strictSame(await found(), later, `mending died before step ${at} (${mending[at - 1]})`);
    }
  });
}

t.test('an account takes its own number back at once', async (t) => {
  const reuse = `{quarantineMs: ${10 * DAY}}`;
  const numbers = '{name: p, numbers: [+12025550100, +12025550101]}';
  await made([account('acme', numbers)], reuse);
  await made([account('acme', '{name: p, numbers: [+12025550101]}')], reuse);
  now += 1000;
  const index = await made([account('acme', numbers)], reuse);
  t.equal(index.directory.former, undefined, 'it did not leave');
  t.equal(index.numberState('+12025550100', now), 'active');
  t.match(await allocate(index, 'acme', 's1'), { number: '+12025550100' });
});

t.test('S5.5 a number is refused to an account that is too like the last holder, for a time', async (t) => {
  const reuse = `{quarantineMs: ${DAY}, likeness: 0.5, halfLifeMs: ${30 * DAY}}`;
  const dentist = { profile: '{trade: [dentist, hygienist], region: [kent]}' };
  const plumber = { profile: '{trade: [plumber], region: [kent]}' };
  const like = account('like', '{name: l, numbers: [+12025550120]}', dentist);
  const unlike = account('unlike', '{name: u, numbers: [+12025550130]}', plumber);
  await made(
    [account('acme', '{name: p, numbers: [+12025550100-+12025550102]}', dentist), like, unlike],
    reuse,
  );
  const left = now;
  await made([account('acme', '{name: p, numbers: [+12025550102]}', dentist), like, unlike], reuse);
  let index = await made(
    [
      account('acme', '{name: p, numbers: [+12025550102]}', dentist),
      account('like', '{name: l, numbers: [+12025550100, +12025550120]}', dentist),
      account('unlike', '{name: u, numbers: [+12025550101, +12025550130]}', plumber),
    ],
    reuse,
  );
  t.equal((await offers(index))['like/l']?.['+12025550100'], left + 30 * DAY, 'a likeness of 1 halves once');
  t.equal(
    (await offers(index))['unlike/u']?.['+12025550101'],
    left + DAY,
    'as like as may be: the rest alone',
  );
  t.equal(numberState(index.directory, '+12025550100', left + 30 * DAY - 1), 'quarantined');
  t.equal(numberState(index.directory, '+12025550100', left + 30 * DAY), 'active');
  t.equal(numberState(index.directory, '+12025550101', left + DAY), 'active');

  // What is declared of the account or of reuse later counts for numbers that rest already.
  index = await made(
    [
      account('acme', '{name: p, numbers: [+12025550102]}', dentist),
      account('like', '{name: l, numbers: [+12025550100, +12025550120]}', plumber),
      account('unlike', '{name: u, numbers: [+12025550101, +12025550130]}', plumber),
    ],
    `{quarantineMs: ${2 * DAY}, likeness: 0.5, halfLifeMs: ${30 * DAY}}`,
  );
  t.equal((await offers(index))['like/l']?.['+12025550100'], left + 2 * DAY);
  t.equal((await offers(index))['unlike/u']?.['+12025550101'], left + 2 * DAY);

  // When it cannot matter to anybody any more, it is forgotten with the next change.
  now = left + 31 * DAY;
  index = await made([account('unlike', '{name: u, numbers: [+12025550101, +12025550130]}', plumber)], reuse);
  t.notOk(
    index.directory.former?.some(({ at }) => at === left),
    'forgotten',
  );
});
