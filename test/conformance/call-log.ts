import type { Test } from 'tap';
import { Seq } from '../../src/calls/events.js';
import type { CallEvent } from '../../src/calls/events.js';
import { foldCall } from '../../src/calls/fold.js';
import type { CallFilter, CallLog } from '../../src/calls/ports.js';
import {
  ACCOUNT,
  answered,
  attributed,
  callId,
  ended,
  planned,
  received,
  ringing,
  T0,
} from '../calls/samples.js';

const OTHER = 'acc_zzzzzzzzzzzzzzzz';

/** What every call log must do. `make` gives an empty one each time; the suite closes it. */
export async function callLogConformance(t: Test, make: () => Promise<CallLog>): Promise<void> {
  const withLog = (name: string, body: (t: Test, log: CallLog) => Promise<void>) =>
    t.test(name, async (t) => {
      const log = await make();
      try {
        await body(t, log);
      } finally {
        await log.close();
      }
    });
  const all = async (log: CallLog, filter: Omit<CallFilter, 'limit'>, limit = 500): Promise<string[]> => {
    const ids: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await log.list(ACCOUNT, {
        ...filter,
        limit,
        ...(typeof cursor === 'string' && { cursor }),
      });
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== null);
    return ids;
  };

  await withLog('a record is the fold of its events', async (t, log) => {
    const call = callId(1);
    const events: CallEvent[] = [received(call), planned(call), ringing(call), answered(call), ended(call)];
    t.equal(await log.get(ACCOUNT, call), undefined);
    t.strictSame(await log.events(ACCOUNT, call), []);
    for (const [i, event] of events.entries()) {
      await log.append([event]);
      t.strictSame(await log.get(ACCOUNT, call), foldCall(events.slice(0, i + 1)), event.kind);
    }
    t.strictSame(await log.events(ACCOUNT, call), events, 'by seq');
    await log.append([...events].reverse());
    await log.append([]);
    t.strictSame(await log.events(ACCOUNT, call), events, 'once more changes nothing');
    t.equal(await log.get(OTHER, call), undefined, 'another account has no such call');
    t.strictSame(await log.events(OTHER, call), []);
    t.strictSame(await log.list(OTHER, { limit: 10 }), { items: [], next: null });
  });

  await withLog('order and conflicts', async (t, log) => {
    const [one, other] = [callId(1), callId(2)];
    const events = (call: string): CallEvent[] => [
      received(call, { level: 'none', why: 'storeDown' }),
      received(call, { at: T0 + 3 }),
      ringing(call),
      ringing(call, { at: T0 + 50 }),
      ended(call, { seq: Seq.endedBySweep, result: 'failed', at: T0 + 1 }),
      ended(call),
    ];
    for (const event of events(one)) await log.append([event]);
    await log.append(events(other).reverse());
    const [first, second] = [await log.get(ACCOUNT, one), await log.get(ACCOUNT, other)];
    t.strictSame(first, foldCall(events(one)));
    t.strictSame({ ...second, id: one }, first, 'whatever order they came in');
    t.match(first, { level: 'session', ringingAt: T0 + 50, result: 'answered' });
  });

  await withLog('credits by the sets of parameters that held the numbers', async (t, log) => {
    const [news, blog] = ['{"placement":"top","publisher":"news"}', '{"publisher":"blog"}'];
    const bucket = { level: 'bucket', bucket: 'b' } as const;
    await log.append([
      received(callId(1), { ...bucket, parameters: news }),
      answered(callId(1)),
      received(callId(2)),
      attributed(callId(2), { ...bucket, parameters: news, at: T0 }),
      received(callId(3), { ...bucket, parameters: blog, at: T0 + 50 }),
      received(callId(4), { ...bucket, parameters: blog, test: true }),
      received(callId(5), { ...bucket, parameters: blog, account: OTHER }),
      received(callId(6)),
    ]);
    const ofNews = { parameters: news, calls: 2, answered: 1 };
    const ofBlog = { parameters: blog, calls: 1, answered: 0 };
    t.strictSame(await log.credits(ACCOUNT, {}), [ofNews, ofBlog], 'without tests and other accounts');
    t.strictSame(await log.credits(ACCOUNT, { from: T0 + 1 }), [ofBlog]);
    t.strictSame(await log.credits(ACCOUNT, { from: T0, to: T0 + 50 }), [ofNews]);
  });

  await withLog('an event of a later version is kept', async (t, log) => {
    const call = callId(1);
    const later = {
      v: 2,
      kind: 'held',
      account: ACCOUNT,
      call,
      seq: 60,
      at: T0 + 1,
      by: { leg: 'callee' },
    } as unknown as CallEvent;
    await log.append([received(call), later]);
    t.strictSame(await log.events(ACCOUNT, call), [received(call), later]);
    t.match(await log.get(ACCOUNT, call), { number: '+12025550100', endedAt: null });
  });

  await withLog('any text', async (t, log) => {
    const call = callId(1);
    const strange = `'; DROP TABLE calls; -- "\u0000\u2028\ud83d\ude00 %_\\`;
    await log.append([received(call, { session: strange, number: strange, touch: strange })]);
    t.match(await log.get(ACCOUNT, call), { session: strange, touch: strange });
    t.strictSame(await all(log, { number: strange }), [call]);
    t.strictSame(await all(log, { number: '%' }), []);
  });

  await withLog('filters and pages', async (t, log) => {
    const calls = Array.from({ length: 60 }, (_, i) => ({
      id: callId(i),
      at: T0 + Math.floor(i / 4) * 10, // four of them at one time
      number: `+1202555010${i % 3}`,
      site: `site_${i % 2}`,
      endpoint: `end_${i % 5}`,
    }));
    await log.append(calls.map(({ id, ...more }) => received(id, more)));
    await log.append([received(callId(999), { account: OTHER })]);
    const newest = [...calls].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
    const expected = (is: (call: (typeof calls)[number]) => boolean) => newest.filter(is).map(({ id }) => id);
    for (const limit of [1, 7, 60, 500])
      t.strictSame(
        await all(log, {}, limit),
        expected(() => true),
        `pages of ${limit}, newest first`,
      );
    t.strictSame(
      await all(log, { number: '+12025550101' }, 7),
      expected(({ number }) => number === '+12025550101'),
    );
    t.strictSame(
      await all(log, { site: 'site_1' }, 7),
      expected(({ site }) => site === 'site_1'),
    );
    t.strictSame(
      await all(log, { endpoint: 'end_4' }, 7),
      expected(({ endpoint }) => endpoint === 'end_4'),
    );
    t.strictSame(
      await all(log, { from: T0 + 20, to: T0 + 50 }, 3),
      expected(({ at }) => at >= T0 + 20 && at < T0 + 50),
      'from is included, to is not',
    );
    t.strictSame(
      await all(log, { site: 'site_0', endpoint: 'end_2', number: '+12025550102', from: T0 }, 2),
      expected(
        (call) => call.site === 'site_0' && call.endpoint === 'end_2' && call.number === '+12025550102',
      ),
    );
    const { next } = await log.list(ACCOUNT, { limit: 60 });
    t.equal(next, null, 'a full last page has none behind it');
    const half = await log.list(ACCOUNT, { limit: 30 });
    await log.append([received(callId(500), { at: T0 + 9_999 })]);
    const rest = await log.list(ACCOUNT, { limit: 500, cursor: half.next ?? '' });
    t.strictSame(
      [...half.items, ...rest.items].map(({ id }) => id),
      expected(() => true),
      'a new call moves no page',
    );
    for (const cursor of [
      '',
      'x',
      'MS4x',
      Buffer.from('1.x.call_1').toString('base64url'),
      `${half.next ?? ''}!!`.repeat(20),
    ]) {
      await t.rejects(
        log.list(ACCOUNT, { limit: 5, cursor }),
        { code: 'badCursor' },
        `cursor ${cursor.slice(0, 12)}`,
      );
    }
    for (const limit of [0, 501, 1.5]) await t.rejects(log.list(ACCOUNT, { limit }), { name: 'RangeError' });
  });

  await withLog('open calls', async (t, log) => {
    await log.append([
      received(callId(1)),
      received(callId(2)),
      answered(callId(2)),
      received(callId(3)),
      ended(callId(3)),
    ]);
    const open = async (before: number) => (await log.open(before)).map(({ id }) => id);
    t.strictSame(await open(T0), [], 'older than, not as old as');
    t.strictSame(await open(T0 + 1), [callId(1)], 'by the newest event');
    t.strictSame(await open(T0 + 1e9), [callId(1), callId(2)]);
    await log.append([ended(callId(1))]);
    t.strictSame(await open(T0 + 1e9), [callId(2)]);
  });

  await withLog('many at once', async (t, log) => {
    const calls = Array.from({ length: 200 }, (_, i) => callId(i));
    await Promise.all(
      calls.flatMap((call) => [
        log.append([ended(call)]),
        log.append([received(call)]),
        log.append([ended(call)]),
      ]),
    );
    t.equal((await all(log, {})).length, 200);
    t.strictSame(await log.open(T0 + 1e9), []);
    await t.rejects(log.append([{ ...received(callId(1)), call: '' }]), 'what is no event is refused');
  });
}
