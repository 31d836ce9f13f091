import { join } from 'node:path';
import { formatHostPort } from '../addresses.js';
import type { Settings } from '../config/settings.js';
import type { Logger } from '../observe/logger.js';
import { ChildFailed, DataInUse, Launcher, type Running } from './launcher.js';

export interface StartIo {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  readonly log: Logger;
}

/**
 * `tagswitch start`: starts everything, says what is up and what to try next, and runs until it is told to stop.
 * @returns the exit code: 0 when stopped, 1 when a program did not start, 2 for a bad configuration file, each of its
 * faults named
 */
export async function startCommand(settings: Settings, io: StartIo): Promise<number> {
  const launcher = new Launcher(settings, io.log);
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve(signal);
      });
    }
  });
  try {
    const running = await Promise.race([launcher.start(), stopped.then(() => undefined)]);
    if (running !== undefined) {
      for (const line of greeting(settings, running)) io.out(line);
      io.out('');
      await stopped;
    }
    io.out('stopping');
    return 0;
  } catch (error) {
    if (error instanceof DataInUse) {
      io.err(`tagswitch: ${error.message}`);
      return 1;
    }
    if (!(error instanceof ChildFailed)) throw error;
    const lines =
      error.faults.length > 0
        ? error.faults
        : [`${error.message}; see ${join(settings.data, 'log', 'tagswitch.log')}`];
    for (const line of lines) io.err(`tagswitch: ${line}`);
    return error.exitCode === 2 ? 2 : 1;
  } finally {
    await launcher.close();
  }
}

function greeting(settings: Settings, running: Running): string[] {
  const http = `http://${formatHostPort(settings.http)}`;
  const own = (standalone: boolean, name: string): string =>
    standalone ? `${name} (standalone, for trying out)` : name;
  const lines = [
    'tagswitch is up',
    `  HTTP    ${http}`,
    `  SIP     ${formatHostPort(settings.sip)} UDP and TCP, ${own(running.standaloneSip, running.standaloneSip ? 'SIP server' : 'drachtio-server')}`,
    `  media   ${own(running.standaloneMedia, running.standaloneMedia ? 'media server' : 'FreeSWITCH')}`,
    `  Redis   ${running.ownRedis ? 'its own redis-server in the data folder' : 'as REDIS_URL says'}`,
    `  data    ${settings.data}`,
  ];
  if (settings.configGiven) return [...lines, '', `Stop it with Ctrl-C.`];
  return [
    ...lines,
    '',
    'Try next:',
    `  open ${http}/demo in a browser: the page shows a number of its own`,
    '  npx tagswitch call NUMBER      calls it, with audio, and shows the record',
    `  curl -H 'Authorization: Bearer demo-key' '${http}/v1/calls?limit=5'`,
    '',
    'Stop it with Ctrl-C.',
  ];
}
