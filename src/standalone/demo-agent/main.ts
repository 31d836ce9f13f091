/**
 * The program: the demo's answering party. It says on stdout where it is, `{"ready":true,"sip":"127.0.0.1:5070"}`, and
 * ends with its parent (whose pipe is its stdin, or whose IPC channel it has), on SIGTERM and on SIGINT. Everything else
 * is JSON lines on stderr. Exit code 0 when it was told to end, 2 for bad settings, 1 when it cannot start.
 */
import { fstatSync } from 'node:fs';
import { stderrLog } from '../log.js';
import { DemoAgent } from './agent.js';
import { readSettings, SettingsError } from './settings.js';

const log = stderrLog('demo-agent');

// A reader that is gone is no reason to die in a call.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

let end = (_by: string): void => undefined;
const ended = new Promise<string>((resolve) => {
  end = resolve;
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
process.on('disconnect', () => {
  end('parent');
});
const stdin = fstatSync(0);
if (stdin.isFIFO() || stdin.isSocket()) {
  process.stdin.on('end', () => {
    end('parent');
  });
  process.stdin.on('error', () => {
    end('parent');
  });
  process.stdin.resume();
}

try {
  const agent = await DemoAgent.start({ ...readSettings(process.env, process.argv.slice(2)), log });
  process.stdout.write(`${JSON.stringify({ ready: true, sip: `${agent.sip.host}:${agent.sip.port}` })}\n`);
  log('stopping', { by: await ended });
  await agent.close();
  process.exit(0);
} catch (error) {
  log('failed', { error: error instanceof Error ? error.message : String(error) });
  process.exit(error instanceof SettingsError ? 2 : 1);
}
