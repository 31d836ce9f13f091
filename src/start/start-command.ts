import { formatHostPort } from '../addresses.js';
import type { Settings } from '../config/settings.js';
import type { Logger } from '../observe/logger.js';
import { ChildFailed, DataInUse, Launcher, logFile, type Running } from './launcher.js';

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
      for (const line of greeting(settings, running, await lacking(settings))) io.out(line);
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
    const lines = error.faults.length > 0 ? error.faults : [`${error.message}; see ${logFile(settings)}`];
    for (const line of lines) io.err(`tagswitch: ${line}`);
    return error.exitCode === 2 ? 2 : 1;
  } finally {
    await launcher.close();
  }
}

interface Readiness {
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

/** What is not there, though it was started or named: one line for each part of /readyz that is not well. */
async function lacking(settings: Settings): Promise<string[]> {
  try {
    const answer = await fetch(`http://${formatHostPort(settings.http)}/readyz`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const { parts } = (await answer.json()) as Readiness;
    return Object.entries(parts).flatMap(([name, { ok, detail }]) =>
      ok && detail === undefined ? [] : [`  ${name}: ${detail ?? 'not there yet'}`],
    );
  } catch (error) {
    return [`  HTTP: no answer (${error instanceof Error ? error.name : 'unknown'})`];
  }
}

const ANSWER_MS = 3000;

function greeting(settings: Settings, running: Running, missing: readonly string[]): string[] {
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
  if (!settings.configGiven && !running.agent)
    missing = [...missing, '  demo agent: its port 5070 is taken, calls go to whoever has it'];
  if (missing.length > 0) lines.push('', 'Not as it should be (GET /readyz):', ...missing);
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
