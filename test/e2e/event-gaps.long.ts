/** The way to a media node's event socket is cut amid calls and their ends, again and again: every call has its one record. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Agent } from '../standalone/media-agent.js';
import { CutLink } from '../support/cut-link.js';
import { freePort } from '../support/redis.js';
import { declarationOf, numbersOf } from './declaration.js';
import { finalOf } from './ends.js';
import { onRealServers, System } from './system.js';

t.setTimeout(180_000);

const CALLS = 80;
/** Between two calls, ms. */
const APART = 150;
const CUTS = 10;

const serverProgram = fileURLToPath(new URL('../../src/standalone/media-server/main.js', import.meta.url));
const configuration = fileURLToPath(new URL('../../../freeswitch-conf', import.meta.url));

/** Numbers from 0 to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** A media node of our own with its spool, or the real one. @returns its event socket, and what the switch has to be told */
async function startNode(folder: string): Promise<{
  readonly events: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly child?: ChildProcess;
}> {
  const real = process.env['TAGSWITCH_FREESWITCH'];
  if (onRealServers && real !== undefined) return { events: Number(real.split(':')[1]), environment: {} };
  const [sip, node, events] = [await freePort(), await freePort(), await freePort()];
  const secret = 'a-secret-of-this-test';
  const child = spawn(process.execPath, [serverProgram, '--conf', configuration], {
    env: {
      PATH: process.env['PATH'],
      TAGSWITCH_NODE_SIP_PORT: String(node),
      TAGSWITCH_NODE_SWITCH_PATTERN: `127[.]0[.]0[.]1:${String(sip)}`,
      TAGSWITCH_NODE_EVENT_PORT: String(events),
      TAGSWITCH_NODE_SPOOL: folder,
      TAGSWITCH_FREESWITCH_SECRET: secret,
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return {
    child,
    events,
    environment: {
      TAGSWITCH_SIP: `127.0.0.1:${String(sip)}`,
      TAGSWITCH_FREESWITCH_SECRET: secret,
      TAGSWITCH_SPOOL: folder,
    },
  };
}

t.test('no event is lost silently over an event socket that breaks', async (t) => {
  const seed = 20_261_127;
  t.comment(`seed ${String(seed)}`);
  const next = random(seed);
  const folder = mkdtempSync(join(tmpdir(), 'tagswitch-node-'));
  const node = await startNode(folder);
  const link = await CutLink.start(node.events);
  const callee = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  const caller = await Agent.start();
  const system = await System.start(
    declarationOf([{ name: 'answers', ring: [[`sip:agent@127.0.0.1:${String(callee.sip.port)}`]] }]),
    'info',
    { ...node.environment, TAGSWITCH_FREESWITCH: `127.0.0.1:${String(link.port)}` },
  );
  t.teardown(async () => {
    await system.stop();
    link.close();
    node.child?.kill('SIGKILL');
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
    await wait(300 + 1500 * next());
    const talkMs = performance.now() - answeredAt;
    await call.send('BYE');
    return { number, final, talkMs };
  };
  const calls = Promise.all(Array.from({ length: CALLS }, (_, at) => place(at)));
  let cuts = 0;
  for (let n = 0; n < CUTS; n += 1) {
    await wait(500 + 600 * next());
    cuts += link.cut() > 0 ? 1 : 0;
    await wait(400 * next());
    link.mend();
  }
  const placed = await calls;
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
  const metrics = await (await fetch(`${system.http}/metrics`)).text();
  const counted = Number(/^tagswitch_event_gaps_total (\d+)/m.exec(metrics)?.[1]);
  t.ok(counted >= cuts / 2 && counted <= cuts, `${String(counted)} gaps are counted`);
  const log = readFileSync(join(system.settings.data, 'log', 'tagswitch.log'), 'utf8');
  t.ok(
    log.split('events of a media node were missed: its spool tells them').length - 1 >= counted - 1,
    'and logged',
  );
});
