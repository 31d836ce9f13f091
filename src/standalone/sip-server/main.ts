/**
 * The program: starts a SipServer, says on stdout where it is, and ends with its parent.
 *
 * Start it with a pipe as stdin (or an IPC channel): when that closes, the parent is gone and so is this program.
 * It prints one line: `{"ready":true,"sip":"127.0.0.1:5060","control":"127.0.0.1:9022"}`. Everything else is JSON
 * lines on stderr. Exit code 0 after SIGTERM, SIGINT or the parent's end, 2 for bad settings, 1 when it cannot start.
 */
import { stderrLog } from '../log.js';
import { readSettings, SettingsError } from './settings.js';
import { SipServer, type Address } from './sip-server.js';

const log = stderrLog('sip-server');

function where({ host, port }: Address): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}

async function run(): Promise<number> {
  let settings;
  try {
    settings = readSettings(process.env, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const fault of error.faults) log('bad-setting', { fault });
    return 2;
  }
  const ended = new Promise<string>((done) => {
    process.stdin.on('end', () => done('parent')).on('error', () => done('parent'));
    process.stdin.resume();
    process.on('disconnect', () => done('parent'));
    process.on('SIGTERM', () => done('SIGTERM'));
    process.on('SIGINT', () => done('SIGINT'));
  });
  const server = await SipServer.start({ ...settings, log });
  const ready = { ready: true, sip: where(server.sipAddress), control: where(server.controlAddress) };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  log('stopping', { by: await ended });
  await server.close();
  return 0;
}

// A reader that is gone, or a disk that is full, is no reason to die in a call.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
run().then(
  (code) => process.exit(code),
  (error: unknown) => {
    log('failed', { error: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
