import t from 'tap';
import { Seq } from '../../src/calls/events.js';
import type { CallEvent } from '../../src/calls/events.js';
import { foldCall } from '../../src/calls/fold.js';
import { DIRECT_MS, overdue, RING_MS, STEP_MS } from '../../src/calls/overdue.js';
import type { NodeView } from '../../src/calls/overdue.js';
import { answered, callId, ended, planned, received, ringing, T0 } from './samples.js';

const CALL = callId(1);
const direct = planned(CALL, { media: 'direct' });
const away = (since: number): NodeView => ({ kind: 'away', since });

interface Row {
  readonly name: string;
  readonly events: readonly CallEvent[];
  readonly node: NodeView;
  /** The first moment at which it is overdue, and when it is said to have ended; none: never. */
  readonly due?: readonly [when: number, endedAt: number, text: string];
}

const rows: readonly Row[] = [
  {
    name: 'only received',
    events: [received(CALL)],
    node: { kind: 'unknown' },
    due: [T0 + STEP_MS, T0 + STEP_MS, 'no step followed'],
  },
  {
    name: 'only rang, the rest is lost',
    events: [ringing(CALL)],
    node: { kind: 'unknown' },
    due: [T0 + 100 + RING_MS, T0 + 100 + RING_MS, 'no step followed'],
  },
  {
    name: 'direct, nobody came',
    events: [received(CALL), direct],
    node: { kind: 'unknown' },
    due: [T0 + RING_MS, T0 + RING_MS, 'no step followed'],
  },
  {
    name: 'direct, answered',
    events: [received(CALL), direct, answered(CALL)],
    node: { kind: 'unknown' },
    due: [T0 + 2_100 + DIRECT_MS, T0 + 2_100 + DIRECT_MS, 'the end was not seen'],
  },
  {
    name: 'bridged, its node has it',
    events: [received(CALL), planned(CALL), answered(CALL)],
    node: { kind: 'has' },
  },
  {
    name: 'bridged, its node cannot be asked',
    events: [received(CALL), planned(CALL)],
    node: { kind: 'unknown' },
  },
  {
    name: 'bridged, its node has it no more',
    events: [received(CALL), planned(CALL), answered(CALL)],
    node: { kind: 'hasNot' },
    due: [T0 + 2_100 + STEP_MS, T0 + 2_100 + STEP_MS, 'the media node told no end'],
  },
  {
    name: 'bridged, never reached its node',
    events: [received(CALL), planned(CALL)],
    node: { kind: 'hasNot' },
    due: [T0 + STEP_MS, T0 + STEP_MS, 'the media node told no end'],
  },
  {
    name: 'bridged, its node went',
    events: [received(CALL), planned(CALL), answered(CALL)],
    node: away(T0 + 9_000),
    due: [T0 + 9_000 + STEP_MS, T0 + 9_000, 'lost with the media node'],
  },
  {
    name: 'bridged, its node is not ours any more',
    events: [received(CALL), planned(CALL), answered(CALL)],
    node: away(0),
    due: [T0 + 2_100 + STEP_MS, T0 + 2_100, 'lost with the media node'],
  },
  { name: 'ended', events: [received(CALL), ended(CALL)], node: { kind: 'hasNot' } },
];

t.test('when a call is overdue', async (t) => {
  for (const { name, events, node, due } of rows) {
    const record = foldCall(events);
    if (record === undefined) throw new Error('no record');
    if (due === undefined) {
      t.equal(overdue(record, T0 * 2, node), undefined, `${name}: never`);
      continue;
    }
    const [when, endedAt, text] = due;
    t.equal(overdue(record, when - 1, node), undefined, `${name}: not before`);
    t.match(
      overdue(record, when, node),
      { kind: 'ended', call: CALL, seq: Seq.endedBySweep, at: endedAt, reason: { text } },
      name,
    );
  }
});
