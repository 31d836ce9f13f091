/** Redis's clock rules: what the clocks of the application's machines say changes nothing. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { parseHolderLog } from '../../src/numbers/holder-log.js';
import { numbers, World } from '../numbers/fixture.js';
import { TestRedis } from '../support/redis.js';
import type { Given, Skew } from '../support/skewed-client.js';

const HOUR_MS = 3_600_000;
const HOLD_MS = 1_000;
/** Long enough for each number to be given three times. */
const FOR_MS = 15_000;

t.setTimeout(60_000);

t.test('machines an hour ahead, an hour behind, and with a clock that steps share a pool', async (t) => {
  const redis = await TestRedis.start();
  t.teardown(() => redis.stop());
  const w = await World.open(redis.url, { site: { holdMs: HOLD_MS }, realTime: true });
  t.teardown(() => w.close());
  const pool = numbers(12);
  await w.pools.reserve(w.account, w.pool.id, pool);

  const start = Date.now();
  const machines: Record<string, readonly number[]> = {
    right: [0],
    ahead: [HOUR_MS],
    behind: [-HOUR_MS],
    steps: [0, HOUR_MS, -HOUR_MS],
  };
  const all = (
    await Promise.all(
      Object.entries(machines).map(async ([name, offsets]): Promise<readonly Given[]> => {
        const { url } = redis;
        const { account, endpoint, site } = w;
        const workerData: Skew = { url, name, account, endpoint, site, pool: w.pool, offsets, forMs: FOR_MS };
        const worker = new Worker(new URL('../support/skewed-client.js', import.meta.url), { workerData });
        const [given] = (await once(worker, 'message')) as [readonly Given[]];
        t.ok(given.length > 0, `the machine that is ${name} was served`);
        return given;
      }),
    )
  ).flat();
  const end = Date.now();

  const began = ({ until }: Given): number => until - HOLD_MS;
  t.ok(
    all.every((one) => began(one) >= start && began(one) <= end),
    'each end that a page was told is by the right clock',
  );
  let reused = 0;
  for (const number of pool) {
    const holders = all.filter((one) => one.number === number).sort((a, b) => a.until - b.until);
    for (const [i, next] of holders.entries()) {
      const last = holders[i - 1];
      if (last === undefined) continue;
      reused += 1;
      const over = last.ended ? began(last) : last.until;
      if (began(next) < over + MARGIN_MS)
        t.fail(`${next.session} was shown the number ${String(began(next) - over)} ms after ${last.session}`);
    }
  }
  t.ok(reused > 10, `numbers were given ${String(all.length)} times, ${String(reused)} of them anew`);
  t.ok(
    all.some((one) => one.ended) && all.some((one) => !one.ended),
    'links that were ended and links that ran out',
  );
  const logs = await w.redis.hvals(w.keys.numbers);
  t.notOk(
    logs.flatMap(parseHolderLog).some(({ ambiguous }) => ambiguous),
    'no claim was taken for a contradiction',
  );
});
