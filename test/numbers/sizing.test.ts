import fc from 'fast-check';
import t from 'tap';
import { CALL_MODEL } from '../../src/numbers/call-model.js';
import { delayOfShare, shareLaterThan } from '../../src/numbers/delays.js';
import { erlangB, numbersForBlocking, utilisation } from '../../src/numbers/erlang.js';
import { MARKS, numbersFor, offeredLoad, reuseWindow, sizePool } from '../../src/numbers/sizing.js';
import {
  GAP_BINS,
  gapPercentile,
  HOUR_MS,
  readTraffic,
  type HourTraffic,
  type PoolTraffic,
} from '../../src/numbers/traffic.js';

const MINUTE = 60_000;

t.test('Erlang B gives the numbers of the published table', async (t) => {
  const table: readonly (readonly [offered: number, at5: number, at1: number, at01: number, full: number])[] =
    [
      [1, 4, 5, 6, 0.5],
      [5, 9, 11, 14, 0.285],
      [10, 15, 18, 21, 0.215],
      [20, 26, 30, 35, 0.159],
      [50, 56, 64, 71, 0.105],
      [100, 105, 117, 128, 0.076],
      [200, 202, 221, 238, 0.054],
      [1000, 966, 1029, 1072, 0.025],
    ];
  for (const [offered, at5, at1, at01, full] of table) {
    t.same(
      [0.05, 0.01, 0.001].map((target) => numbersForBlocking(offered, target)),
      [at5, at1, at01],
      `numbers for ${offered} erlangs`,
    );
    t.ok(Math.abs(erlangB(offered, offered) - full) < 0.0006, `as many numbers as erlangs, ${offered}`);
  }
});

t.test(
  'Erlang B is the quotient of its definition, falls with each number, and is the inverse of its inverse',
  async (t) => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 60, noNaN: true }),
        fc.integer({ min: 0, max: 80 }),
        (offered, n) => {
          let term = 1;
          let sum = 1;
          for (let k = 1; k <= n; k++) sum += term *= offered / k;
          const b = erlangB(offered, n);
          if (Math.abs(b - term / sum) > 1e-12) return false;
          return erlangB(offered, n + 1) <= b && utilisation(offered, n) <= 1;
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 5000, noNaN: true }),
        fc.double({ min: 1e-6, max: 1, noNaN: true }),
        (offered, target) => {
          const n = numbersForBlocking(offered, target);
          return erlangB(offered, n) <= target && (n === 0 || erlangB(offered, n - 1) > target);
        },
      ),
    );
    t.equal(erlangB(0, 0), 1);
    t.equal(erlangB(0, 5), 0);
    t.equal(numbersForBlocking(0, 0.01), 0);
    t.ok(
      erlangB(100_000, 100_000) > 0.002 && erlangB(100_000, 100_000) < 0.003,
      'a hundred thousand numbers',
    );
    for (const bad of [Number.NaN, -1, Infinity]) t.throws(() => erlangB(bad, 1), RangeError);
    for (const bad of [0.5, -1, Number.NaN]) t.throws(() => erlangB(1, bad), RangeError);
    for (const bad of [0, -0.1, 1.1, Number.NaN]) t.throws(() => numbersForBlocking(1, bad), RangeError);
  },
);

t.test('200 visits an hour, held 3 minutes and a tail', async (t) => {
  const load = (tailMin: number) => ({ perMs: 200 / HOUR_MS, holdMs: (3 + tailMin) * MINUTE });
  t.same(
    [0, 30, 120, 1440].map((tail) => Math.round(offeredLoad(load(tail)))),
    [10, 110, 410, 4810],
  );
  t.same(
    [0, 30, 120, 1440].map((tail) => numbersForBlocking(offeredLoad(load(tail)), 0.01)),
    [18, 128, 436, 4822],
  );
  t.same(
    [18, 60, 130, 400, 1000].map((n) => Math.round(reuseWindow(n, load(0)) / MINUTE)),
    [5, 18, 39, 120, 300],
  );
  t.equal(numbersFor(load(0), 0.01, 30 * MINUTE), 100, 'the window asks for more than blocking');
  t.equal(numbersFor(load(120), 0.01, 30 * MINUTE), 436, 'blocking asks for more than the window');
});

t.test('the delays of calls', async (t) => {
  t.ok(
    Math.abs(CALL_MODEL.delays.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-12,
    'the shares are all',
  );
  t.equal(shareLaterThan(0), 1);
  t.equal(shareLaterThan(Infinity), 0);
  const lone = [{ share: 1, medianMin: 1 / 60, sigma: 1 }];
  t.ok(Math.abs(shareLaterThan(1000, lone) - 0.5) < 1e-7, 'half come within the median');
  t.ok(Math.abs(shareLaterThan(1000 * Math.E, lone) - 0.158655) < 1e-6, 'one sigma above');
  t.ok(Math.abs(shareLaterThan(1000 / Math.E ** 2, lone) - 0.97725) < 1e-6, 'two below');
  for (const share of [0.5, 0.1, 0.01]) {
    t.ok(Math.abs(shareLaterThan(delayOfShare(share)) - share) < 1e-6, `the time of a share, ${share}`);
  }
  t.throws(() => delayOfShare(0), RangeError);
});

const HOUR = 500_000;

function hour(over: Partial<HourTraffic> = {}): HourTraffic {
  const gaps = new Array<number>(GAP_BINS).fill(0);
  return { hour: HOUR - 1, fresh: 0, none: 0, held: 0, heldMs: 0, gaps, ...over };
}

function traffic(over: Partial<PoolTraffic> = {}): PoolTraffic {
  return { now: HOUR * HOUR_MS + 10 * MINUTE, numbers: 18, busy: 10, hours: [], ...over };
}

t.test('the hash of a pool is read by the hour', async (t) => {
  const hours = readTraffic({
    '500001:first': '7',
    '500000:first': '100',
    '500000:later': '3',
    '500000:none': '4',
    '500000:held': '6',
    '500000:heldMs': '1080000',
    '500000:gap0': '1',
    '500000:gap15': '99',
    nonsense: '1',
    '500000:first2': 'x',
  });
  t.same(
    hours.map(({ hour: h, fresh, none, held, heldMs }) => [h, fresh, none, held, heldMs]),
    [
      [500000, 200, 4, 6, 1080000],
      [500001, 7, 0, 0, 0],
    ],
  );
  t.same(hours[0]?.gaps, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99]);
  t.same(readTraffic({}), []);
});

t.test('percentiles of gaps', async (t) => {
  const gaps = new Array<number>(GAP_BINS).fill(0);
  t.equal(gapPercentile(gaps, 0.5), undefined);
  gaps[3] = 10; // 7 to 15 s
  t.equal(gapPercentile(gaps, 0.5), 11_000);
  gaps[0] = 10; // 0 to 1 s
  t.equal(gapPercentile(gaps, 0.5), 1_000);
  t.equal(gapPercentile(gaps, 0.75), 11_000);
  t.equal(gapPercentile(gaps, 1), 15_000);
});

t.test('a pool that is too small is warned of, and what is proposed ends the warnings', async (t) => {
  const gaps = new Array<number>(GAP_BINS).fill(0);
  gaps[7] = 190; // 127 to 255 s
  const busy = hour({ fresh: 199, none: 1, held: 190, heldMs: 190 * 3 * MINUTE, gaps });
  const quiet = hour({ hour: HOUR - 2, fresh: 5, held: 10, heldMs: 10 * 3 * MINUTE });
  const old = hour({ hour: HOUR - 30, fresh: 9000 });
  const found = sizePool(traffic({ hours: [old, quiet, busy] }));
  t.equal(found.hour, HOUR - 1, 'the busiest of the last day');
  t.equal(found.arrivalsPerHour, 200);
  t.equal(found.meanHoldMs, 3 * MINUTE);
  t.ok(Math.abs(found.offered - 10) < 1e-9);
  t.equal(found.withoutNumber.measured, 1 / 200);
  t.ok(Math.abs(found.withoutNumber.erlangB - 0.0071) < 0.0001);
  t.equal(found.reuseWindowMs, 18 * 18_000);
  t.equal(found.needed.forBlocking, 18);
  t.equal(found.needed.forReuse, 100);
  t.same(
    found.warnings.map(({ what }) => what),
    ['reuseMs', 'wrongHolder'],
  );
  const { expected, byGaps } = found.wrongHolder;
  t.ok(expected > 0.3 && expected < 0.37, `every third call is expected wrong: ${expected}`);
  t.ok(byGaps !== null && Math.abs(byGaps - expected) < 0.05, `so the gaps say: ${String(byGaps)}`);
  t.match(found.gapMs, { p5: /^1\d{5}$/, p95: /^2\d{5}$/ });

  const { proposal } = found;
  t.equal(proposal?.why, 'wrongHolder');
  t.equal(proposal?.add, proposal && proposal.numbers - 18);
  const mended = sizePool(traffic({ hours: [busy], numbers: proposal?.numbers ?? 0 }));
  t.same(mended.warnings, []);
  t.equal(mended.proposal, undefined);
  const almost = sizePool(traffic({ hours: [busy], numbers: (proposal?.numbers ?? 0) - 2 }));
  t.not(almost.warnings.length, 0, 'two fewer are not enough');
});

t.test('each mark is passed alone, at its own place', async (t) => {
  const long = hour({ fresh: 100, held: 100, heldMs: 100 * 60 * MINUTE }); // 100 erlangs, held an hour each
  const full = sizePool(traffic({ hours: [long], numbers: 120 }));
  t.same(
    full.warnings.map(({ what }) => what),
    ['utilisation'],
    'an hour until a number is shown again, but five in six are held',
  );
  t.equal(full.proposal?.why, 'utilisation');
  t.ok(utilisation(full.offered, full.proposal?.numbers ?? 0) <= MARKS.utilisation);
  t.ok(utilisation(full.offered, (full.proposal?.numbers ?? 0) - 1) > MARKS.utilisation);

  const aimed = sizePool(traffic({ hours: [long], numbers: 140 }), { target: 0.01, reuseMs: 2 * HOUR_MS });
  t.same(aimed.warnings, []);
  t.same(aimed.proposal, { numbers: 200, add: 60, why: 'reuseMs' }, 'what is aimed at beyond the marks');
});

t.test('little or no traffic', async (t) => {
  const none = sizePool(traffic());
  t.same([none.offered, none.utilisation, none.warnings, none.hour], [0, 0, [], null]);
  t.equal(none.proposal, undefined);
  t.equal(none.reuseWindowMs, null);
  const now = HOUR * HOUR_MS;
  const present = hour({ hour: HOUR, fresh: 50 });
  const early = sizePool(traffic({ hours: [present], now: now + 14 * MINUTE }));
  t.equal(early.hour, null, 'a few minutes are no hour');
  const half = sizePool(traffic({ hours: [present], now: now + 30 * MINUTE, busy: 10 }));
  t.equal(half.arrivalsPerHour, 100, 'half an hour speaks for a whole one');
  t.equal(
    half.meanHoldMs,
    6 * MINUTE,
    'no number was given twice yet: 10 held at 100 an hour are 6 minutes each',
  );
  const empty = sizePool(traffic({ hours: [hour({ none: 30 })], numbers: 0, busy: 0 }));
  t.equal(empty.withoutNumber.measured, 1, 'a pool without numbers');
  t.equal(empty.withoutNumber.erlangB, 1);
});
