import fc from 'fast-check';
import t from 'tap';
import { CALL_MODEL, rateAfterLanding, rateOfMany } from '../../src/numbers/call-model.js';
import { rank } from '../../src/numbers/ranking.js';
import type { Evidence } from '../../src/numbers/ranking.js';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

function shown(minutesAgo: number, more: Partial<Evidence> = {}): Evidence {
  const startedAt = NOW - minutesAgo * MINUTE;
  return {
    link: `lnk_${String(minutesAgo)}`,
    endpoint: 'end_a',
    site: 'site_a',
    level: 'session',
    session: `s${String(minutesAgo)}`,
    startedAt,
    seenAt: startedAt,
    until: startedAt + 3 * MINUTE,
    ...more,
  };
}

const anyNumber = fc.oneof(
  fc.double(),
  fc.integer({ min: NOW - 1e9, max: NOW + 1e6 }),
  fc.constantFrom(NaN, Infinity, -Infinity, 0, -1),
);
const anyEvidence: fc.Arbitrary<Evidence> = fc
  .record(
    {
      startedAt: anyNumber,
      until: anyNumber,
      seenAt: anyNumber,
      level: fc.constantFrom('session', 'bucket', 'overflow', 'none', 'token'),
      tapAt: anyNumber,
      ambiguous: fc.boolean(),
      calledBefore: anyNumber,
      areaMatch: fc.boolean(),
    },
    { requiredKeys: ['startedAt', 'until', 'seenAt', 'level'] },
  )
  .map((fields) => ({ link: 'lnk_x', endpoint: 'end_a', site: 'site_a', session: 's', ...fields }));

t.test('whatever the numbers are, the probabilities are probabilities', (t) => {
  fc.assert(
    fc.property(fc.array(anyEvidence, { maxLength: 10 }), anyNumber, (evidence, now) => {
      const ranking = rank(evidence, { now });
      const sum = ranking.candidates.reduce((total, { probability }) => total + probability, 0);
      const sound =
        ranking.candidates.length === evidence.length &&
        new Set(ranking.candidates.map(({ index }) => index)).size === evidence.length &&
        ranking.candidates.every(({ probability }) => probability >= 0 && probability <= 1) &&
        sum <= 1 + 1e-9 &&
        Math.abs(sum + ranking.nobody - 1) < 1e-9 &&
        ranking.candidates.every(({ because }) =>
          because.every(({ factor }) => Number.isFinite(factor) && factor > 0),
        );
      const orderly = ranking.candidates.every(
        ({ probability }, place) => probability <= (ranking.candidates[place - 1]?.probability ?? 1),
      );
      const chosenIsFirstOrNewest =
        (ranking.ambiguous || evidence.length === 0
          ? ranking.chosen === undefined
          : ranking.chosen === 0 || ranking.chosen === ranking.candidates[0]?.index) &&
        (ranking.chosen !== undefined || ranking.level === 'none');
      const again = JSON.stringify(rank(evidence, { now })) === JSON.stringify(ranking);
      return sound && orderly && chosenIsFirstOrNewest && again;
    }),
    { numRuns: 2_000 },
  );
  t.end();
});

t.test('the model: its delays are a distribution, and many visitors are the sum of single ones', (t) => {
  const stepMin = 0.05;
  let called = 0;
  for (let minutes = stepMin / 2; minutes < 5_000; minutes += stepMin)
    called += rateAfterLanding(minutes) * stepMin;
  t.ok(
    called > CALL_MODEL.callers && called < 1.1 * CALL_MODEL.callers,
    `${String(called)} of them call: a few too many in the first minute`,
  );

  let many = 0;
  for (let minutes = 20 + stepMin / 2; minutes < 5_000; minutes += stepMin)
    many += 2 * rateAfterLanding(minutes) * stepMin;
  t.ok(Math.abs(many - rateOfMany(2, 20)) < 0.001, 'those before 20 minutes ago, two a minute');
  t.end();
});

t.test('nobody in the log: nobody is chosen', (t) => {
  t.same(rank([], { now: NOW }), { candidates: [], nobody: 1, level: 'none', ambiguous: false });
  t.end();
});

t.test('the only holder, on the page: nearly certain; years ago: hardly', (t) => {
  const here = rank([shown(1, { until: NOW + MINUTE, seenAt: NOW - 1_000 })], { now: NOW });
  t.ok((here.candidates[0]?.probability ?? 0) > 0.99);
  t.equal(here.level, 'session');
  const old = rank([shown(500_000)], { now: NOW });
  t.equal(old.chosen, 0, 'still the likeliest');
  t.ok((old.candidates[0]?.probability ?? 1) < 0.01);
  t.end();
});

t.test('a page that is open, on which nobody tapped, weighs less than the same page left', (t) => {
  const open = shown(5, { seenAt: NOW - 10_000, until: NOW + MINUTE });
  const { candidates } = rank([open, shown(5)], { now: NOW });
  t.same(
    candidates.map(({ because }) => because.map(({ what }) => what)),
    [
      ['delay', 'left'],
      ['delay', 'open'],
    ],
    'half of those who call from an open page tap',
  );
  t.same(candidates[0]?.because[0], candidates[1]?.because[0], 'the same delay');
  t.end();
});

t.test('by the minutes alone the newest is credited, even where the one before seems likelier', (t) => {
  const minutes = fc.double({ min: 0, max: 3_000, noNaN: true });
  const older = (ago: number, more: Partial<Evidence> = {}) => shown(ago, { until: NOW - 1, ...more });
  fc.assert(
    fc.property(minutes, minutes, fc.boolean(), (ago, more, live) => {
      const newest = shown(ago, live ? { until: NOW + MINUTE, seenAt: NOW } : { until: NOW - 1 });
      return rank([newest, older(ago + more)], { now: NOW }).chosen === 0;
    }),
  );
  const newest = shown(0, { until: NOW + MINUTE });
  const ranking = rank([newest, older(1.5)], { now: NOW });
  t.equal(ranking.candidates[0]?.index, 1, 'nobody dials at once');
  t.equal(ranking.chosen, 0);
  t.equal(rank([newest, older(1.5, { areaMatch: true })], { now: NOW }).chosen, 1);
  t.end();
});

t.test('a tap makes a call within the next minute nearly certain, and is forgotten after some', (t) => {
  const newest = shown(1, { seenAt: NOW - 2_000, until: NOW + MINUTE });
  const tapped = (secondsAgo: number): number => {
    const ranking = rank([newest, shown(12, { tapAt: NOW - secondsAgo * 1_000 })], { now: NOW });
    return ranking.candidates.find(({ index }) => index === 1)?.probability ?? 0;
  };
  t.ok(tapped(5) > 0.97, String(tapped(5)));
  t.ok(tapped(30) > 0.9);
  t.ok(tapped(60) > 0.7 && tapped(60) < tapped(30));
  t.ok(tapped(600) < 0.1);
  t.end();
});

t.test('a caller who is known by the visitor outweighs fresh strangers, whose area counts a little', (t) => {
  const stranger = shown(2, { seenAt: NOW - 2_000, until: NOW + MINUTE });
  const known = shown(90, { calledBefore: NOW - 100 * MINUTE });
  const ranking = rank([stranger, known], { now: NOW });
  t.equal(ranking.chosen, 1);
  t.ok((ranking.candidates[0]?.probability ?? 0) > 0.8);

  const areas = rank([shown(3, { areaMatch: false }), shown(3, { areaMatch: true })], { now: NOW });
  t.equal(areas.chosen, 1);
  t.end();
});

t.test('a log that is full has forgotten somebody', (t) => {
  const eight = Array.from({ length: 8 }, (_, place) => shown(2 + 5 * place));
  const full = rank(eight, { now: NOW });
  const short = rank(eight.slice(0, 7), { now: NOW });
  t.ok(full.nobody > 100 * short.nobody);
  t.end();
});

t.test('doubly held: nobody is credited, both stay; an older one who had it alone may be', (t) => {
  const both = [shown(2, { ambiguous: true }), shown(3, { ambiguous: true }), shown(60)];
  const ranking = rank(both, { now: NOW });
  t.equal(ranking.ambiguous, true);
  t.equal(ranking.chosen, undefined);
  t.equal(ranking.level, 'none');
  t.equal(ranking.candidates.length, 3);

  t.equal(
    rank([shown(2, { ambiguous: true }), shown(60)], { now: NOW }).ambiguous,
    true,
    'one of them is lost',
  );
  const tapped = shown(3, { ambiguous: true, tapAt: NOW - 5_000 });
  t.equal(
    rank([shown(2), tapped], { now: NOW }).ambiguous,
    true,
    'likely one of them, and which is not known',
  );

  const alone = rank([shown(2), shown(3, { ambiguous: true })], { now: NOW });
  t.equal(alone.ambiguous, false);
  t.equal(alone.chosen, 0);
  t.end();
});

t.test('a bucket is many visitors: its calls go on as long as they are seen', (t) => {
  const bucket = shown(600, { level: 'bucket', bucket: 'b1', seenAt: NOW - 5_000, until: NOW + MINUTE });
  const ranking = rank([bucket, shown(640)], { now: NOW });
  t.equal(ranking.chosen, 0);
  t.equal(ranking.level, 'bucket');
  t.ok((ranking.candidates[0]?.probability ?? 0) > 0.99);
  t.end();
});
