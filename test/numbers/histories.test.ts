import t from 'tap';
import fc from 'fast-check';
import { mintId } from '../../src/ids.js';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { TestRedis } from '../support/redis.js';
import { makePool, makeSite, numbers, T0, World } from './fixture.js';

/**
 * Random histories of many holders on few numbers, beside a model that follows the words of the design alone: who holds
 * what until when, and when each number was last held. The model knows nothing of keys, hashes or scores.
 */
const HOLDERS = 12;
const POOLS = [3, 2];
const HOLD_MS = 30_000;

type Step =
  | { readonly kind: 'allocate'; readonly who: number }
  | { readonly kind: 'call'; readonly number: number }
  | { readonly kind: 'heartbeat'; readonly which: number; readonly last: boolean }
  | { readonly kind: 'pass'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('allocate' as const), who: fc.nat(HOLDERS - 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('heartbeat' as const), which: fc.nat(50), last: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('call' as const), number: fc.nat(4) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(
        fc.integer({ min: 0, max: 2_000 }),
        fc.constantFrom(1, MARGIN_MS - 1, MARGIN_MS, HOLD_MS - 1, HOLD_MS),
        fc.integer({ max: 90_000, min: 0 }),
      ),
    }),
  },
);

interface ModelLink {
  readonly link: string;
  readonly number: string;
  readonly who: number;
  until: number;
}

const redis = await TestRedis.start();
t.teardown(() => redis.stop());

t.test('S1.5 random histories keep the promises', { timeout: 60_000 }, async (t) => {
  const w = await World.open(redis.url);
  t.teardown(() => w.close());
  const site = makeSite({ holdMs: HOLD_MS });
  let given = 0;
  let refused = 0;
  let round = 0;

  const history = async (steps: readonly Step[]): Promise<void> => {
    w.now = T0;
    const account = mintId('acc');
    const pools = POOLS.map(() => makePool());
    const lists = POOLS.map((size, i) => numbers(size, 12025550100 + 10 * i));
    for (const [i, pool] of pools.entries()) await w.pools.reserve(account, pool.id, lists[i] ?? []);
    const links: ModelLink[] = [];
    const newestOf = (number: string) => links.findLast((one) => one.number === number);
    const heldUntil = (number: string): number => newestOf(number)?.until ?? -Infinity;
    const free = (number: string): boolean => heldUntil(number) + MARGIN_MS <= w.now;
    round += 1;

    const called = async (number: string): Promise<void> => {
      const last = newestOf(number);
      const pool = pools[lists.findIndex((list) => list.includes(number))]?.id ?? '';
      const told = await w.resolver.resolve(
        w.call(number, { account, pool, defaultEndpoint: 'end_default' }),
      );
      // Who of those that held it called is the ranking's business; that it was one of them, and what is true of him, ours.
      const taken = links.find((link) => link.link === told.link);
      const late = taken !== undefined && taken.until <= w.now;
      same(
        [told.session, taken?.number, told.late, told.why],
        last === undefined
          ? [undefined, undefined, false, 'poolDefault']
          : [`s${taken?.who ?? 'nobody'}`, number, late, late ? 'lastHolder' : 'linked'],
        'whose number it is',
      );
      // Whoever calls is there: a call keeps a live link as a heartbeat does.
      if (last !== undefined && last.until > w.now) last.until = w.now + HOLD_MS;
    };

    for (const one of steps) {
      if (one.kind === 'pass') {
        w.now += one.ms;
      } else if (one.kind === 'allocate') {
        const request = { account, site: site.id, endpoint: w.endpoint, session: `s${one.who}` };
        const got = await w.allocator.allocate(request, { pools, site });
        const own = links.find((link) => link.who === one.who && link.until > w.now);
        if (own !== undefined) {
          own.until = w.now + HOLD_MS;
          same(
            [got.number, got.link, got.until, got.fresh],
            [own.number, own.link, own.until, false],
            'his own, renewed',
          );
          continue;
        }
        const list = lists.find((candidates) => candidates.some(free));
        if (list === undefined) {
          refused += 1;
          same([got.level, got.link, got.number], ['none', null, site.printedNumber], 'nothing was free');
          continue;
        }
        given += 1;
        if (got.link === null) throw new Error('a number was free, and none was given');
        if (!list.includes(got.number))
          throw new Error('given from another pool than the first with a free number');
        if (!free(got.number)) throw new Error('given before what its last page was told was over');
        const oldest = Math.min(...list.map(heldUntil));
        same([heldUntil(got.number)], [oldest], 'the least recently held');
        links.push({ link: got.link, number: got.number, who: one.who, until: w.now + HOLD_MS });
      } else if (one.kind === 'call') {
        await called(lists.flat()[one.number] ?? '');
      } else {
        const known = links[one.which % Math.max(1, links.length)];
        if (known === undefined) continue;
        const current = newestOf(known.number) === known;
        const expected = !current ? 'unknown' : known.until <= w.now ? 'ended' : 'alive';
        if (!one.last) {
          const got = await w.allocator.renew(account, known.link);
          same([got.state], [expected === 'alive' ? 'renewed' : expected], 'what a heartbeat hears');
          if (expected === 'alive') known.until = w.now + HOLD_MS;
        } else {
          same(
            [await w.allocator.end(account, known.link)],
            [expected === 'alive' ? 'done' : expected],
            'what an end hears',
          );
          if (expected === 'alive') known.until = w.now;
        }
      }
    }

    const alive = links.filter((link) => link.until > w.now).map((link) => link.number);
    same([new Set(alive).size], [alive.length], 'no two live triples share a number');
    const keys = { holders: `ts:{account:${account}}:holders`, links: `ts:{account:${account}}:links` };
    const [holders, held] = [await w.redis.hvals(keys.holders), await w.redis.hvals(keys.links)];
    const used = new Set(links.map((link) => link.number)).size;
    if (holders.length > used || held.length > used) throw new Error('more fields than numbers');
    same([new Set(holders).size, new Set(held).size], [holders.length, held.length], 'one field a number');
    await w.redis.del(keys.holders, keys.links);
  };

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), history), {
    numRuns: 120,
  });
  t.ok(given > 500 && refused > 50, `${round} histories gave ${given} numbers and refused ${refused}`);
});

function same(got: readonly unknown[], wanted: readonly unknown[], what: string): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
  }
}
