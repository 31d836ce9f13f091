import t from 'tap';
import { runSimulation } from '../../src/commands/run-simulation.js';
import type { Outcome } from '../../src/simulation/outcome.js';
import { BEHAVIOUR } from '../../src/simulation/visits.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';

t.setTimeout(600_000);

/** The four seeds that docs/reference/sizing.md tells of; 24,000 visits each. */
const SEEDS = [1, 2, 3, 4];

const redis = await TestRedis.start();
t.teardown(() => redis.stop());

async function pooled(numbers: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const seed of SEEDS) {
    const settings = { numbers, seed, hours: 120, behaviour: BEHAVIOUR };
    outcomes.push(await runSimulation(redis.url, settings, keepingLogger()));
  }
  return outcomes;
}

const total = (outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number =>
  outcomes.reduce((sum, outcome) => sum + of(outcome), 0);

const at130 = await pooled(130);
const at60 = await pooled(60);

t.test(
  '130 numbers, 200 visits an hour: least recently held first, and a third fewer with candidates',
  async (t) => {
    const calls = total(at130, (outcome) => outcome.calls);
    const newest = total(at130, (outcome) => outcome.wrongNewest);
    const ranked = total(at130, (outcome) => outcome.wrongRanked);
    t.ok(calls > 4_500, `${calls} calls`);
    t.ok(newest / calls <= 0.11, `${newest} wrong with the newest holder alone`);
    t.ok(ranked <= (newest * 2) / 3, `${ranked} wrong with candidates and taps, of ${newest}`);
  },
);

t.test('what is stated is so: within 3 points, wherever there are calls enough to tell', async (t) => {
  const bins = new Map<number, { calls: number; stated: number; right: number }>();
  for (const { from, calls, stated, right } of [...at130, ...at60].flatMap((outcome) => outcome.bins)) {
    const bin = bins.get(from) ?? { calls: 0, stated: 0, right: 0 };
    bin.calls += calls;
    bin.stated += stated * calls;
    bin.right += right * calls;
    bins.set(from, bin);
  }
  let judged = 0;
  for (const [from, { calls, stated, right }] of [...bins].sort(([one], [other]) => one - other)) {
    if (calls < 400) continue;
    judged += 1;
    const points = (100 * Math.abs(stated - right)) / calls;
    t.ok(points <= 3, `from ${from}: ${calls} calls, stated ${stated / calls}, right ${right / calls}`);
  }
  t.ok(judged >= 2, 'bins with calls enough');
  t.ok((bins.get(0.8)?.calls ?? 0) >= 400, 'about eight in ten is among them');
});
