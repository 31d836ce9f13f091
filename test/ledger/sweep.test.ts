import t from 'tap';
import type { CallEvent } from '../../src/calls/events.js';
import { foldCall } from '../../src/calls/fold.js';
import { STEP_MS } from '../../src/calls/overdue.js';
import { Sweep } from '../../src/ledger/sweep.js';
import { ACCOUNT, answered, callId, ended, planned, received, T0 } from '../calls/samples.js';
import { keepingLogger } from '../support/logger.js';

function stage() {
  const log = new Map<string, CallEvent[]>();
  const put = (...events: CallEvent[]) => {
    for (const event of events) log.set(event.call, [...(log.get(event.call) ?? []), event]);
  };
  const record = (n: number) => foldCall(log.get(callId(n)) ?? []);
  const scene = {
    now: T0,
    steady: true,
    nodes: new Map<string, { up: boolean; since: number; live?: readonly string[] }>([
      ['node-1', { up: true, since: 0, live: [] }],
    ]),
    writes: 0,
  };
  const logger = keepingLogger();
  const sweep = new Sweep({
    callLog: {
      open: async (before) =>
        [...log.values()]
          .filter((events) => Math.max(...events.map(({ at }) => at)) < before)
          .flatMap((events) => foldCall(events) ?? [])
          .filter(({ endedAt }) => endedAt === null),
    },
    sink: {
      append: async (event) => {
        scene.writes += 1;
        put(event);
      },
    },
    feed: {
      state: (node) => scene.nodes.get(node),
      channels: async (node) => {
        const live = scene.nodes.get(node)?.live;
        if (live === undefined) throw new Error('no answer');
        return live.map((call) => ({ call, account: ACCOUNT }));
      },
    },
    steady: () => scene.steady,
    logger,
    clock: () => scene.now,
    elapsed: () => scene.now,
    everyMs: 1e8,
  });
  const at = async (now: number) => {
    scene.now = now;
    await sweep.sweep();
  };
  return { put, record, scene, sweep, at, logger };
}

t.test('calls without an end', async (t) => {
  const { put, record, scene, sweep, at } = stage();
  put(received(callId(1)));
  put(received(callId(2)), planned(callId(2)), answered(callId(2)));
  put(received(callId(3)), planned(callId(3)), answered(callId(3)));
  put(received(callId(4)), planned(callId(4), { mediaNode: 'node-2' }), answered(callId(4)));
  put(received(callId(5)), planned(callId(5), { mediaNode: 'node-3' }), answered(callId(5)));
  scene.nodes.set('node-1', { up: true, since: 0, live: [callId(2)] });
  scene.nodes.set('node-2', { up: false, since: T0 + 5_000 });
  scene.nodes.set('node-3', { up: true, since: 0 });
  await at(T0 + 1_000);
  await at(T0 + STEP_MS + 1);
  t.match(record(1), {
    result: 'failed',
    fault: 'ours',
    endedAt: T0 + STEP_MS,
    reason: { text: 'no step followed' },
  });
  await at(T0 + STEP_MS + 6_000);
  t.match(record(4), { result: 'failed', endedAt: T0 + 5_000, reason: { text: 'lost with the media node' } });
  t.match(record(3), { endedAt: null }, 'its spool has ten seconds from when the node was seen without it');
  await at(T0 + STEP_MS + 20_000);
  t.match(record(3), { result: 'failed', reason: { text: 'the media node told no end' } });
  t.match(record(2), { endedAt: null }, 'the node has it');
  t.match(record(5), { endedAt: null }, 'the node could not be asked');
  await at(T0 + 1e9);
  t.match([record(2), record(5)], [{ endedAt: null }, { endedAt: null }], 'however long');
  t.equal(scene.writes, 3, 'each once');
  put(ended(callId(3)));
  t.match(record(3), { result: 'answered' }, 'a witness who comes late is believed');
  await sweep.close('test');
  await sweep.close('again');
});

t.test('nothing is swept while events are held up', async (t) => {
  const { put, record, scene, sweep, at } = stage();
  put(received(callId(1)));
  scene.steady = false;
  await at(T0 + 10 * STEP_MS);
  await at(T0 + 11 * STEP_MS);
  t.match(record(1), { endedAt: null });
  scene.steady = true;
  await at(T0 + 12 * STEP_MS);
  t.match(record(1), { endedAt: null }, 'not at once');
  await at(T0 + 12 * STEP_MS + 10_000);
  t.match(record(1), { endedAt: T0 + STEP_MS });
  await sweep.close('test');
});
