import fc from 'fast-check';
import t from 'tap';
import { apply, type ApplyPorts } from '../../src/directory/apply.js';
import { DirectoryIndex } from '../../src/directory/directory-index.js';
import { readDeclaration } from '../../src/directory/file.js';
import { reconcile } from '../../src/directory/reconcile.js';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisDirectoryStore } from '../../src/redis/directory-store.js';
import { RedisPoolWriter } from '../../src/redis/pool-writer.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';

/**
 * Random histories of pages and operators on six numbers, beside a model that knows only what was declared and what pages
 * were told: a number is given to one page at a time, to none unless it is active, and nothing but its end or --force
 * takes a number from its page, wherever the number goes.
 */
const NUMBERS = Array.from({ length: 6 }, (_, i) => `+1202555010${i}`);
const POOLS = ['p', 'q', 'r'];
const STATES = ['active', 'active', 'paused', 'retired'] as const;
const HOLD_MS = 300_000;
const T0 = Date.UTC(2026, 0, 1);

interface Place {
  readonly pool: string | undefined;
  readonly state: (typeof STATES)[number];
}

type Step =
  | { readonly kind: 'allocate'; readonly who: number }
  | { readonly kind: 'renew' | 'end'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'declare'; readonly places: readonly Place[]; readonly force: boolean }
  | { readonly kind: 'reconcile' };

const place: fc.Arbitrary<Place> = fc.record({
  pool: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...POOLS) }, fc.constant(undefined)),
  state: fc.constantFrom(...STATES),
});
const places = fc.array(place, { minLength: NUMBERS.length, maxLength: NUMBERS.length });
const declare = fc.record({
  kind: fc.constant('declare' as const),
  places,
  force: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('allocate' as const), who: fc.nat(7) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('renew' as const, 'end' as const), which: fc.nat(20) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 1000, MARGIN_MS, HOLD_MS - 1, HOLD_MS),
    }),
  },
  { weight: 5, arbitrary: declare },
  { weight: 1, arbitrary: fc.constant({ kind: 'reconcile' as const }) },
);

function text(declared: readonly Place[]): string {
  const pools = POOLS.flatMap((name) => {
    const of = (state?: Place['state']) =>
      NUMBERS.filter((_, i) => {
        const one = declared[i];
        return one?.pool === name && (state === undefined || one.state === state);
      });
    const [numbers, paused, retired] = [of(), of('paused'), of('retired')];
    return numbers.length === 0
      ? []
      : [
          `{name: ${name}, numbers: [${numbers.join()}], paused: [${paused.join()}], retired: [${retired.join()}]}`,
        ];
  });
  return `apiVersion: tagswitch/v1
accounts:
  - name: acme
    endpoints: [{name: sales, destinations: ["sip:a@192.0.2.9"]}]
    sites: [{name: shop, origins: [https://a.example.com], printedNumber: +12125550150}]
    pools: [${pools.join()}]
`;
}

interface ModelLink {
  readonly link: string;
  readonly number: string;
  readonly who: number;
  until: number;
  /** Taken from its page by force: nobody has it, and the page may still show it until its end. */
  forced?: boolean;
}

/** The one account, with its one site and endpoint. */
function partsOf({ directory }: DirectoryIndex) {
  const [account] = directory.accounts;
  const [site] = account?.sites ?? [];
  const [endpoint] = account?.endpoints ?? [];
  if (account === undefined || site === undefined || endpoint === undefined) throw new Error('no account');
  return { account, site, endpoint };
}

const redis = await TestRedis.start();
const clients = new RedisClients(redis.url, keepingLogger());
t.teardown(async () => {
  await clients.close('the test is over');
  await redis.stop();
});
await clients.ready(5000);

t.test('moves, pauses and retirements give no number twice and lose no live link', async (t) => {
  let now = T0;
  const clock = (): number => now;
  const client = clients.background;
  const ports: ApplyPorts = {
    store: new RedisDirectoryStore(client),
    pools: new RedisPoolWriter(client, clock),
    // The look beforehand goes by the time of Redis; what counts is the look in the step that takes the numbers.
    liveUse: { of: () => Promise.resolve([]) },
  };
  const allocator = new Allocator(new RedisScripts(client), clock);
  const seen = { given: 0, kept: 0, movedAlive: 0, refused: 0, pausedAlive: 0 };

  const history = async (first: readonly Place[], steps: readonly Step[]): Promise<void> => {
    await client.flushall();
    now = T0;
    let declared: readonly Place[] = first;
    const declareNow = async (next: readonly Place[], force: boolean) => {
      const declaration = readDeclaration(text(next), { ownOrigins: [], readBeside: () => '' });
      return apply(declaration, ports, { force, clock });
    };
    await declareNow(first, false);
    const links: ModelLink[] = [];
    const placeOf = (number: string): Place | undefined => declared[NUMBERS.indexOf(number)];
    const serving = (list: readonly Place[], number: string): boolean => {
      const one = list[NUMBERS.indexOf(number)];
      return one?.pool !== undefined && one.state !== 'retired';
    };

    const allocated = async (who: number, index: DirectoryIndex, live: readonly ModelLink[]) => {
      const { account, site, endpoint } = partsOf(index);
      const session = `s${who}`;
      const request = { account: account.id, site: site.id, endpoint: endpoint.id, session, known: true };
      const pools = index.poolsFor(account.id, site.id, endpoint.id);
      const got = await allocator.allocate(request, { pools, site });
      const own = live.find((link) => link.who === who);
      const resting = (number: string) =>
        links.some((link) => link.number === number && link.until + MARGIN_MS > now);
      if (own !== undefined) {
        t.match(got, { number: own.number, link: own.link }, 'the page keeps its number');
        own.until = got.until ?? 0;
        seen.kept++;
      } else if (got.link !== null && got.until !== null) {
        t.equal(placeOf(got.number)?.state, 'active', 'only what is active is given');
        t.ok(placeOf(got.number)?.pool);
        t.notOk(resting(got.number), 'to one page at a time');
        links.push({ link: got.link, number: got.number, who, until: got.until });
        seen.given++;
      } else {
        const active = NUMBERS.filter(
          (number) => placeOf(number)?.state === 'active' && placeOf(number)?.pool,
        );
        t.ok(active.every(resting), 'the printed number where nothing is free');
      }
    };

    const redeclared = async (next: readonly Place[], force: boolean, live: readonly ModelLink[]) => {
      const result = await declareNow(next, force);
      const lost = live.filter(({ number }) => !serving(next, number) && serving(declared, number));
      if (result.outcome === 'refused') {
        const shown = links.filter(({ number, until }) => until > now && !serving(next, number));
        t.ok(shown.length > 0 && !force, 'refused where a page shows what would go, and only there');
        seen.refused++;
      } else {
        t.ok(lost.length === 0 || force, 'what has a live link does not go');
        for (const link of lost) link.forced = true;
        for (const { number } of live) {
          const after = next[NUMBERS.indexOf(number)];
          if (placeOf(number)?.pool !== after?.pool) seen.movedAlive++;
          if (after?.state === 'paused') seen.pausedAlive++;
        }
        declared = next;
      }
      const index = new DirectoryIndex(await ports.store.read());
      for (const number of NUMBERS) {
        const { pool, state } = placeOf(number) ?? {};
        t.equal(index.numberState(number, now), pool === undefined ? undefined : state);
        t.equal(index.numberOwner(number)?.pool.name, state === 'retired' ? undefined : pool);
      }
    };

    const touched = async (
      kind: 'renew' | 'end',
      link: ModelLink,
      index: DirectoryIndex,
      live: readonly ModelLink[],
    ) => {
      const { account } = partsOf(index);
      const pool = `pool_${link.link.slice(4, 20)}`;
      t.equal(index.accountOfPool(pool)?.id, account.id, 'its account is found');
      if (kind === 'renew') {
        const renewal = await allocator.renew(account.id, link.link);
        t.equal(renewal.state === 'renewed', live.includes(link), 'a live link is kept, and no other');
        if (renewal.state === 'renewed') link.until = renewal.until;
      } else {
        const how = await allocator.end(account.id, link.link);
        t.equal(how === 'done', live.includes(link));
        if (how === 'done') link.until = now;
      }
    };

    for (const one of steps) {
      const index = new DirectoryIndex(await ports.store.read());
      const live = links.filter(({ until, forced }) => until > now && forced !== true);
      if (one.kind === 'pass') {
        now += one.ms;
      } else if (one.kind === 'reconcile') {
        const mended = await reconcile(ports, clock);
        t.strictSame(mended, { reserved: 0, moved: 0, hidden: 0, withdrawn: 0, retimed: 0 }, 'all is well');
      } else if (one.kind === 'allocate') {
        await allocated(one.who, index, live);
      } else if (one.kind === 'declare') {
        await redeclared(one.places, one.force, live);
      } else {
        const link = links[one.which % Math.max(1, links.length)];
        if (link !== undefined) await touched(one.kind, link, index, live);
      }
    }
  };

  await fc.assert(fc.asyncProperty(places, fc.array(step, { minLength: 15, maxLength: 50 }), history), {
    numRuns: 60,
  });
  t.ok(
    Object.values(seen).every((count) => count > 20),
    JSON.stringify(seen),
  );
  t.comment(JSON.stringify(seen));
});
