/** The machine's clock is set while the process runs. */
import fc from 'fast-check';
import t from 'tap';
import { WatchedClock } from '../../src/observe/clock.js';
import { keepingLogger } from '../support/logger.js';

const HOUR = 3_600_000;

function stage() {
  const scene = { wall: 1_700_000_000_000, elapsed: 1_000 };
  const log = keepingLogger();
  const clock = new WatchedClock({ wall: () => scene.wall, elapsed: () => scene.elapsed, log });
  const pass = (ms: number, setBy = 0): void => {
    scene.elapsed += ms;
    scene.wall += ms + setBy;
  };
  return { scene, log, clock, pass };
}

t.test('a clock that nobody sets, and one that is corrected little by little', async (t) => {
  const { scene, log, clock, pass } = stage();
  for (let i = 0; i < 100; i++) {
    pass(60_000, 30);
    t.equal(clock.now(), scene.wall);
    t.equal(clock.cautious(), scene.wall);
  }
  t.strictSame(log.lines, []);
});

t.test('set forwards: stamps follow at once, what ends by the clock five minutes later', async (t) => {
  const { scene, log, clock, pass } = stage();
  const before = scene.wall;
  pass(10, HOUR);
  t.equal(clock.cautious(), before + 10);
  t.equal(clock.now(), before + 10 + HOUR);
  t.match(log.lines, [{ level: 'warn', fields: { byMs: HOUR } }]);
  pass(299_000);
  t.equal(clock.cautious(), before + 299_010);
  pass(1_000);
  t.equal(clock.cautious(), scene.wall);
  t.equal(log.lines.length, 1, 'said once');
});

t.test('set back: nothing is older than it is', async (t) => {
  const { scene, clock, pass } = stage();
  pass(10, -HOUR);
  t.equal(clock.now(), scene.wall);
  t.equal(clock.cautious(), scene.wall);
});

t.test('whatever is stamped around one step, it does not look older than it is', async () => {
  const step = fc.integer({ min: -2 * HOUR, max: 2 * HOUR });
  const ms = fc.integer({ min: 0, max: 140_000 });
  fc.assert(
    fc.property(step, ms, ms, fc.boolean(), (setBy, first, second, stampedAfter) => {
      const { clock, pass } = stage();
      const early = clock.now();
      pass(first, setBy);
      const stamp = stampedAfter ? clock.now() : early;
      pass(second);
      const age = stampedAfter ? second : first + second;
      // A step that is too small to be told from a correction may show.
      return clock.cautious() - stamp <= age + 500;
    }),
    { numRuns: 500 },
  );
});
