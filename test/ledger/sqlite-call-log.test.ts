import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { DatabaseSync } from '@photostructure/sqlite';
import t from 'tap';
import { foldCall } from '../../src/calls/fold.js';
import { SqliteCallLog } from '../../src/ledger/sqlite-call-log.js';
import { ACCOUNT, callId, ended, received, T0 } from '../calls/samples.js';
import { callLogConformance } from '../conformance/call-log.js';

const folder = t.testdir();
let files = 0;
const newPath = () => join(folder, `data-${(files += 1)}`, 'calls.db');

t.test('conformance', async (t) => callLogConformance(t, () => SqliteCallLog.open(newPath())));

t.test(
  'two writers of one file are killed: nothing acknowledged is lost, nothing is there twice',
  async (t) => {
    const path = newPath();
    const acknowledged = new Map<number, number>();
    for (const [round, starts] of [
      [0, 1_000_000],
      [2_000_000, 3_000_000],
    ].entries()) {
      const children = starts.map((from) => {
        const child = fork(new URL('./writer-child.js', import.meta.url), [path, String(from)], {
          silent: true,
        });
        if (child.stdout !== null)
          createInterface({ input: child.stdout }).on('line', (line) => acknowledged.set(from, Number(line)));
        return child;
      });
      const enough = async () => {
        while (!starts.every((from) => (acknowledged.get(from) ?? 0) > from + 30))
          await new Promise((resolve) => setTimeout(resolve, 20));
      };
      await enough();
      await Promise.all(
        children.map(async (child) => {
          const closed = once(child, 'close');
          child.kill('SIGKILL');
          await closed;
        }),
      );
      const log = await SqliteCallLog.open(path);
      for (const [from, last] of acknowledged) {
        for (let n = from; n <= last; n += 1) {
          const record = await log.get(ACCOUNT, callId(n));
          if (record?.endedAt === null || record === undefined)
            t.fail(`round ${round}: call ${n} was acknowledged and is lost`);
        }
      }
      const newest = acknowledged.get(starts[0] ?? 0) ?? 0;
      t.equal((await log.events(ACCOUNT, callId(newest))).length, 2);
      await log.close();
    }
    const db = new DatabaseSync(path);
    t.match(db.prepare('PRAGMA integrity_check').get(), { integrity_check: 'ok' });
    const [calls, events] = ['calls', 'events'].map(
      (table) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number },
    );
    t.ok((calls?.n ?? 0) * 2 >= (events?.n ?? 0), 'two events a call at most');
    db.close();
  },
);

t.test('a big query does not hold up the process', async (t) => {
  const path = newPath();
  const log = await SqliteCallLog.open(path);
  const texts = { call: JSON.stringify(await sampleRecord(log)) };
  const db = new DatabaseSync(path, { timeout: 10_000 });
  db.exec('PRAGMA synchronous=OFF');
  db.prepare(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) ' +
      "INSERT INTO calls (id, account, number, site, endpoint, started_at, ended_at, newest_at, record) SELECT 'call_' || i, ?, '+1202555' || (i % 100), 's', 'e', 1000000 + i, 1, 1, ? FROM n",
  ).run(ACCOUNT, texts.call);
  db.close();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const started = performance.now();
  // One that no index serves, and the largest pages; writes go on beside them.
  const pages = await Promise.all([
    log.list(ACCOUNT, { limit: 500, site: 's', number: 'nobody', endpoint: 'e', to: 9e12 }),
    ...Array.from({ length: 6 }, () => log.list(ACCOUNT, { limit: 500 })),
    log.list(ACCOUNT, { limit: 500, site: 's', endpoint: 'nobody' }),
    log.open(T0 * 2),
    log.append([received(callId(77))]),
  ]);
  const took = performance.now() - started;
  delay.disable();
  t.match(pages[1], { next: String });
  t.ok(
    // Run in the main thread the query would hold it up for nearly as long as it takes.
    delay.max / 1e6 < 0.75 * took,
    `the main loop stood for ${(delay.max / 1e6).toFixed(1)} ms at most, of ${took.toFixed(0)} ms`,
  );
  await log.close();
});

t.test('what goes wrong', async (t) => {
  const path = newPath();
  const log = await SqliteCallLog.open(path);
  await log.append([received(callId(1))]);
  await log.close();
  await log.close();
  await t.rejects(log.get(ACCOUNT, callId(1)), { code: 'callLogUnavailable' }, 'it is closed');
  const again = await SqliteCallLog.open(path);
  t.match(await again.get(ACCOUNT, callId(1)), { number: '+12025550100' }, 'opened anew');
  await again.close();
  const db = new DatabaseSync(path);
  t.match(db.prepare('PRAGMA journal_mode').get(), { journal_mode: 'wal' });
  db.exec('PRAGMA user_version=99');
  db.close();
  await t.rejects(SqliteCallLog.open(path), /schema 99/, 'a file of a newer version is left alone');
  const broken = newPath();
  await (await SqliteCallLog.open(broken)).close();
  for (const end of ['-wal', '-shm']) await rm(`${broken}${end}`, { force: true });
  await writeFile(broken, 'this is no database, and it is long enough to be looked at as one '.repeat(100));
  await t.rejects(SqliteCallLog.open(broken), { code: 'callLogUnavailable' });
});

t.test('a file of the version before is brought up to date, and its records read as before', async (t) => {
  const path = newPath();
  const log = await SqliteCallLog.open(path);
  await log.append([received(callId(1)), ended(callId(1))]);
  await log.close();
  const db = new DatabaseSync(path);
  const { record } = db.prepare('SELECT record FROM calls').get() as { record: string };
  const rest = JSON.parse(record) as Record<string, unknown>;
  for (const name of ['bucket', 'parameters', 'person', 'probability', 'ambiguous', 'redial', 'candidates'])
    delete rest[name];
  db.prepare('UPDATE calls SET record = ?').run(JSON.stringify(rest));
  db.exec('DROP INDEX calls_by_credit; ALTER TABLE calls DROP COLUMN credit');
  db.exec('ALTER TABLE calls DROP COLUMN answered_at; PRAGMA user_version=1');
  db.close();
  const again = await SqliteCallLog.open(path);
  t.strictSame(await again.get(ACCOUNT, callId(1)), foldCall([received(callId(1)), ended(callId(1))]));
  await again.append([received(callId(2), { parameters: '{"publisher":"p1"}' })]);
  t.strictSame(await again.credits(ACCOUNT, {}), [
    { parameters: '{"publisher":"p1"}', calls: 1, answered: 0 },
  ]);
  await again.close();
});

async function sampleRecord(log: SqliteCallLog): Promise<unknown> {
  await log.append([received(callId(1)), ended(callId(1))]);
  return log.get(ACCOUNT, callId(1));
}
