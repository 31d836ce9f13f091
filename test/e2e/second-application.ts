import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { until } from '../support/until.js';
import type { System } from './system.js';

const application = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** A second application on the same servers, ready: what the first one was started with, and another HTTP port. */
export async function startSecond(system: System, port: number): Promise<ChildProcess> {
  const pid = system.pid('application');
  const environment = readFileSync(`/proc/${String(pid)}/environ`, 'utf8').split('\0');
  const env: Record<string, string> = {};
  for (const line of environment) {
    const [name = '', value = ''] = line.split(/=(.*)/s);
    // Not the channel to the launcher, which is the first one's.
    if (name !== '' && !name.startsWith('NODE_CHANNEL')) env[name] = value;
  }
  const second = spawn(process.execPath, [application], {
    env: { ...env, TAGSWITCH_HTTP: `127.0.0.1:${String(port)}` },
    stdio: 'ignore',
  });
  await until(() => isReady(port), 20_000);
  return second;
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${String(port)}/readyz`)).ok;
  } catch {
    return false;
  }
}
