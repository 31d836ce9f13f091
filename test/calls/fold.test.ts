import fc from 'fast-check';
import t from 'tap';
import { readEvent, writeEvent } from '../../src/calls/event-text.js';
import { Seq } from '../../src/calls/events.js';
import type { CallEvent, Level } from '../../src/calls/events.js';
import { foldCall, plannedSeq, preferred } from '../../src/calls/fold.js';
import { ACCOUNT, answered, attributed, callId, ended, planned, received, ringing, T0 } from './samples.js';

const CALL = callId(1);

t.test('a call from its events', async (t) => {
  t.equal(foldCall([]), undefined, 'no events, no record');
  const record = foldCall([received(CALL), planned(CALL), ringing(CALL), answered(CALL), ended(CALL)]);
  t.strictSame(record, {
    id: CALL,
    account: ACCOUNT,
    number: '+12025550100',
    caller: 'c1.sealed',
    callerHash: 'hash',
    trunk: 'trk_0123456789abcdef',
    endpoint: 'end_0123456789abcdef',
    site: 'site_0123456789abcdef',
    session: 's-1',
    visitor: 'v-1',
    link: 'lnk_0123456789abcdef',
    touch: '{"source":"test"}',
    bucket: null,
    parameters: null,
    person: null,
    probability: null,
    ambiguous: false,
    redial: false,
    candidates: [],
    level: 'session',
    late: false,
    why: 'linked',
    test: false,
    startedAt: T0,
    ringingAt: T0 + 100,
    answeredAt: T0 + 2_100,
    endedAt: T0 + 12_100,
    ringMs: 2_000,
    talkMs: 10_000,
    result: 'answered',
    reason: { status: 200, q850: 16, text: 'NORMAL_CLEARING' },
    fault: 'caller',
    destination: 'sip:agent@127.0.0.1:5070',
    route: null,
    diverting: null,
    attestation: 'none',
    attestationWhy: null,
    mediaNode: 'node-1',
    media: 'bridged',
  });
});

t.test('what was decided of all evidence counts in place of what the newest holder tells', async (t) => {
  const record = foldCall([attributed(CALL), received(CALL)]);
  t.match(record, {
    number: '+12025550100',
    caller: 'c1.sealed',
    endpoint: 'end_0000000000000002',
    session: 's-2',
    visitor: null,
    touch: null,
    link: 'lnk_0000000000000002',
    level: 'session',
    late: true,
    why: 'lastHolder',
    probability: 0.75,
    redial: false,
    candidates: [
      { link: 'lnk_0000000000000002', session: 's-2', visitor: null, probability: 0.75 },
      { link: 'lnk_0123456789abcdef', session: 's-1', visitor: 'v-1', probability: 0.2 },
    ],
  });
  t.notOk('because' in (record?.candidates[0] ?? {}), 'the arithmetic stays with the event');
  t.match(foldCall([attributed(CALL)]), { number: '', session: 's-2' }, 'without received');
  const doubly = { v: 1, kind: 'attributed', account: ACCOUNT, call: CALL, seq: 2, at: T0 } as const;
  t.match(
    foldCall([
      received(CALL),
      { ...doubly, level: 'none', late: false, why: 'ambiguous', ambiguous: true, redial: true },
    ]),
    { level: 'none', session: null, visitor: null, link: null, ambiguous: true, redial: true },
    'nobody is credited',
  );
  t.match(
    foldCall([received(CALL, { parameters: '{"publisher":"p"}', bucket: 'b', level: 'bucket' })]),
    { parameters: '{"publisher":"p"}', bucket: 'b', level: 'bucket', probability: null, candidates: [] },
    'the application died before it decided',
  );
});

t.test('what is missing', async (t) => {
  t.match(
    foldCall([received(CALL)]),
    { result: null, endedAt: null, ringMs: null, talkMs: null, media: null },
    'still up',
  );
  const busy = { result: 'busy', at: T0 + 700 } as const;
  t.match(
    foldCall([received(CALL), ended(CALL, { ...busy, ringingAt: T0 + 200 })]),
    { ringingAt: T0 + 200, ringMs: 500, answeredAt: null, talkMs: null },
    'a stamp of the ended event fills in for the lost one',
  );
  t.match(
    foldCall([received(CALL), ended(CALL, busy)]),
    { ringingAt: null, ringMs: 700 },
    'never rang: from its start',
  );
  t.match(
    foldCall([ended(CALL, { startedAt: T0 + 1, ringingAt: T0 + 100, answeredAt: T0 + 2_100 })]),
    {
      startedAt: T0 + 1,
      level: 'none',
      why: 'storeDown',
      number: '',
      trunk: '',
      ringMs: 2_000,
      talkMs: 10_000,
      media: null,
    },
    'only its end is left of it',
  );
  t.match(
    foldCall([received(CALL), ringing(CALL, { at: T0 + 2_100 }), answered(CALL)]),
    { ringingAt: T0 + 2_100, ringMs: 0 },
    'ringing and an answer on one stamp of a coarse clock',
  );
  t.match(
    foldCall([received(CALL), planned(CALL), planned(CALL, { seq: plannedSeq(1), mediaNode: 'node-2' })]),
    {
      mediaNode: 'node-2',
    },
  );
  t.equal(plannedSeq(99), Seq.ringing - 1, 'attempts never reach the seq of another kind');
});

t.test('the most trusted witness tells the end', async (t) => {
  const witnesses = [Seq.endedByNode, Seq.endedByDialog, Seq.endedByProxy, Seq.endedBySweep];
  for (const [i, best] of witnesses.entries()) {
    for (const other of witnesses.slice(i + 1)) {
      const record = foldCall([
        ended(CALL, { seq: other, at: T0 + 1, result: 'failed' }),
        ended(CALL, { seq: best, at: T0 + 9, result: 'busy' }),
      ]);
      t.match(record, { result: 'busy', endedAt: T0 + 9 }, `${best} over ${other}`);
    }
  }
});

t.test('a media node that was silent wakes up after the caller was told the end', async (t) => {
  const told = ended(CALL, { seq: Seq.endedByProxy, at: T0 + 1_500, result: 'failed', fault: 'ours' });
  const late = { startedAt: T0 + 4_000, at: T0 + 9_000, result: 'answered' as const, answeredAt: T0 + 5_000 };
  t.match(
    foldCall([
      received(CALL),
      told,
      ringing(CALL, { at: T0 + 4_100 }),
      answered(CALL, { at: T0 + 5_000 }),
      ended(CALL, late),
    ]),
    { result: 'failed', fault: 'ours', endedAt: T0 + 1_500, ringingAt: null, answeredAt: null },
  );
  t.match(
    foldCall([received(CALL), told, ended(CALL, { ...late, startedAt: T0 + 10 })]),
    { result: 'answered' },
    'a leg that had begun before is the truth',
  );
});

t.test('the clocks of application and media node are an hour apart', async (t) => {
  for (const apart of [3_600_000, -3_600_000]) {
    const ours = { at: T0 + apart };
    const told = ended(CALL, { startedAt: T0, ringingAt: T0 + 100, answeredAt: T0 + 2_100 });
    const steps = [
      received(CALL, ours),
      planned(CALL, { at: T0 + apart + 5 }),
      ringing(CALL),
      answered(CALL, { at: T0 + apart + 2_115 }),
    ];
    const record = foldCall([...steps, told]);
    t.match(
      record,
      {
        startedAt: T0,
        ringingAt: T0 + 100,
        answeredAt: T0 + 2_100,
        endedAt: T0 + 12_100,
        ringMs: 2_000,
        talkMs: 10_000,
      },
      `${String(apart)}: all stamps are the media node's`,
    );
    const lost = ended(CALL, { startedAt: T0, at: T0 + 12_100, seq: Seq.endedByNode });
    t.match(foldCall([...steps, lost]), { answeredAt: T0 + 2_115 }, 'ours too, where the node has none');
    const busy = ended(CALL, { startedAt: T0, ringingAt: T0 + 100, result: 'busy', at: T0 + 900 });
    const proxied = ended(CALL, { seq: Seq.endedByProxy, result: 'busy', at: T0 + apart + 910 });
    t.match(
      foldCall([received(CALL, ours), ringing(CALL), busy, proxied]),
      { ringingAt: T0 + 100, endedAt: T0 + 900, ringMs: 800, result: 'busy' },
      `${String(apart)}: nor is what the node told taken for too late`,
    );
  }
});

t.test('of two tellings of one step', async (t) => {
  const resolved = received(CALL, { at: T0 + 3 });
  const unresolved = received(CALL, { level: 'none', why: 'storeDown', session: 's-2' });
  t.equal(preferred(unresolved, resolved), resolved, 'the more certain attribution');
  t.equal(preferred(ringing(CALL), ringing(CALL, { at: T0 })).at, T0, 'the earlier one');
  const refused = ended(CALL, { at: T0 + 50, result: 'failed' });
  const busy = ended(CALL, { at: T0 + 90, result: 'busy' });
  const talked = ended(CALL, { at: T0 + 70, answeredAt: T0 + 60 });
  t.match(foldCall([busy, refused]), { result: 'busy' }, 'of two media nodes the last one');
  t.match(foldCall([talked, busy, refused]), { result: 'answered' }, 'or the one that was answered');
  const swept = { seq: Seq.endedBySweep };
  t.match(foldCall([ended(CALL, { ...swept, at: T0 + 2 }), ended(CALL, { ...swept, at: T0 + 1 })]), {
    endedAt: T0 + 1,
  });
});

const levels: Level[] = ['token', 'session', 'bucket', 'overflow', 'none'];
const anyAt = fc.integer({ min: T0, max: T0 + 50 });
const anyEvent: fc.Arbitrary<CallEvent> = fc.oneof(
  fc
    .record({ at: anyAt, level: fc.constantFrom(...levels), late: fc.boolean() })
    .map((more) => received(CALL, more)),
  fc.record({ at: anyAt, seq: fc.integer({ min: 10, max: 19 }) }).map((more) => planned(CALL, more)),
  anyAt.map((at) => ringing(CALL, { at })),
  anyAt.map((at) => answered(CALL, { at })),
  fc
    .record({
      at: anyAt,
      seq: fc.integer({ min: 40, max: 43 }),
      result: fc.constantFrom('answered', 'busy', 'failed'),
      ringingAt: anyAt,
      answeredAt: anyAt,
    })
    .map((more) => ended(CALL, more)),
  anyAt.map(
    (at) =>
      ({
        v: 2,
        kind: 'held',
        account: ACCOUNT,
        call: CALL,
        seq: 50,
        at,
        by: { whom: 'caller' },
      }) as unknown as CallEvent,
  ),
);

t.test('order, doubles and splits do not matter', async () => {
  const sets = fc.array(anyEvent, { minLength: 1, maxLength: 14 });
  const shuffled = sets.chain((events) =>
    fc.tuple(
      fc.constant(events),
      fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
      fc.integer({ min: 0, max: events.length }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([events, mixed, cut]) => {
      const whole = JSON.stringify(foldCall(events));
      // As the call log does it: the better event of each seq is kept, part by part.
      const kept = new Map<number, CallEvent>();
      for (const event of [...mixed.slice(cut), ...mixed.slice(0, cut)]) {
        const known = kept.get(event.seq);
        kept.set(event.seq, known === undefined ? event : preferred(known, event));
      }
      return (
        JSON.stringify(foldCall(mixed)) === whole && JSON.stringify(foldCall([...kept.values()])) === whole
      );
    }),
    { numRuns: 500 },
  );
});

t.test('durations are never negative, and there is no talk without an answer', async () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1 }), (events) => {
      const record = foldCall(events);
      return (
        record !== undefined &&
        (record.ringMs ?? 0) >= 0 &&
        (record.talkMs ?? 0) >= 0 &&
        (record.answeredAt !== null || record.talkMs === null)
      );
    }),
  );
});

t.test('events of later versions', async (t) => {
  const later = readEvent(
    JSON.stringify({
      v: 3,
      kind: 'parked',
      account: ACCOUNT,
      call: CALL,
      seq: 55,
      at: T0 - 9,
      slot: { n: 1 },
    }),
  );
  if (later === undefined) throw new Error('an unknown kind is not kept');
  t.strictSame(readEvent(writeEvent(later)), later, 'with all that it says');
  t.strictSame(
    foldCall([received(CALL), later]),
    foldCall([received(CALL)]),
    'and changes nothing that we know',
  );
  const more = { ...received(CALL, { level: 'divination' as Level }), mood: 'good' };
  t.match(foldCall([more]), { number: '+12025550100' });
});

t.test('event texts', async (t) => {
  const event = ended(CALL);
  t.equal(
    writeEvent(event),
    writeEvent(
      JSON.parse(
        JSON.stringify(event, Object.keys(event).reverse().concat('status', 'text', 'q850')),
      ) as CallEvent,
    ),
  );
  t.strictSame(readEvent(writeEvent(event)), event);
  for (const bad of [
    '',
    '{',
    'null',
    '[]',
    '{}',
    '1',
    writeEvent(event).slice(0, -1),
    JSON.stringify({ ...event, at: '1' }),
    JSON.stringify({ ...event, call: '' }),
    JSON.stringify({ ...event, seq: 0 }),
    JSON.stringify({ ...event, v: 0 }),
    JSON.stringify({ ...event, at: -1 }),
  ]) {
    t.equal(readEvent(bad), undefined, bad.slice(0, 20));
  }
});
