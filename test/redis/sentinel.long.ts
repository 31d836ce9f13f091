/** The number store behind Sentinel while its master dies or hangs, and on a single Redis that hangs. Under load. */
import t from 'tap';
import type { Test } from 'tap';
import { mintId } from '../../src/ids.js';
import { firstServed, promisesKept, refused, servedAfter, show, turnedAway } from '../support/load-checks.js';
import { NumberLoad } from '../support/number-load.js';
import { redisCli } from '../support/redis-cluster.js';
import { SentinelGroup } from '../support/redis-group.js';
import { TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const PAGES_A_SECOND = 60;

t.setTimeout(120_000);

async function groupOf(t: Test): Promise<SentinelGroup> {
  const group = await SentinelGroup.start();
  t.teardown(() => group.stop());
  return group;
}

const threeAccounts = () => Array.from({ length: 3 }, () => mintId('acc'));
const role = async (server: TestRedis): Promise<string> =>
  (await redisCli(server, 'role')).split('\n')[0] ?? '';

t.test('Sentinel: the master dies while one Sentinel hangs; then the new master hangs', async (t) => {
  const { master, replica, sentinels, url } = await groupOf(t);
  const load = await NumberLoad.open(url, threeAccounts(), 300);
  t.teardown(() => load.close());
  const all = load.accounts.map(({ id }) => id);
  load.start(PAGES_A_SECOND);
  await load.heard(400);
  t.equal(turnedAway(load.outcomes).length, 0);
  await promisesKept(t, load, false);

  // The first that clients ask. The other two are still a majority.
  sentinels[0]?.pause();
  let start = load.outcomes.length;
  const killedAt = Date.now();
  await master.crash();
  // What it fails with is looked at below, and nobody's fault until then.
  const patient = load.marked().catch((error: unknown) => error);
  await until(async () => (await role(replica)) === 'master', 30_000);
  await until(() => all.every((id) => servedAfter(load, id, killedAt + 1_000)), 15_000);
  let during = load.outcomes.slice(start);
  let back = Math.max(...all.map((id) => firstServed(during, id, killedAt + 500))) - killedAt;
  t.comment(`killed: served again after ${String(back)} ms, ${String(refused(during).length)} refused`);
  t.ok(back < 10_000, 'a Sentinel that hangs is passed over');
  t.equal(await patient, 0, 'background work is done by the new master');
  sentinels[0]?.resume();
  await promisesKept(t, load, true);

  await master.start();
  await until(
    async () => (await redisCli(master, 'info', 'replication')).includes('master_link_status:up'),
    30_000,
  );
  t.equal(await role(master), 'slave', 'the old master follows the new one');
  await load.heard(100);

  start = load.outcomes.length;
  const pausedAt = Date.now();
  replica.pause();
  await until(async () => (await role(master)) === 'master', 30_000);
  await until(() => all.every((id) => servedAfter(load, id, pausedAt + 1_000)), 15_000);
  during = load.outcomes.slice(start);
  back = Math.max(...all.map((id) => firstServed(during, id, pausedAt + 500))) - pausedAt;
  t.comment(`hung: served again after ${String(back)} ms, ${String(refused(during).length)} refused`);
  replica.resume();
  await until(async () => (await role(replica)) === 'slave', 30_000);
  await load.heard(200);
  await load.stop();
  await promisesKept(t, load, true);
  const lost = load.pages.filter((page) => page.lost).length;
  t.comment(
    `${String(load.outcomes.length)} operations, ${String(load.pages.length)} numbers shown, ${String(lost)} links lost,
    ${String(load.doubles.length)} numbers held twice, ${String(await load.marked())} marked`,
  );
});

t.test('a single Redis hangs for 5 s: printed numbers in time, and nothing held twice after', async (t) => {
  const redis = await TestRedis.start();
  t.teardown(() => redis.stop());
  const load = await NumberLoad.open(redis.url, threeAccounts(), 300);
  t.teardown(() => load.close());
  load.start(PAGES_A_SECOND);
  await load.heard(400);
  const start = load.outcomes.length;
  const pausedAt = Date.now();
  redis.pause();
  await until(() => Date.now() > pausedAt + 5_000);
  redis.resume();
  const resumedAt = Date.now();
  await until(() => load.accounts.every(({ id }) => servedAfter(load, id, resumedAt)));
  const during = load.outcomes.slice(start);
  const back = Math.max(...load.accounts.map(({ id }) => firstServed(during, id, resumedAt))) - resumedAt;
  const times = refused(during).map(({ startedAt, at }) => at - startedAt);
  t.comment(
    `served again ${String(back)} ms after; ${String(times.length)} refused, the slowest in ${String(Math.max(...times))} ms`,
  );
  t.ok(times.length > 100, 'pages were refused');
  t.ok(Math.max(...times) < 300 + load.ownDelayMs, 'each in time for its printed number');
  t.ok(back < 3_000);
  await load.heard(300);
  await load.stop();
  await promisesKept(t, load, false);
});

t.test('a single Redis is started anew, empty: every number that is still shown is found out', async (t) => {
  const redis = await TestRedis.start();
  t.teardown(() => redis.stop());
  const load = await NumberLoad.open(redis.url, [mintId('acc')], 10);
  t.teardown(() => load.close());
  const [account] = load.accounts;
  if (account === undefined) throw new Error('an account');
  const before = await show(load, account, 'before', 5);
  await redis.crash();
  await redis.start();
  await until(() => load.up);
  await load.fill(10);
  await show(load, account, 'after', 5);
  t.equal(load.doubles.length, 5, 'the same numbers are given again');
  for (const page of before) await load.heartbeat(page);
  t.equal(await load.marked(), 5);
  t.strictSame(await load.undetected(), []);
});
