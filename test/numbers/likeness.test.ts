import fc from 'fast-check';
import t from 'tap';
import type { FormerNumbers, Pool, Profile, Reuse } from '../../src/directory/model.js';
import { candidatePools } from '../../src/numbers/candidates.js';
import { freeAt, likeness, likeUntil, mattersUntil, NEVER } from '../../src/numbers/likeness.js';

const DAY = 86_400_000;
const DENTIST: Profile = { trade: ['dentist', 'hygienist'], region: ['kent'] };

t.test('how like two businesses are', async (t) => {
  t.equal(likeness(DENTIST, DENTIST), 1);
  t.equal(likeness(undefined, undefined), 0, 'nothing is said of either');
  t.equal(likeness(DENTIST, undefined), 0);
  t.equal(likeness(DENTIST, {}), 0);
  t.equal(likeness({ trade: ['dentist'] }, { trade: ['dentist', 'hygienist', 'surgeon'] }), 1 / 3);
  t.equal(likeness(DENTIST, { ...DENTIST, region: ['devon'] }), 0.5);
  t.equal(likeness(DENTIST, { ...DENTIST, region: ['devon'] }, { trade: 3 }), 0.75, 'weighted');
  t.equal(likeness(DENTIST, { ...DENTIST, region: ['devon'] }, { trade: 0 }), 0);
  t.equal(likeness(DENTIST, DENTIST, { trade: 0, region: 0 }), 0, 'nothing counts');
  t.equal(likeness({ trade: ['a'] }, { region: ['a'] }), 0, 'words are of their dimension');
  t.equal(likeness({ constructor: ['a'] }, { trade: ['a'] }), 0, 'a dimension of any name');
  const words = fc.subarray(['a', 'b', 'c', 'd']);
  const profile = fc.dictionary(fc.constantFrom('x', 'y', 'z'), words);
  const weights = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.double({ min: 0, max: 9, noNaN: true }));
  fc.assert(
    fc.property(profile, profile, weights, (a, b, w) => {
      const value = likeness(a, b, w);
      t.ok(value >= 0 && value <= 1.0000001);
      t.ok(Math.abs(value - likeness(b, a, w)) < 1e-9, 'either way');
    }),
  );
});

t.test('S5.5 a likeness halves with its half-life, and is gone at an exact time', async (t) => {
  const reuse = { likeness: 0.25, halfLifeMs: 30 * DAY };
  t.equal(likeUntil(1, 1000, reuse), 1000 + 60 * DAY, 'two half-lives');
  t.equal(likeUntil(0.5, 1000, reuse), 1000 + 30 * DAY);
  t.equal(likeUntil(0.25, 1000, reuse), 1000, 'not above the threshold: at once');
  t.equal(likeUntil(0, 1000, reuse), 1000);
  t.equal(likeUntil(0.01, 1000, { ...reuse, likeness: 0 }), NEVER);
  t.equal(likeUntil(0, 1000, { ...reuse, likeness: 0 }), 1000);
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      fc.integer({ min: 1000, max: 90 * DAY }),
      (value, likeness, halfLifeMs) => {
        const until = likeUntil(value, 0, { likeness, halfLifeMs });
        const at = (time: number) => value * 2 ** (-time / halfLifeMs);
        t.ok(at(until) <= likeness + 1e-12, 'not above from then on');
        if (until > 1) t.ok(at(until - 2) > likeness - 1e-12, 'and above before');
      },
    ),
  );
});

t.test('S5.4, S5.5 from when an account may give a number out', async (t) => {
  const reuse: Reuse = { quarantineMs: 10 * DAY, likeness: 0.5, halfLifeMs: 30 * DAY, weights: {} };
  const had = (account: `acc_${string}`, at: number, profile?: Profile): FormerNumbers => ({
    first: '+12025550100',
    last: '+12025550100',
    account,
    pool: 'pool_a',
    at,
    ...(profile && { profile }),
  });
  const taker = { id: 'acc_b' as const, profile: DENTIST };
  t.equal(freeAt([], taker, reuse), 0);
  t.equal(freeAt([had('acc_a', 5)], taker, undefined), 0, 'nothing is declared');
  t.equal(freeAt([had('acc_b', 5, DENTIST)], taker, reuse), 0, 'his own');
  t.equal(freeAt([had('acc_a', 5)], taker, reuse), 5 + 10 * DAY, 'the quarantine alone');
  t.equal(freeAt([had('acc_a', 5, { trade: ['plumber'] })], taker, reuse), 5 + 10 * DAY);
  t.equal(freeAt([had('acc_a', 5, DENTIST)], taker, reuse), 5 + 30 * DAY, 'too like for a half-life');
  t.equal(
    freeAt([had('acc_a', 5, DENTIST)], taker, { ...reuse, quarantineMs: 40 * DAY }),
    5 + 40 * DAY,
    'the later of the two',
  );
  t.equal(
    freeAt([had('acc_a', 5, DENTIST), had('acc_c', 25 * DAY), had('acc_b', 90 * DAY)], taker, reuse),
    35 * DAY,
    'of all who had it but himself',
  );
  t.equal(mattersUntil(had('acc_a', 5), reuse), 5 + 10 * DAY, 'nobody is like a stranger');
  t.equal(mattersUntil(had('acc_a', 5, DENTIST), reuse), 5 + 30 * DAY, 'somebody may be just like him');
  t.equal(mattersUntil(had('acc_a', 5, DENTIST), { ...reuse, likeness: 0 }), NEVER);
});

t.test('S1.8 which pools are tried, and in which order', async (t) => {
  const pool = (name: string, over: Partial<Pool> = {}): Pool => ({
    id: `pool_${name}`,
    name,
    numbers: [],
    ...over,
  });
  const names = (area?: string, pools: readonly Pool[] = all) =>
    candidatePools(pools, 'site_s', 'end_e', area).map(({ name }) => name);
  const all = [
    pool('open', { rank: 5 }),
    pool('dc', { rank: 4, areas: ['+1202'] }),
    pool('us', { rank: 3, areas: ['+1'] }),
    pool('site', { rank: 2, site: 'site_s' }),
    pool('endpoint', { rank: 1, reservedEndpoint: 'end_e', areas: ['+44'] }),
    pool('other', { rank: 0, site: 'site_other', areas: ['+1202'] }),
    pool('early', { rank: 0 }),
  ];
  t.strictSame(names(), ['endpoint', 'site', 'early', 'us', 'dc', 'open'], 'as reserved, then as declared');
  t.strictSame(names('+1202'), ['dc', 'us', 'endpoint', 'site', 'early', 'open'], 'the closest area first');
  t.strictSame(names('+1212').slice(0, 2), ['us', 'endpoint']);
  t.strictSame(names('+4420').slice(0, 2), ['endpoint', 'site']);
  t.strictSame(names('+49'), names(), 'an area that no pool has');
  const frozen = Object.freeze([...all]);
  t.strictSame(names('+1202', frozen).length, 6, 'the list itself stays as it is');
});
