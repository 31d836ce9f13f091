/** The script that finds a media node's knee, on the standalone node. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '../../src/start/ports.js';
import { root, run } from './tool.js';

t.setTimeout(120_000);

const script = join(root, 'scripts/load-node.mjs');
const program = join(root, 'dist/src/standalone/media-server/main.js');

t.test('a node is loaded step by step', async (t) => {
  const [sip, events, switchPort] = [await freePort(), await freePort(), await freePort()].map(String);
  const node = spawn(process.execPath, [program, '--conf', join(root, 'freeswitch-conf')], {
    env: {
      PATH: process.env['PATH'],
      TAGSWITCH_NODE_SIP_PORT: sip,
      TAGSWITCH_NODE_EVENT_PORT: events,
      TAGSWITCH_NODE_SWITCH_PATTERN: `127[.]0[.]0[.]1:${String(switchPort)}`,
      TAGSWITCH_NODE_SPOOL: t.testdir({}),
      TAGSWITCH_NODE_RTP_FIRST_PORT: '26000',
      TAGSWITCH_NODE_RTP_LAST_PORT: '26400',
      TAGSWITCH_FREESWITCH_SECRET: 'of-this-test',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.teardown(() => node.kill('SIGKILL'));
  await once(node.stdout, 'data');
  const { code, out, err } = await run(process.execPath, [
    ...[script, '--node', `127.0.0.1:${String(sip)}`, '--switch', `127.0.0.1:${String(switchPort)}`],
    ...['--pid', String(node.pid), '--first', '5', '--step', '5', '--most', '10', '--seconds', '3'],
  ]);
  t.equal(err, '');
  t.equal(code, 0);
  const lines = out.trim().split('\n');
  t.match(lines[1], /^ +5 +0 +0 +[\d.]+ ms +[\d.]+ ms$/);
  t.match(lines[2], /^ +10 +0 +0 /);
  t.equal(lines.at(-1), 'knee: 10 calls/s');
});

t.test('a node that refuses has no knee, and bad arguments are named', async (t) => {
  const { code, out } = await run(process.execPath, [
    ...[script, '--node', '127.0.0.1:9', '--switch', `127.0.0.1:${String(await freePort())}`],
    ...['--first', '1', '--most', '1', '--seconds', '1', '--patience', '2'],
  ]);
  t.equal(code, 1);
  t.match(out, /no knee/);
  const bad = await run(process.execPath, [script, '--node', 'x', '--seconds', '0']);
  t.equal(bad.code, 2);
  t.match(bad.err, /--node: .*--switch: .*--seconds: /s);
});
