import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { CallEvent } from '../../src/calls/events.js';
import { RecentEnds } from '../../src/calls/recent-ends.js';
import { NodeSpool } from '../../src/ledger/node-spool.js';
import type { NodeSpoolParts } from '../../src/ledger/node-spool.js';
import { ACCOUNT, callId } from '../calls/samples.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';

const top = t.testdir();
let folders = 0;

const line = (n: number) =>
  `"${callId(n)}.${ACCOUNT}","uuid-${n}","1795366067115122","1795366067136026","0","1795366067175121","1795366068715825",` +
  '"NORMAL_CLEARING","16","recv_bye","200","SUCCESS","","sofia/tagswitch/leg.TOKEN@192.0.2.1"\n';

function stage(t: Test, made = true) {
  const base = join(top, `node-${(folders += 1)}`);
  const folder = join(base, 'cdr-csv');
  if (made) mkdirSync(folder, { recursive: true });
  const events: CallEvent[] = [];
  const spools: NodeSpool[] = [];
  const logger = keepingLogger();
  const follow = (more: Partial<NodeSpoolParts> = {}) => {
    const spool = new NodeSpool({
      node: 'node-1',
      folder,
      marksFile: join(base, 'data', 'node-1.json'),
      sink: { append: async (event) => void events.push(event) },
      isKnown: () => false,
      destinationOf: (token) => `to ${token}`,
      mayRead: () => true,
      logger,
      pollMs: 20,
      ...more,
    });
    spools.push(spool);
    return spool;
  };
  t.teardown(() => Promise.all(spools.map((spool) => spool.close('test'))));
  /** The calls whose end was told, in the order of telling. */
  const told = () => events.map(({ call }) => Number.parseInt(call.slice(5), 16));
  return { base, folder, master: join(folder, 'Master.csv'), events, follow, told, logger };
}

t.test('what the event socket has told is not told again', async (t) => {
  const { base, folder, master, events, follow, told } = stage(t, false);
  const known = new RecentEnds();
  mkdirSync(folder, { recursive: true });
  const first = follow({ isKnown: ({ call, endedAt }) => known.has({ call, at: endedAt }) });
  writeFileSync(master, line(1));
  await until(() => told().length === 1);
  const [end] = events;
  if (end?.kind !== 'ended') throw new Error('no end');
  known.add(end);
  await first.close('over');
  // Read anew from its beginning: the first call is known, the second is not, and neither is another leg of the first.
  rmSync(join(base, 'data', 'node-1.json'));
  appendFileSync(master, line(2));
  follow({ isKnown: ({ call, endedAt }) => known.has({ call, at: endedAt }) });
  await until(() => told().length === 2);
  t.same(told(), [1, 2]);
  t.notOk(known.has({ ...end, at: end.at + 1 }));
  for (let i = 0; i < 2_000; i += 1) known.add({ call: 'call_x', at: i });
  t.notOk(known.has(end), 'the oldest are forgotten');
});

t.test('what is written is told, once', async (t) => {
  const { base, folder, master, events, follow, told } = stage(t, false);
  const spool = follow();
  mkdirSync(folder, { recursive: true });
  writeFileSync(master, line(1) + line(2));
  await until(() => told().length === 2);
  t.match(events[0], {
    kind: 'ended',
    result: 'answered',
    destination: 'to TOKEN',
    answeredAt: 1_795_366_067_175,
  });
  appendFileSync(master, line(3).slice(0, 60));
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.equal(told().length, 2, 'half a line is no line');
  appendFileSync(master, line(3).slice(60) + 'a foreign line\n' + line(4).slice(0, 50) + line(5));
  await until(() => told().length === 4);
  t.strictSame(told(), [1, 2, 3, 5]);
  t.strictSame(spool.counts, { read: 4, skipped: 1 });
  await spool.close('test');
  await spool.close('again');
  appendFileSync(master, line(6));
  const next = follow();
  await until(() => told().length === 5);
  t.strictSame(told(), [1, 2, 3, 5, 6], 'a new process goes on where the old one was');
  await next.close('test');
  writeFileSync(join(base, 'data', 'node-1.json'), '{"torn');
  follow();
  await until(() => told().length === 10);
  t.pass('without its marks it reads all anew, which changes no record');
});

t.test('rotation and truncation', async (t) => {
  const { master, folder, base, follow, told } = stage(t);
  writeFileSync(master, line(1));
  const spool = follow();
  await until(() => told().length === 1);
  appendFileSync(master, line(2));
  renameSync(master, `${master}.2026-11-22-16-47-47`);
  appendFileSync(`${master}.2026-11-22-16-47-47`, line(3));
  writeFileSync(master, line(4));
  await until(() => told().length === 4);
  t.strictSame(told().sort(), [1, 2, 3, 4], 'nothing twice, nothing lost');
  truncateSync(master, 0);
  appendFileSync(master, line(5));
  await until(() => told().includes(5));
  truncateSync(master, 0);
  appendFileSync(master, line(6) + line(7));
  await until(() => told().includes(7));
  t.strictSame(told().slice(-2), [6, 7], 'shorter or not: it begins otherwise');
  rmSync(`${master}.2026-11-22-16-47-47`);
  writeFileSync(join(folder, 'notes.txt'), line(8));
  appendFileSync(master, line(9));
  await until(() => told().includes(9));
  // Line 9 may have been read by a look that had listed the files before one was gone; line 10 is by a later one.
  appendFileSync(master, line(10));
  await until(() => told().includes(10));
  await spool.close('test');
  t.notOk(told().includes(8), 'other files are left alone');
  t.equal(
    Object.keys(JSON.parse(readFileSync(join(base, 'data', 'node-1.json'), 'utf8')) as object).length,
    1,
    'a file that is gone is forgotten',
  );
});

t.test('a long spool', async (t) => {
  const { master, follow, told } = stage(t);
  writeFileSync(
    master,
    'x'.repeat(600_000) + '\n' + Array.from({ length: 3_000 }, (_, n) => line(n)).join(''),
  );
  follow();
  await until(() => told().length >= 3_000);
  t.strictSame(
    told(),
    Array.from({ length: 3_000 }, (_, n) => n),
  );
});

t.test('what the sink does not take is tried again', async (t) => {
  const { master, base, follow, told, events, logger } = stage(t);
  writeFileSync(master, line(1));
  let down = true;
  follow({
    sink: {
      append: (event) =>
        down ? Promise.reject(new Error('the disk is full')) : Promise.resolve(void events.push(event)),
    },
  });
  await until(() => logger.lines.some(({ text }) => text.includes('could not be read')));
  t.equal(existsSync(join(base, 'data', 'node-1.json')), false, 'no mark is set');
  down = false;
  await until(() => told().length === 1);
});

t.test('only the reader of the node reads', async (t) => {
  const { master, follow, told } = stage(t);
  writeFileSync(master, line(1));
  let may = false;
  follow({ mayRead: () => may });
  await new Promise((resolve) => setTimeout(resolve, 80));
  t.strictSame(told(), []);
  may = true;
  await until(() => told().length === 1);
});
