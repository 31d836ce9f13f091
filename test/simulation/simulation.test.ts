import fc from 'fast-check';
import t from 'tap';
import { Agenda } from '../../src/simulation/agenda.js';
import { Tally } from '../../src/simulation/outcome.js';
import { Random } from '../../src/simulation/random.js';
import { BEHAVIOUR, visits } from '../../src/simulation/visits.js';

t.setTimeout(120_000);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

t.test('an agenda gives by time, and by order of entry at one time', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
      const agenda = new Agenda<number>();
      times.forEach((at, order) => {
        agenda.add(at, order);
      });
      const taken: number[] = [];
      for (let item = agenda.next(); item !== undefined; item = agenda.next()) taken.push(item.what);
      const sorted = times
        .map((at, order) => ({ at, order }))
        .sort((a, b) => a.at - b.at || a.order - b.order);
      t.same(
        taken,
        sorted.map(({ order }) => order),
      );
    }),
  );
});

t.test('numbers by chance: the same again with the same seed, and spread as they should be', async (t) => {
  const draw = (seed: number, stream = 0) => {
    const random = new Random(seed, stream);
    return Array.from({ length: 20_000 }, () => random.share());
  };
  t.same(draw(7), draw(7));
  t.notSame(draw(7).slice(0, 3), draw(8).slice(0, 3));
  t.notSame(draw(7).slice(0, 3), draw(7, 1).slice(0, 3));
  const shares = draw(1);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  t.ok(Math.abs(mean - 0.5) < 0.01 && Math.min(...shares) >= 0 && Math.max(...shares) < 1);
  const random = new Random(3);
  const times = Array.from({ length: 20_000 }, () => random.exponential(10));
  t.ok(Math.abs(times.reduce((sum, time) => sum + time, 0) / times.length - 10) < 0.3);
  const picks = Array.from({ length: 10_000 }, () => random.pick([1, 3]));
  t.ok(Math.abs(picks.filter((pick) => pick === 1).length / 10_000 - 0.75) < 0.02);
});

t.test('visitors do what is said of them', async (t) => {
  const all = [...visits(5, 200 * HOUR, BEHAVIOUR)];
  t.same(all, [...visits(5, 200 * HOUR, BEHAVIOUR)], 'the same seed, the same visitors');
  t.ok(Math.abs(all.length - 40_000) < 800, `${all.length} visits`);
  const stay = all.reduce((sum, { at, leavesAt }) => sum + leavesAt - at, 0) / all.length;
  t.ok(Math.abs(stay - 3 * MINUTE) < 0.1 * MINUTE);
  const callers = all.filter(({ call }) => call !== undefined);
  t.ok(Math.abs(callers.length / all.length - 0.05) < 0.0005, 'one in twenty calls');
  const delays = callers.map(({ at, call }) => (call?.at ?? at) - at).sort((a, b) => a - b);
  const later = (ms: number) => delays.filter((delay) => delay > ms).length / delays.length;
  t.ok(Math.abs(later(39 * MINUTE) - 0.11) < 0.005, `calls after 39 minutes: ${later(39 * MINUTE)}`);
  t.ok(Math.abs(later(120 * MINUTE) - 0.04) < 0.005, `after two hours: ${later(120 * MINUTE)}`);
  const tappers = callers.filter(({ tapsAt }) => tapsAt !== undefined);
  t.ok(
    tappers.every(
      ({ tapsAt = 0, leavesAt, at, call }) => tapsAt >= at && tapsAt < leavesAt && tapsAt <= (call?.at ?? 0),
    ),
  );
  t.ok(tappers.length > callers.length * 0.15 && tappers.length < callers.length * 0.4);
  t.same(
    [...visits(5, HOUR, { ...BEHAVIOUR, callers: 0 })].filter(({ call }) => call !== undefined),
    [],
  );
});

t.test('what is counted', async (t) => {
  const tally = new Tally();
  for (let i = 0; i < 8; i++) tally.call(true, true, 0.8);
  tally.call(false, false, 0.8);
  tally.call(false, true, 0.8);
  tally.call(true, true, 1);
  tally.visit(true);
  tally.visit(false);
  tally.held(MINUTE);
  const outcome = tally.outcome(1, HOUR);
  t.match(outcome, { visits: 2, blocked: 1, calls: 11, wrongNewest: 2, wrongRanked: 1 });
  t.ok(Math.abs(outcome.brier - (9 * 0.04 + 0.64) / 11) < 1e-12);
  t.match(outcome.bins, [
    { from: 0.8, to: 0.9, calls: 10, right: 0.9 },
    { from: 0.9, to: 1, calls: 1, stated: 1, right: 1 },
  ]);
  t.ok(Math.abs(outcome.offered - 2 / 60) < 1e-12, 'two visits an hour, a minute each');
  t.equal(new Tally().outcome(1, HOUR).brier, 0);
});
