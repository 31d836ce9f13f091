import { fstatSync } from 'node:fs';
import { ConfigurationError } from './configuration/source.js';
import { standardError } from '../log.js';
import { createLog } from './log.js';
import { MediaServer } from './server.js';
import { readSettings, SettingsError } from './settings.js';

/**
 * The program: a child process that answers for one FreeSWITCH. One JSON line on stdout when it is up; it ends on
 * SIGTERM and SIGINT, and when its parent is gone (its stdin, if that is a pipe, ends; its IPC channel closes).
 */
async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  const log = createLog(settings.logLevel, standardError);
  const server = await MediaServer.start({ ...settings, environment: process.env, log });
  let leaving = false;
  const leave = (why: string): void => {
    if (leaving) return;
    leaving = true;
    log('info', 'stopping', { why });
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log('error', 'could not stop cleanly', { reason: (error as Error).message });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => leave('SIGTERM'));
  process.on('SIGINT', () => leave('SIGINT'));
  process.on('disconnect', () => leave('parent gone'));
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) {
    process.stdin.on('end', () => leave('parent gone'));
    process.stdin.on('error', () => leave('parent gone'));
    process.stdin.resume();
  }
  process.stdout.write(
    `${JSON.stringify({ ready: true, sip: server.sipAddress, eventSocket: server.eventSocketAddress })}\n`,
  );
}

// A reader that is gone, or a disk that is full, is no reason to die in a call.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
main().catch((error: unknown) => {
  const known = error instanceof ConfigurationError || error instanceof SettingsError;
  const { message, code } = error as NodeJS.ErrnoException;
  createLog('info', standardError)(
    'error',
    known ? message : 'cannot start',
    known ? {} : { reason: code ?? message },
  );
  process.exit(known ? 2 : 1);
});
