/** The number store on a Redis Cluster: three masters and their replicas, under load while slots move and masters die. */
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { mintId } from '../../src/ids.js';
import { firstServed, promisesKept, refused, servedAfter, show, turnedAway } from '../support/load-checks.js';
import { NumberLoad } from '../support/number-load.js';
import type { LoadAccount, Page } from '../support/number-load.js';
import { RedisCluster, redisCli } from '../support/redis-cluster.js';
import type { Member } from '../support/redis-cluster.js';
import { until } from '../support/until.js';

const PAGES_A_SECOND = 60;
const POOL_SIZE = 300;

t.setTimeout(120_000);

let cluster: RedisCluster;
let load: NumberLoad;

t.before(async () => {
  // A master that is gone takes its own slots with it, not all of them: what docs/reference/failures.md recommends.
  cluster = await RedisCluster.start(1_000, ['--cluster-require-full-coverage', 'no']);
  load = await NumberLoad.open(cluster.url, await spread(2), POOL_SIZE);
  load.start(PAGES_A_SECOND);
  await load.heard(600);
});

t.teardown(async () => {
  await load.close();
  await cluster.stop();
});

/** `each` accounts for each master. */
async function spread(each: number): Promise<string[]> {
  const counts = new Map<string, number>();
  const accounts: string[] = [];
  while (accounts.length < 3 * each) {
    const account = mintId('acc');
    const { id } = await cluster.masterOf(await cluster.slotOf(account));
    const count = counts.get(id) ?? 0;
    if (count >= each) continue;
    counts.set(id, count + 1);
    accounts.push(account);
  }
  return accounts;
}

async function placeOf({ id }: LoadAccount): Promise<{ slot: number; home: Member }> {
  const slot = await cluster.slotOf(id);
  return { slot, home: await cluster.masterOf(slot) };
}

function firstAccount(): LoadAccount {
  const [account] = load.accounts;
  if (account === undefined) throw new Error('there are accounts');
  return account;
}

t.test('a quiet cluster refuses nothing, on any master', async (t) => {
  t.equal(turnedAway(load.outcomes).length, 0);
  t.equal(new Set(load.outcomes.map(({ account }) => account)).size, 6);
  await promisesKept(t, load, false);
});

t.test('slots with live links move to another master and back', async (t) => {
  const account = firstAccount();
  const { slot, home } = await placeOf(account);
  const other = cluster.members.slice(0, 3).find((member) => member !== home);
  if (other === undefined) throw new Error('three masters');
  const start = load.outcomes.length;
  // Key by key, slower than the deadline of a page: some must be refused, and nothing else may happen.
  const slow = await cluster.moveSlot(slot, home, other, 1, () => wait(50));
  await load.heard(100);
  const slowly = load.outcomes.slice(start);
  t.comment(`key by key in ${slow.toFixed()} ms: ${String(refused(slowly).length)} refused`);
  t.ok(
    turnedAway(slowly).every((one) => one.account === account.id),
    'only pages of the account that moved were refused',
  );
  // As `redis-cli --cluster reshard` does it, ten keys a command.
  const again = load.outcomes.length;
  const quick = await cluster.moveSlot(slot, other, home, 10);
  await load.heard(100);
  const quickly = load.outcomes.slice(again);
  t.comment(`ten keys at once in ${quick.toFixed()} ms: ${String(refused(quickly).length)} refused`);
  t.ok(quickly.some((one) => one.account === account.id));
  t.equal(turnedAway(quickly).length, 0, 'nobody was refused by the usual move');
  await promisesKept(t, load, false);
});

t.test('a slot on its way to a master that hangs: refused in time, and the process lives', async (t) => {
  const account = firstAccount();
  const { slot, home } = await placeOf(account);
  const other = cluster.members.slice(0, 3).find((member) => member !== home);
  if (other === undefined) throw new Error('three masters');
  const page = await load.allocate(account, 'moved');
  if (page === undefined) throw new Error('it is served');
  let answered: unknown = 'never asked';
  await cluster.moveSlot(slot, home, other, 10, async () => {
    if ((await redisCli(home.server, 'cluster', 'countkeysinslot', String(slot))) !== '0') return;
    // Shorter than a master may be silent before it counts as gone.
    other.server.pause();
    const start = load.outcomes.length;
    answered = await load.call(page);
    t.ok(refused(load.outcomes.slice(start)).length > 0, 'the new master was asked and was silent');
    other.server.resume();
  });
  t.equal(answered, undefined);
  await cluster.moveSlot(slot, other, home, 10);
  await load.heard(100);
  t.match(await load.call(page), { session: 'moved' });
  await promisesKept(t, load, false);
});

t.test('a master dies and its replica takes over; it comes back as a replica', async (t) => {
  const { slot, home } = await placeOf(firstAccount());
  const mine = new Set<string>();
  for (const account of load.accounts) if ((await placeOf(account)).home === home) mine.add(account.id);
  t.equal(mine.size, 2);
  const start = load.outcomes.length;
  const killedAt = Date.now();
  await home.server.crash();
  const patient = load.marked();
  await cluster.settled();
  t.equal(await patient, 0, 'background work on a dead master is done by the new one');
  t.not((await cluster.masterOf(slot)).id, home.id);
  await until(() => [...mine].every((id) => servedAfter(load, id, killedAt + 1_000)));
  const during = load.outcomes.slice(start);
  const back = Math.max(...[...mine].map((id) => firstServed(during, id, killedAt + 500))) - killedAt;
  const others = refused(during).filter(({ account }) => !mine.has(account));
  t.comment(`served again after ${String(back)} ms; refused: ${String(refused(during).length - others.length)} of its
    accounts, ${String(others.length)} of others; lost: ${String(load.pages.filter(({ lost }) => lost).length)}`);
  t.equal(turnedAway(others).length, 0, 'accounts of other masters noticed nothing');
  t.ok(back < 8_000, 'after the node timeout and an election');

  const again = load.outcomes.length;
  await home.server.start();
  await cluster.settled();
  t.match(await redisCli(home.server, 'role'), /^slave/, 'the old master follows the new one');
  await load.heard(200);
  t.equal(turnedAway(load.outcomes.slice(again)).length, 0, 'its coming back disturbs nobody');
  await promisesKept(t, load, true);
});

t.test('a master hangs, is replaced, and wakes up: what it was still told is not believed', async (t) => {
  const { slot, home } = await placeOf(firstAccount());
  const start = load.outcomes.length;
  const pausedAt = Date.now();
  home.server.pause();
  await cluster.settled();
  const { id } = firstAccount();
  await until(() => servedAfter(load, id, pausedAt + 1_000));
  const during = load.outcomes.slice(start);
  t.comment(
    `hung: served again after ${String(firstServed(during, id, pausedAt + 500) - pausedAt)} ms, ${String(refused(during).length)} refused`,
  );
  home.server.resume();
  await until(async () => (await redisCli(home.server, 'role')).startsWith('slave'));
  t.not((await cluster.masterOf(slot)).id, home.id);
  await cluster.settled();
  await load.heard(200);
  await promisesKept(t, load, true);
});

/** The replica loses sight of its master, which goes on serving while `during` runs, then dies; the replica takes over. */
async function loseWrites(master: Member, during: () => Promise<void>): Promise<void> {
  const replica = await cluster.replicaOf(master);
  replica.server.pause();
  await redisCli(master.server, 'client', 'kill', 'type', 'replica');
  await during();
  await master.server.crash();
  replica.server.resume();
  await redisCli(replica.server, 'cluster', 'failover', 'takeover');
  await cluster.settled();
}

t.test(
  'a second of acknowledged writes is lost under load: what is held twice is marked when it is heard',
  async (t) => {
    const { home } = await placeOf(firstAccount());
    const shown = load.doubles.length;
    await loseWrites(home, () => wait(1_000));
    await load.heard(600);
    const doubles = load.doubles.slice(shown);
    const lost = load.pages.filter((page) => page.lost).length;
    t.comment(
      `${String(lost)} links lost, ${String(doubles.length)} numbers held twice, ${String(await load.marked())} marked`,
    );
    t.ok(doubles.length > 0, 'numbers were given a second time');
    await promisesKept(t, load, true);
    await home.server.start();
    await cluster.settled();
  },
);

t.test('after the load: nothing is held twice unmarked', async (t) => {
  await load.stop();
  await promisesKept(t, load, true);
  const lost = load.pages.filter((page) => page.lost).length;
  t.comment(
    `${String(load.outcomes.length)} operations, ${String(load.pages.length)} numbers shown, ${String(lost)} links lost, ${String(load.doubles.length)} numbers held twice, ${String(await load.marked())} marked`,
  );
});

t.test(
  'acknowledged links that a failover lost: the number held twice is found and credited to nobody',
  async (t) => {
    const [id] = await spread(1);
    if (id === undefined) throw new Error('an account');
    const one = await NumberLoad.open(cluster.url, [id], 20);
    t.teardown(() => one.close());
    const [account] = one.accounts;
    if (account === undefined) throw new Error('an account');
    const { home } = await placeOf(account);
    const kept = await show(one, account, 'kept', 5);
    t.equal(await redisCli(home.server, 'wait', '1', '2000'), '1', 'these are with the replica');

    let lost: readonly Page[] = [];
    await loseWrites(home, async () => {
      lost = await show(one, account, 'lost', 5);
    });

    const again = await show(one, account, 'again', 5);
    t.same(
      again.map(({ number }) => number).sort(),
      lost.map(({ number }) => number).sort(),
      'given a second time',
    );
    t.equal(one.doubles.length, 5);
    t.equal(await one.marked(), 0, 'nobody knows of it yet');
    for (const page of again) t.match(await one.call(page), { session: page.session, level: 'session' });

    for (const page of lost) t.ok(await one.heartbeat(page), 'the first page is heard');
    t.ok(
      lost.every((page) => page.lost),
      'its link is over',
    );
    t.equal(await one.marked(), 5, 'each number is marked');
    t.strictSame(await one.undetected(), []);
    for (const page of again) {
      const { session, level } = (await one.call(page)) ?? {};
      t.strictSame({ session, level }, { session: undefined, level: 'none' }, 'no session is credited');
      await one.heartbeat(page);
      t.notOk(page.lost, 'the second page goes on');
    }
    t.equal(await one.marked(), 5, 'a heartbeat of the second page does not take the mark away');
    for (const page of kept) {
      await one.heartbeat(page);
      t.notOk(page.lost, 'what the replica had is kept');
      t.match(await one.call(page), { session: page.session });
    }
    await home.server.start();
    await cluster.settled();
  },
);
