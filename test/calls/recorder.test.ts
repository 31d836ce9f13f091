import { once, EventEmitter } from 'node:events';
import t from 'tap';
import type { CallEvent } from '../../src/calls/events.js';
import { foldCall } from '../../src/calls/fold.js';
import type { ChannelEvent } from '../../src/calls/leg-end.js';
import { writeCallIds, type CallIds } from '../../src/calls/call-ids.js';
import type { NodeFeed, NodeListener } from '../../src/calls/node-feed.js';
import { Recorder } from '../../src/calls/recorder.js';
import type { RecorderParts } from '../../src/calls/recorder.js';
import { keepingLogger } from '../support/logger.js';
import { ACCOUNT, callId, ended, planned, received, T0 } from './samples.js';

const NODE = 'node-1';

class Feed implements NodeFeed {
  readonly listeners = new Set<NodeListener>();
  live: readonly CallIds[] | undefined = [];
  up = true;
  nodes() {
    return [NODE];
  }
  state(node: string) {
    return node === NODE ? { up: this.up, since: T0 } : undefined;
  }
  channels() {
    return this.live === undefined ? Promise.reject(new Error('not connected')) : Promise.resolve(this.live);
  }
  subscribe(listener: NodeListener) {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
  tell(event: ChannelEvent) {
    for (const listener of this.listeners) listener.event(NODE, event);
  }
}

function stage(more: Partial<RecorderParts> = {}) {
  const feed = new Feed();
  const log = new Map<string, CallEvent[]>();
  const told = new EventEmitter();
  const logger = keepingLogger();
  const record = (call: string) => foldCall(log.get(call) ?? []);
  const put = (...events: CallEvent[]) => {
    for (const event of events) log.set(event.call, [...(log.get(event.call) ?? []), event]);
  };
  const kept: [string, readonly string[], number][] = [];
  const start = () =>
    new Recorder({
      feed,
      sink: {
        append: async (event) => {
          put(event);
          told.emit('event', event);
        },
      },
      callLog: {
        open: async (before) =>
          [...log.keys()]
            .flatMap((call) => record(call) ?? [])
            .filter((one) => one.endedAt === null && one.startedAt < before),
        get: async (_account, call) => record(call),
      },
      keep: async (...args) => {
        kept.push(args);
        told.emit('kept');
      },
      mayRead: () => true,
      destinationOf: () => undefined,
      logger,
      clock: () => T0 + 60_000,
      spoolWaitMs: 30,
      keepEveryMs: 20,
      ...more,
    });
  return { feed, log, told, logger, record, put, kept, start };
}

const end = {
  'Call-Direction': 'inbound',
  'Event-Name': 'CHANNEL_HANGUP_COMPLETE',
  'variable_sip_h_X-Tagswitch-Call': writeCallIds({ call: callId(1), account: ACCOUNT }),
  variable_start_uepoch: '1795366067115122',
  variable_answer_uepoch: '1795366067175121',
  variable_end_uepoch: '1795366068715825',
  variable_hangup_cause: 'NORMAL_CLEARING',
};

t.test('events become steps', async (t) => {
  const { feed, record, start, logger } = stage();
  const recorder = start();
  feed.tell({ ...end, 'Call-Direction': 'outbound' });
  feed.tell({ 'Event-Name': 'HEARTBEAT' });
  feed.tell(end);
  await recorder.close('test');
  t.match(record(callId(1)), {
    answeredAt: 1_795_366_067_175,
    endedAt: 1_795_366_068_715,
    result: 'answered',
  });
  t.equal(feed.listeners.size, 0);
  feed.tell(end);
  await recorder.close('again');
  t.strictSame(
    logger.lines.filter(({ level }) => level !== 'debug'),
    [],
  );
});

t.test('only the reader of a node records', async (t) => {
  const { feed, log, kept, start } = stage({ mayRead: () => false });
  const recorder = start();
  feed.live = [{ call: callId(1), account: ACCOUNT }];
  feed.tell(end);
  recorder.reconcile(NODE);
  await new Promise((resolve) => setTimeout(resolve, 60));
  await recorder.close('test');
  t.equal(log.size, 0);
  t.strictSame(kept, []);
});

t.test('the calls of a node are kept as soon as it is back, and by whoever becomes its reader', async (t) => {
  let reader = false;
  const { feed, kept, told, start } = stage({ keepEveryMs: 3_600_000, mayRead: () => reader });
  feed.live = [{ call: callId(1), account: ACCOUNT }];
  const recorder = start();
  reader = true;
  const keptNow = once(told, 'kept');
  recorder.reconcile(NODE);
  await keptNow;
  t.strictSame(kept, [[ACCOUNT, [callId(1)], 90_000]]);
  await recorder.close('test');
});

t.test('calls that the node lost are closed, once its spool had its time', async (t) => {
  const { feed, log, record, put, told, start } = stage();
  const call = (n: number, ...more: CallEvent[]) => put(received(callId(n)), planned(callId(n)), ...more);
  call(1);
  call(2);
  call(3, planned(callId(3), { seq: 11, mediaNode: 'node-2' }));
  put(received(callId(4)), planned(callId(4), { media: 'direct' }));
  put(received(callId(5), { at: T0 + 59_000 }), planned(callId(5), { at: T0 + 59_000 }));
  call(6);
  feed.live = [{ call: callId(2), account: ACCOUNT }];
  const closed = once(told, 'event');
  const recorder = start();
  await new Promise((resolve) => setTimeout(resolve, 5));
  put(ended(callId(6))); // the spool told this one
  await closed;
  await recorder.close('test');
  t.match(record(callId(1)), {
    result: 'failed',
    fault: 'ours',
    endedAt: T0 + 60_000,
    reason: { text: 'lost with the media node' },
  });
  t.match(record(callId(2)), { endedAt: null }, 'the node still has it');
  t.match(record(callId(3)), { endedAt: null }, 'it went to another node');
  t.match(record(callId(4)), { endedAt: null }, 'it goes through no node');
  t.match(record(callId(5)), { endedAt: null }, 'it may be on its way');
  t.match(record(callId(6)), { result: 'answered' });
  t.equal(log.get(callId(6))?.length, 3, 'its end was told: nothing is added');
});

t.test('live calls are kept', async (t) => {
  const { feed, told, kept, start } = stage();
  feed.live = [1, 2]
    .map((n) => ({ call: callId(n), account: ACCOUNT }))
    .concat({ call: callId(3), account: 'acc_zzzzzzzzzzzzzzzz' });
  const recorder = start();
  await once(told, 'kept');
  await once(told, 'kept');
  await recorder.close('test');
  t.strictSame(kept.slice(0, 2), [
    [ACCOUNT, [callId(1), callId(2)], 90_000],
    ['acc_zzzzzzzzzzzzzzzz', [callId(3)], 90_000],
  ]);
});

t.test('what fails is told and does no harm', async (t) => {
  const { feed, logger, start } = stage({
    sink: { append: () => Promise.reject(new Error('the disk is full')) },
  });
  feed.live = undefined;
  const recorder = start();
  feed.tell(end);
  await recorder.close('test');
  t.strictSame(
    logger.lines
      .filter(({ level }) => level === 'error')
      .map(({ text }) => text)
      .sort(),
    ['a media node was not reconciled', 'live calls were not renewed', 'the end of a call was not recorded'],
  );
});
