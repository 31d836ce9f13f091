/** The simulation against the allocator's own scripts. */
import t from 'tap';
import { runSimulation, type SimulationSettings } from '../../src/commands/run-simulation.js';
import { erlangB } from '../../src/numbers/erlang.js';
import { wrongHolderShare } from '../../src/numbers/sizing.js';
import type { Outcome } from '../../src/simulation/outcome.js';
import { BEHAVIOUR } from '../../src/simulation/visits.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';

t.setTimeout(120_000);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

t.test('the real allocator', async (t) => {
  const redis = await TestRedis.start();
  t.teardown(() => redis.stop());
  const simulate = (
    over: Partial<SimulationSettings>,
    behaviour: Partial<typeof BEHAVIOUR> = {},
  ): Promise<Outcome> =>
    runSimulation(
      redis.url,
      { numbers: 130, seed: 1, hours: 20, ...over, behaviour: { ...BEHAVIOUR, ...behaviour } },
      keepingLogger(),
    );

  await t.test('blocks as many as Erlang B says', async (t) => {
    // Nobody calls; visitors leave at once when they leave. The load is that of visits, stays and the margin.
    const cases: readonly (readonly [numbers: number, visitsPerHour: number, stayMin: number])[] = [
      [2, 120, 1],
      [6, 300, 1],
      [12, 300, 2],
    ];
    for (const [numbers, visitsPerHour, stayMin] of cases) {
      const hours = 7200 / visitsPerHour;
      const out = await simulate(
        { numbers, hours, graceMs: 0 },
        { visitsPerHour, stayMs: stayMin * MINUTE, callers: 0, idleTaps: 0 },
      );
      const planned = (visitsPerHour / HOUR) * (stayMin * MINUTE + 5_000);
      t.ok(
        Math.abs(out.offered / planned - 1) < 0.06,
        `${numbers} numbers: ${out.offered} erlangs, ${planned} planned`,
      );
      const expected = erlangB(out.offered, numbers);
      t.equal(out.expectedBlockedShare, expected);
      const deviation = Math.sqrt((expected * burstiness(out.offered, numbers)) / out.visits);
      const measured = out.blocked / out.visits;
      t.ok(
        Math.abs(measured - expected) < 3 * deviation,
        `${numbers} numbers: ${measured} blocked, ${expected} expected, standard deviation ${deviation}`,
      );
      t.ok(deviation < expected / 8, 'the measurement says something');
    }
  });

  await t.test('and the ranking: fewer wrong than the newest holder alone', async (t) => {
    const out = await simulate({ numbers: 60 });
    t.ok(out.calls > 190 && out.calls < 210, `${out.calls} calls`);
    t.equal(out.blocked, 0);
    const wrong = out.wrongNewest / out.calls;
    const expected = wrongHolderShare(60, { perMs: 200 / HOUR, holdMs: out.meanHoldMs });
    t.ok(Math.abs(wrong - expected) < 0.06, `${wrong} wrong, ${expected} by the arithmetic`);
    t.ok(out.wrongRanked < out.wrongNewest, `${out.wrongRanked} of ${out.wrongNewest}`);
    const again = await simulate({ numbers: 60 });
    t.same(again, out, 'the same seed, the same outcome');
  });
});

/**
 * How much more than by single chances the count of blocked visitors varies: they come in bursts. By Wilkinson's peakedness
 * z of the overflow, 2z - 1 is near the dispersion of a long count.
 */
function burstiness(offered: number, numbers: number): number {
  const over = offered * erlangB(offered, numbers);
  const peakedness = 1 - over + offered / (numbers + 1 - offered + over);
  return Math.max(1, 2 * peakedness - 1);
}
