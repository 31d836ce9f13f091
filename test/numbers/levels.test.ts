/** What a page gets when it is not simply a number of its own: buckets, persons, provisional links, the overflow number. */
import t, { type Test } from 'tap';
import fc from 'fast-check';
import { mintId } from '../../src/ids.js';
import { MARGIN_MS } from '../../src/numbers/allocate-command.js';
import { bucketOf, parameterBucket } from '../../src/numbers/bucket.js';
import { parseHolderLog, type Holding } from '../../src/numbers/holder-log.js';
import { linkIsOurs, mintLinkTail, poolTag } from '../../src/numbers/links.js';
import type { Allocation } from '../../src/numbers/types.js';
import { TestRedis } from '../support/redis.js';
import { makePool, numbers, T0, World } from './fixture.js';

const redis = await TestRedis.start();
t.teardown(() => redis.stop());

const HOLD = 60_000;
const CRITERIA = ['source', 'campaign'] as const;

async function world(t: Test, count: number, site: object = {}): Promise<World> {
  const world = await World.open(redis.url, { site });
  t.teardown(() => world.close());
  await world.pools.reserve(world.account, world.pool.id, numbers(count));
  return world;
}

const bucketing = (threshold: number, more: object = {}): object => ({
  degrade: ['session', 'bucket'],
  bucket: { criteria: CRITERIA, threshold, switchAt: 'above', backAt: Math.floor(threshold * 0.9), ...more },
});
const touch = (source: string): { touch: string } => ({ touch: JSON.stringify({ source }) });
const linkOf = ({ link }: Allocation): string => link ?? '';

async function entryOf(w: World, number: string): Promise<Holding> {
  const [newest] = parseHolderLog((await w.redis.hget(w.keys.numbers, number)) ?? '');
  if (newest === undefined) throw new Error('never held');
  return newest;
}

t.test('S2.1 the same criteria make the same bucket, in whatever order, whoever computes it', async (t) => {
  const of = (text: string, area?: string) =>
    bucketOf({ criteria: ['location', 'source'] }, { touch: text, area }).id;
  t.equal(
    of('{"source":"news","medium":"a"}'),
    of('{"medium":"b","source":" News "}'),
    'what is no criterion is no part',
  );
  t.not(of('{"source":"news"}'), of('{"source":"ads"}'));
  t.not(of('{"source":"news"}', '+1202'), of('{"source":"news"}', '+1203'), 'location');
  t.equal(
    bucketOf({ criteria: ['source'] }, { own: 'mine', touch: '{}' }).id,
    'mine',
    'the tag computed it itself',
  );
  t.strictSame(
    bucketOf({ criteria: ['source'] }, { touch: '{"source":"ads","keyword":"k"}' }).touch,
    '{"source":"ads"}',
  );
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const id = (value: string) =>
        bucketOf({ criteria: ['source'] }, { touch: JSON.stringify({ source: value }) }).id;
      const same = a.trim().toLowerCase() === b.trim().toLowerCase();
      return (id(a) === id(b)) === same && /^[0-9a-z]{16}$/.test(id(a));
    }),
  );
});

t.test(
  'S2.2, S2.3, S2.4 above the threshold sessions of one bucket share a number, and who has one keeps it',
  async (t) => {
    for (const [switchAt, last] of [
      ['above', 3],
      ['atLeast', 2],
    ] as const) {
      const w = await world(t, 20, bucketing(3, { switchAt }));
      const own: Allocation[] = [];
      for (let n = 0; n < last; n += 1) own.push(await w.allocate(`s${String(n)}`, touch('news')));
      t.strictSame(
        [...new Set(own.map(({ level }) => level))],
        ['session'],
        `${switchAt}: up to ${String(last)} sessions`,
      );
      const news = await w.allocate('s10', touch('news'));
      t.match(news, { level: 'bucket', fresh: true }, 'one more');
      const again = await w.allocate('s11', touch('news'));
      t.match(
        again,
        { number: news.number, link: news.link, level: 'bucket', fresh: false },
        'the same bucket: its number',
      );
      const ads = await w.allocate('s12', touch('ads'));
      t.match(ads, { level: 'bucket', fresh: true });
      t.not(ads.number, news.number, 'another bucket, another number');
      t.match(
        await w.allocate('s0', touch('ads')),
        { number: own[0]?.number, level: 'session' },
        'his own stays his own',
      );
      const entry = await entryOf(w, news.number);
      t.match(entry, { level: 'bucket', touch: '{"source":"news"}' });
      t.notOk('session' in entry, 'no session is in it');
      t.equal(await w.allocator.end(w.account, linkOf(news)), 'done');
      t.match(
        await w.allocate('s13', touch('news')),
        { number: news.number },
        'one page that leaves ends it for nobody',
      );
    }
  },
);

t.test(
  'S2.5, S2.7 back below the mark new visitors have numbers of their own again, site by site',
  async (t) => {
    const w = await world(t, 40, bucketing(10, { backAt: 8 }));
    const links: string[] = [];
    for (let n = 0; n < 11; n += 1) links.push(linkOf(await w.allocate(`s${String(n)}`)));
    t.match(await w.allocate('more'), { level: 'bucket' });
    const other = { ...w.site, id: mintId('site') };
    const elsewhere = await w.allocator.allocate(
      { ...w.request('x'), site: other.id },
      { pools: [w.pool], site: other },
    );
    t.equal(elsewhere.level, 'session', 'another site counts its own');
    // Half of the pages go on, the others are left.
    w.now += HOLD - 1;
    const counting = [w.site.id];
    for (const link of links.slice(0, 8)) await w.allocator.renew(w.account, link, counting, { counting });
    w.now += 1_000;
    t.match(
      await w.allocate('nine'),
      { level: 'bucket' },
      'with nine the mode stays: no flapping at the threshold',
    );
    w.now += HOLD - 1_500;
    for (const link of links.slice(0, 7)) await w.allocator.renew(w.account, link, counting, { counting });
    w.now += 2_000;
    t.match(await w.allocate('eight'), { level: 'session' }, 'with eight it is over');
    t.match(await w.allocate('nine more'), { level: 'session' });
  },
);

t.test('a set of parameter values holds a number instead of a session (S12.5)', async (t) => {
  const w = await world(t, 5);
  const one = JSON.stringify({ placement: 'top', publisher: 'paper' });
  const first = await w.allocate('', { parameters: one });
  t.match(first, { level: 'bucket', fresh: true });
  t.match(await w.allocate('whoever', { parameters: one }), { number: first.number, fresh: false });
  const second = await w.allocate('', {
    parameters: JSON.stringify({ placement: 'end', publisher: 'paper' }),
  });
  t.not(second.number, first.number);
  t.match(await entryOf(w, first.number), { parameters: one, bucket: parameterBucket(one) });
});

t.test('the overflow number is everybody’s, and each step of the order is tried', async (t) => {
  const overflowNumber = '+12025550180';
  const w = await world(t, 1, { overflowNumber, degrade: ['session', 'overflow'] });
  t.match(await w.allocate('s1'), { level: 'session' });
  for (const session of ['s2', 's2', 's3'])
    t.match(await w.allocate(session), {
      number: overflowNumber,
      level: 'overflow',
      link: null,
      until: null,
    });
  const log = parseHolderLog((await w.redis.hget(w.keys.numbers, overflowNumber)) ?? '');
  t.strictSame(
    log.map(({ session, level }) => `${session ?? ''} ${level}`),
    ['s3 overflow', 's2 overflow'],
  );
  t.match(await w.allocate('s1'), { level: 'session', fresh: false }, 'who has a number keeps it');

  const all = await world(t, 2, {
    ...bucketing(0),
    overflowNumber,
    degrade: ['bucket', 'overflow', 'session'],
  });
  t.match(await all.allocate('s1', touch('a')), { level: 'bucket' }, 'the order is the site’s');
  t.match(await all.allocate('s2', touch('b')), { level: 'bucket' });
  t.match(await all.allocate('s3', touch('c')), { level: 'overflow' }, 'no number is left for the bucket');
  t.match(await all.allocate('s3', touch('a')), { level: 'bucket', fresh: false });
});

t.test('a provisional link is short until its page is heard again', async (t) => {
  const w = await world(t, 2, { provisionalMs: 10_000 });
  const one = await w.allocate('s1');
  t.match(one, { confirmMs: 10_000, until: T0 + 10_000, holdMs: HOLD });
  w.now += 5_000;
  t.match(
    await w.allocate('s1'),
    { confirmMs: 10_000, until: w.now + 10_000 },
    'asking twice confirms nothing',
  );
  t.match(await w.allocator.renew(w.account, linkOf(one)), { confirmed: true, until: w.now + HOLD });
  t.match(await w.allocator.renew(w.account, linkOf(one)), { confirmed: false }, 'once');
  t.match(await w.allocate('s1'), { confirmMs: 0, until: w.now + HOLD });
  t.match(
    await w.allocate('s2', { known: true }),
    { confirmMs: 0, until: w.now + HOLD },
    'a known visitor needs no proof',
  );
  w.now += HOLD + MARGIN_MS;
  const left = await w.allocate('s3');
  w.now += 10_000 + MARGIN_MS;
  await w.allocate('s4');
  t.match(
    await w.allocate('s5'),
    { number: left.number },
    'the number of a page that was not heard again is soon free',
  );
});

t.test('below the water mark only known visitors get numbers', async (t) => {
  const w = await world(t, 10, { reservedShare: 0.3 });
  for (let n = 0; n < 7; n += 1) t.match(await w.allocate(`s${String(n)}`), { level: 'session' });
  t.match(await w.allocate('stranger'), { level: 'none' });
  t.match(await w.allocate('s0'), { level: 'session', fresh: false }, 'who has one keeps it');
  t.match(await w.allocate('known', { known: true }), { level: 'session' });
  t.match(await w.allocate('signed in', { person: 'p1' }), { level: 'session' });
});

t.test('a drain by a thousand strangers leaves those who are known served', async (t) => {
  const w = await world(t, 100, { reservedShare: 0.2, provisionalMs: 20_000 });
  let given = 0;
  for (let n = 0; n < 1_000; n += 1) if ((await w.allocate(`bot${String(n)}`)).link !== null) given += 1;
  t.equal(given, 80);
  for (let n = 0; n < 20; n += 1)
    t.match(
      await w.allocate(`known${String(n)}`, n % 2 === 0 ? { known: true } : { person: `p${String(n)}` }),
      {
        level: 'session',
      },
    );
  w.now += 20_000 + MARGIN_MS;
  t.match(
    await w.allocate('a visitor'),
    { level: 'session' },
    'what was taken is back when nobody confirms it',
  );
});

t.test('S12.1, S12.3, S12.4 the devices of one person', async (t) => {
  const w = await world(t, 10);
  const phone = await w.allocate('phone', { person: 'p1', visitor: 'v1' });
  const laptop = await w.allocate('laptop', { person: 'p1', visitor: 'v2' });
  t.match(
    laptop,
    { number: phone.number, link: phone.link, fresh: false },
    'the second device has the first one’s number',
  );
  t.match(await w.allocate('laptop'), { number: phone.number }, 'and keeps it without a proof');
  t.match(await w.allocate('stranger'), { fresh: true }, 'no merge without a proof (S12.2)');

  const tablet = await w.allocate('tablet');
  t.not(tablet.number, phone.number);
  t.match(
    await w.allocate('tablet', { person: 'p1' }),
    { number: phone.number },
    'two numbers: the first one survives',
  );
  t.match(
    await entryOf(w, tablet.number),
    { session: 'tablet', person: 'p1' },
    'the other one still leads to the person',
  );
  t.match(await entryOf(w, phone.number), { session: 'phone', also: ['laptop', 'tablet'], person: 'p1' });

  w.now += HOLD + MARGIN_MS;
  for (let n = 0; n < 10; n += 1) await w.allocate(`other${String(n)}`);
  t.equal(await w.redis.hlen(w.keys.holders), 10, 'of those that are gone nothing is left');
  t.equal(await w.redis.hlen(w.keys.links), 10);
});

t.test('a session that held a number before its sign-in keeps it; parted, each is alone again', async (t) => {
  const w = await world(t, 10);
  const before = await w.allocate('phone');
  t.match(await w.allocate('phone', { person: 'p1' }), { number: before.number, fresh: false });
  t.match(await w.allocate('laptop', { person: 'p1' }), { number: before.number });
  t.equal(await w.allocator.part(w.account, w.site.id, [w.endpoint], 'p1'), 1);
  t.match(await w.allocate('phone'), { number: before.number, fresh: false });
  const alone = await w.allocate('laptop');
  t.match(alone, { fresh: true });
  t.not(alone.number, before.number);
  const parted = await entryOf(w, before.number);
  t.notOk('person' in parted || 'also' in parted, 'nothing of it is remembered');
  t.equal(await w.allocator.part(w.account, w.site.id, [w.endpoint], 'p1'), 0, 'a second time');
});

t.test('two persons on one device have two numbers', async (t) => {
  const w = await world(t, 10);
  const first = await w.allocate('shared', { person: 'p1' });
  const second = await w.allocate('shared', { person: 'p2' });
  t.match(second, { fresh: true });
  t.not(second.number, first.number);
  t.match(await w.allocate('phone', { person: 'p1' }), { number: first.number });
  t.match(await w.allocate('shared', { person: 'p1' }), { number: first.number });
  t.match(await entryOf(w, second.number), { person: 'p2' }, 'and nobody takes over the other one’s');
});

t.test('a tap is noted while the number is nobody else’s', async (t) => {
  const w = await world(t, 1);
  const one = await w.allocate('s1');
  w.now += 1_000;
  t.equal(await w.allocator.tap(w.account, linkOf(one), ['site_another']), false, 'of another site');
  t.notOk('tapAt' in (await entryOf(w, one.number)));
  t.equal(await w.allocator.tap(w.account, linkOf(one), [w.site.id]), true);
  t.match(await entryOf(w, one.number), { tapAt: w.now, until: T0 + HOLD });
  w.now += HOLD;
  t.equal(await w.allocator.tap(w.account, linkOf(one)), true, 'the link is over, the page still shows it');
  w.now += MARGIN_MS;
  await w.allocate('s2');
  t.equal(await w.allocator.tap(w.account, linkOf(one)), false);
  for (const link of ['', 'lnk_x', `lnk_${poolTag(w.pool.id)}${mintLinkTail()}`])
    t.equal(await w.allocator.tap(w.account, link), false);
});

t.test(
  'whoever calls is there: a call keeps a live link, confirms it, and wakes none that is over',
  async (t) => {
    const w = await world(t, 2, { provisionalMs: 10_000 });
    const one = await w.allocate('s1');
    w.now += 5_000;
    await w.resolver.resolve(w.call(one.number, { pool: makePool().id }));
    t.match(
      await entryOf(w, one.number),
      { until: T0 + 10_000 },
      'as of another pool: its number is being moved',
    );
    await w.resolver.resolve(w.call(one.number));
    t.match(await entryOf(w, one.number), { until: w.now + HOLD, hold: HOLD });
    t.equal(Number(await w.redis.zscore(w.keys.ends(w.pool.id), one.number)), w.now + HOLD + MARGIN_MS);
    t.match(await w.allocator.renew(w.account, linkOf(one)), { confirmed: false });
    w.now += HOLD;
    const { until } = await entryOf(w, one.number);
    await w.resolver.resolve(w.call(one.number));
    t.equal((await entryOf(w, one.number)).until, until);
  },
);

t.test('a number that Redis gave twice after a failover is marked, not guessed', async (t) => {
  const w = await world(t, 2);
  const lost = await w.allocate('s1');
  // The replica that took over had not heard of it.
  await w.redis.del(w.keys.holders, w.keys.links, w.keys.numbers);
  await w.redis.zadd(w.keys.ends(w.pool.id), 0, lost.number);
  w.now += 1_000;
  const again = await w.allocate('s2');
  t.equal(again.number, lost.number, 'two pages show it now');
  const claim = { session: 's1', number: lost.number, until: lost.until ?? 0 };
  const forged = `lnk_${poolTag(w.pool.id)}${'0'.repeat(16)}`;
  t.match(
    await w.allocator.renew(w.account, forged, [], claim),
    { state: 'unknown' },
    'a link that is not ours',
  );
  t.notOk((await entryOf(w, lost.number)).ambiguous);
  t.match(
    await w.allocator.renew(w.account, linkOf(lost), [], claim),
    { state: 'ended' },
    'the page asks anew',
  );
  t.equal((await entryOf(w, lost.number)).ambiguous, true);
  t.match(await w.allocator.renew(w.account, linkOf(again)), { state: 'renewed' }, 'the other page goes on');
  const fresh = await w.allocate('s1');
  t.not(fresh.number, lost.number, 'the one who asks anew has a number of his own');
  const second = await w.allocate('s2');
  t.match(second, { level: 'none' }, 'a doubly held number is not shown again; here none other is free');

  const calm = await world(t, 1);
  const first = await calm.allocate('s1');
  calm.now += HOLD + MARGIN_MS;
  const next = await calm.allocate('s2');
  const late = { number: first.number, until: first.until ?? 0 };
  t.match(await calm.allocator.renew(calm.account, linkOf(first), [], late), { state: 'unknown' });
  t.notOk((await entryOf(calm, next.number)).ambiguous, 'a page that comes late claims nothing');
});

t.test('a heartbeat that a failover lost is made good while the number is nobody else’s', async (t) => {
  const w = await world(t, 1);
  const one = await w.allocate('s1');
  w.now = T0 + HOLD - 1;
  const before = await w.redis.hget(w.keys.numbers, one.number);
  const beat = await w.allocator.renew(w.account, linkOf(one));
  await w.redis.hset(w.keys.numbers, one.number, before ?? '');
  w.now += HOLD - 1;
  t.match(await w.allocator.renew(w.account, linkOf(one)), { state: 'ended' }, 'Redis has forgotten');
  const until = beat.state === 'renewed' ? beat.until : 0;
  t.match(await w.allocator.renew(w.account, linkOf(one), [], { number: one.number, until }), {
    state: 'renewed',
    until: w.now + HOLD,
  });
});

t.test('a link outlives the move of its number to another pool', async (t) => {
  const w = await world(t, 1);
  const one = await w.allocate('s1');
  const other = makePool();
  const entry = await entryOf(w, one.number);
  await w.redis.zrem(w.keys.ends(w.pool.id), one.number);
  await w.redis.zadd(w.keys.ends(other.id), entry.until + MARGIN_MS, one.number);
  await w.redis.hset(w.keys.numbers, one.number, JSON.stringify({ ...entry, pool: other.id }));
  w.now += 30_000;
  t.match(await w.allocator.renew(w.account, linkOf(one)), { state: 'renewed', until: w.now + HOLD });
  t.equal(Number(await w.redis.zscore(w.keys.ends(other.id), one.number)), w.now + HOLD + MARGIN_MS);
  t.equal(await w.redis.zscore(w.keys.ends(w.pool.id), one.number), null);
  t.equal(await w.allocator.end(w.account, linkOf(one)), 'done');
  t.equal(Number(await w.redis.zscore(w.keys.ends(other.id), one.number)), w.now + MARGIN_MS);
});

interface Told {
  readonly number: string;
  readonly link: string;
  readonly level: string;
  until: number;
}

type Move =
  | { readonly kind: 'view'; readonly who: number; readonly person: number; readonly source: string }
  | { readonly kind: 'beat' | 'leave' | 'tap'; readonly who: number }
  | { readonly kind: 'part'; readonly person: number }
  | { readonly kind: 'pass'; readonly ms: number };

/** Pages on one site, what each was told, and who signed in where: the moves of a random history. */
class Pages {
  readonly told = new Map<number, Told>();
  /** Sessions that ever were of one person. */
  readonly group = new Map<number, Set<number>>();
  readonly seen = { session: 0, bucket: 0, none: 0 };
  readonly #w: World;

  constructor(w: World) {
    this.#w = w;
  }

  async go(move: Move): Promise<void> {
    const w = this.#w;
    if (move.kind === 'pass') w.now += move.ms;
    else if (move.kind === 'part') await this.#part(move.person);
    else if (move.kind === 'view') await this.#view(move.who, move.person, move.source);
    else await this.#said(move.kind, move.who);
  }

  async #part(person: number): Promise<void> {
    const w = this.#w;
    await w.allocator.part(w.account, w.site.id, [w.endpoint], `p${String(person)}`);
    // Which of them keeps the number is not told to the pages: none of them counts on it any more.
    for (const [session, link] of this.told)
      if (this.group.get(person)?.has(session)) link.until = Math.min(link.until, w.now);
  }

  async #view(who: number, person: number, source: string): Promise<void> {
    const signed = person >= 0;
    if (signed) this.group.set(person, (this.group.get(person) ?? new Set()).add(who));
    const over = { ...touch(source), ...(signed && { person: `p${String(person)}` }) };
    const { link, until, level, number } = await this.#w.allocate(`s${String(who)}`, over);
    this.told.delete(who);
    if (link !== null && until !== null) this.told.set(who, { number, link, level, until });
    if (level === 'session' || level === 'bucket' || level === 'none') this.seen[level] += 1;
  }

  async #said(what: 'beat' | 'leave' | 'tap', who: number): Promise<void> {
    const w = this.#w;
    const mine = this.told.get(who);
    if (mine === undefined) return;
    const counting = [w.site.id];
    if (what === 'tap') await w.allocator.tap(w.account, mine.link);
    else if (what === 'leave') {
      await w.allocator.end(w.account, mine.link, counting, 1_000);
      for (const other of this.told.values())
        if (other.link === mine.link && other.level === 'session')
          other.until = Math.min(other.until, w.now + 1_000);
    } else {
      const claim = { counting, number: mine.number, until: mine.until };
      const beat = await w.allocator.renew(w.account, mine.link, counting, claim);
      if (mine.until > w.now && beat.state !== 'renewed') throw new Error('a live link was not renewed');
      if (beat.state === 'renewed') mine.until = beat.until;
    }
  }

  /** Whether two sessions that were never one person's were told the same number, and both may show it. */
  get shared(): boolean {
    const live = [...this.told].filter(([, { until, level }]) => until > this.#w.now && level === 'session');
    const together = (a: number, b: number): boolean =>
      [...this.group.values()].some((sessions) => sessions.has(a) && sessions.has(b));
    return live.some(([a, first]) =>
      live.some(([b, second]) => a !== b && first.number === second.number && !together(a, b)),
    );
  }
}

/** The score of a number is the end of its link; nothing is called doubly held; both maps are bounded by the numbers. */
async function consistent(w: World): Promise<void> {
  const scores: unknown[] = await w.redis.zrange(w.keys.ends(w.pool.id), '0', '-1', 'WITHSCORES');
  const flat = scores.flat().map(String);
  for (const [number, log] of Object.entries(await w.redis.hgetall(w.keys.numbers))) {
    const [entry] = parseHolderLog(log);
    if (entry?.ambiguous) throw new Error('nothing was lost, and a number is called doubly held');
    if (Number(flat[flat.indexOf(number) + 1]) !== (entry?.until ?? 0) + MARGIN_MS)
      throw new Error('the score is not the end of the link');
  }
  const held = new Set(await w.redis.hvals(w.keys.holders)).size;
  if (held > flat.length / 2 || (await w.redis.hlen(w.keys.links)) > flat.length / 2)
    throw new Error('more than there are numbers');
}

t.test(
  'random histories of sessions, persons and buckets keep the promises',
  { timeout: 60_000 },
  async (t) => {
    const who = fc.nat(11);
    const kind = <K extends string>(...kinds: K[]) => fc.constantFrom(...kinds);
    const times = fc.constantFrom(1, 4_000, 9_999, 20_000, HOLD, HOLD + MARGIN_MS);
    const person = fc.integer({ min: -3, max: 1 }); // mostly nobody
    const move: fc.Arbitrary<Move> = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ kind: kind('view'), who, person, source: fc.constantFrom('a', 'b', 'c') }),
      },
      { weight: 4, arbitrary: fc.record({ kind: kind('beat', 'leave', 'tap'), who }) },
      { weight: 1, arbitrary: fc.record({ kind: kind('part'), person: fc.nat(1) }) },
      { weight: 4, arbitrary: fc.record({ kind: kind('pass'), ms: times }) },
    );
    const seen = { session: 0, bucket: 0, none: 0 };
    const w = await world(t, 5, { ...bucketing(4), provisionalMs: 10_000, reservedShare: 0.2 });
    const history = async (moves: readonly Move[]): Promise<void> => {
      await w.redis.flushall();
      await w.pools.reserve(w.account, w.pool.id, numbers(5));
      const pages = new Pages(w);
      for (const one of moves) {
        await pages.go(one);
        if (pages.shared) throw new Error('two visitors share a number');
        await consistent(w);
      }
      for (const level of ['session', 'bucket', 'none'] as const) seen[level] += pages.seen[level];
    };
    await fc.assert(fc.asyncProperty(fc.array(move, { minLength: 20, maxLength: 60 }), history), {
      numRuns: 60,
    });
    t.ok(seen.session > 200 && seen.bucket > 50 && seen.none > 0, JSON.stringify(seen));
  },
);

t.test('a pool counts what it does, by the hour and for two days', async (t) => {
  const w = await world(t, 1);
  await w.allocate('s1');
  await w.allocate('s2');
  w.now = T0 + HOLD + 10_000;
  await w.allocate('s3');
  const held = await w.redis.hgetall(w.keys.traffic(w.pool.id));
  const hour = Math.floor(T0 / 3_600_000);
  t.match(held, {
    [`${String(hour)}:first`]: '1',
    [`${String(hour)}:none`]: '1',
    [`${String(hour)}:gap3`]: '1',
  });
  for (let n = 1; n <= 60; n += 1) {
    w.now = T0 + n * 3_600_000;
    await w.allocate(`later${String(n)}`);
  }
  const hours = new Set((await w.redis.hkeys(w.keys.traffic(w.pool.id))).map((field) => field.split(':')[0]));
  t.equal(hours.size, 49);

  // Every 32nd link tells how long its number was taken: each for its hold and the margin, here.
  const busy = await world(t, 1);
  for (let n = 0; n < 1_000; n += 1) {
    await busy.allocate(`s${String(n)}`);
    busy.now += HOLD + MARGIN_MS;
  }
  const all = Object.entries(await busy.redis.hgetall(busy.keys.traffic(busy.pool.id)));
  const sum = (what: RegExp): number =>
    all.filter(([field]) => what.test(field)).reduce((total, [, value]) => total + Number(value), 0);
  t.equal(sum(/:(first|gap\d+)$/), 1_000, 'every link is counted once');
  const sampled = sum(/:held$/);
  t.ok(sampled > 5 && sampled < 80, `${String(sampled)} of 999`);
  t.equal(sum(/:heldMs$/), sampled * (HOLD + MARGIN_MS));
});

t.test('a link says whether it is ours', async (t) => {
  const key = Buffer.alloc(32, 1);
  const link = `lnk_${poolTag(mintId('pool'))}${mintLinkTail(key)}`;
  t.ok(linkIsOurs(link, key));
  t.notOk(linkIsOurs(link, Buffer.alloc(32, 2)));
  t.notOk(linkIsOurs(`${link.slice(0, -1)}${link.endsWith('0') ? '1' : '0'}`, key));
  for (const bad of ['', 'lnk_', link.slice(1), `${link}0`]) t.notOk(linkIsOurs(bad, key));
});
