/** The number store on a Redis Cluster: three masters and their replicas, under load while slots move and masters die. */
import t from 'tap';
import { mintId } from '../../src/ids.js';
import { NumberLoad } from '../support/number-load.js';
import type { Outcome } from '../support/number-load.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { until } from '../support/until.js';

t.setTimeout(120_000);

let cluster: RedisCluster;
let load: NumberLoad;

/** Two accounts for each master. */
async function spread(): Promise<string[]> {
  const counts = new Map<string, number>();
  const accounts: string[] = [];
  while (accounts.length < 6) {
    const account = mintId('acc');
    const { id } = await cluster.masterOf(await cluster.slotOf(account));
    const count = counts.get(id) ?? 0;
    if (count >= 2) continue;
    counts.set(id, count + 1);
    accounts.push(account);
  }
  return accounts;
}

t.before(async () => {
  cluster = await RedisCluster.start();
  load = await NumberLoad.open(cluster.url, await spread(), 200);
});

t.teardown(async () => {
  await load.close();
  await cluster.stop();
});

const refusedOf = (outcomes: readonly Outcome[]): Outcome[] =>
  outcomes.filter((one) => one.refused !== undefined);
function tally(outcomes: readonly Outcome[]): string {
  const texts = new Map<string, number>();
  for (const { what, refused } of refusedOf(outcomes)) {
    const key = `${what}: ${String(refused)}`;
    texts.set(key, (texts.get(key) ?? 0) + 1);
  }
  return JSON.stringify(Object.fromEntries(texts), null, 1);
}

t.test('a quiet cluster', async (t) => {
  load.start(60);
  await until(() => load.outcomes.length > 600);
  t.comment(tally(load.outcomes), load.outcomes.length);
});

t.test('resharding', async (t) => {
  const [account] = load.accounts;
  if (account === undefined) throw new Error('six accounts');
  const slot = await cluster.slotOf(account.id);
  const home = await cluster.masterOf(slot);
  const other = cluster.members.slice(0, 3).find((one) => one !== home) ?? home;
  for (const [a, b, n, ms] of [
    [home, other, 1, 30],
    [other, home, 10, 0],
    [home, other, 10, 0],
  ] as const) {
    const before = load.outcomes.length;
    const took = await cluster.moveSlot(slot, a, b, n, () => new Promise((r) => setTimeout(r, ms)));
    await until(() => load.outcomes.length > before + 400);
    const mine = load.outcomes.slice(before).filter((o) => o.account === account.id);
    t.comment(
      `${n} at once: ${took} ms`,
      mine.length,
      tally(mine),
      'others',
      tally(load.outcomes.slice(before).filter((o) => o.account !== account.id)),
    );
  }
});

t.test('kill', async (t) => {
  const [, account] = load.accounts;
  if (account === undefined) throw new Error('six accounts');
  const slot = await cluster.slotOf(account.id);
  const master = await cluster.masterOf(slot);
  const before = load.outcomes.length;
  const killedAt = Date.now();
  await master.server.crash();
  await cluster.settled();
  t.comment('settled after', Date.now() - killedAt, String((await cluster.masterOf(slot)).server.port));
  await until(
    () =>
      load.outcomes
        .slice(before)
        .filter((o) => o.account === account.id && o.refused === undefined && o.startedAt > killedAt + 3000)
        .length > 100,
  );
  for (const { id } of load.accounts) {
    const mine = load.outcomes.slice(before).filter((o) => o.account === id);
    const bad = refusedOf(mine);
    t.comment(
      id,
      mine.length,
      bad.length,
      'last refused',
      Math.max(0, ...bad.map((o) => o.at)) - killedAt,
      tally(mine),
    );
  }
  const again = load.outcomes.length;
  await master.server.start();
  await cluster.settled();
  await until(() => load.outcomes.length > again + 500);
  t.comment('back', tally(load.outcomes.slice(again)));
});

t.test('sums', async (t) => {
  await load.stop();
  t.strictSame(load.faults, []);
  t.comment(
    'doubles',
    load.doubles.length,
    'wrong',
    load.wrong.length,
    'slowest',
    load.slowestMs,
    'own',
    load.ownDelayMs,
    load.outcomes.length,
  );
});
