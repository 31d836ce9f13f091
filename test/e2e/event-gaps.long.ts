/** The way to a media node's event socket is cut amid calls and their ends, again and again: every call has its one record. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { Random } from '../../src/simulation/random.js';
import { Agent } from '../standalone/media-agent.js';
import { CutLine } from '../support/cut-line.js';
import { declarationOf, numbersOf } from './declaration.js';
import { finalOf } from './ends.js';
import { OwnNode } from './own-node.js';
import { onRealServers, System } from './system.js';

t.setTimeout(180_000);

const CALLS = 80;
/** Between two calls, ms. */
const APART = 150;
const CUTS = 10;

t.test('no event is lost silently over an event socket that breaks', async (t) => {
  const seed = 20_261_127;
  t.comment(`seed ${String(seed)}`);
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), 'tagswitch-node-'));
  const node = onRealServers ? undefined : await OwnNode.start(folder);
  const [host = '', port = ''] = (process.env['TAGSWITCH_FREESWITCH'] ?? '').split(':');
  const line = await CutLine.open(
    node === undefined ? { host, port: Number(port) } : { host: '127.0.0.1', port: node.port },
  );
  const callee = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  const caller = await Agent.start();
  const system = await System.start(
    declarationOf([{ name: 'answers', ring: [[`sip:agent@127.0.0.1:${String(callee.sip.port)}`]] }]),
    'info',
    node?.environment(line.port) ?? { TAGSWITCH_FREESWITCH: `127.0.0.1:${String(line.port)}` },
  );
  t.teardown(async () => {
    await system.stop();
    await line.close();
    await node?.stop();
    await Promise.all([caller.close(), callee.close()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const first = Number(numbersOf(0).first);
  const place = async (at: number): Promise<{ number: string; final: number; talkMs: number }> => {
    await wait(at * APART);
    const number = `+${String(first + at)}`;
    const call = await caller.call(system.sip, number);
    const final = await finalOf(call);
    const answeredAt = performance.now();
    await wait(300 + 1500 * random.share());
    const talkMs = performance.now() - answeredAt;
    await call.send('BYE');
    return { number, final, talkMs };
  };
  const calls = Promise.all(Array.from({ length: CALLS }, (_, at) => place(at)));
  for (let n = 0; n < CUTS; n += 1) {
    await wait(500 + 600 * random.share());
    await line.cut(0, 400 * random.share());
  }
  const placed = await calls;
  const { cuts } = line;
  t.ok(cuts > CUTS / 2, `${String(cuts)} times it was cut while it was up`);
  let bridged = 0;
  for (const { number, final, talkMs } of placed) {
    t.equal(final, 200, number);
    const record = await system.record(number, 60_000);
    // Of a call that went past the node, as it was away, nobody knows who hung up.
    const fault = record.media === 'bridged' ? 'caller' : 'unknown';
    t.match(record, { result: 'answered', fault }, `${number}: ${String(record.media)}`);
    t.ok(
      Math.abs((record.talkMs ?? 0) - talkMs) < 400,
      `${number}: ${String(record.talkMs)} of ${String(Math.round(talkMs))} ms`,
    );
    if (record.media === 'bridged') bridged += 1;
  }
  t.ok(bridged > 20, `${String(bridged)} of the calls went through the node`);
  const metrics = await system.metrics();
  const counted = Number(/^tagswitch_event_gaps_total (\d+)/m.exec(metrics)?.[1]);
  t.ok(counted >= cuts / 2 && counted <= cuts, `${String(counted)} gaps are counted`);
  t.ok(
    system.log().split('events of a media node were missed: its spool tells them').length - 1 >= counted - 1,
    'and logged',
  );
});
