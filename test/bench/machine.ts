import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type as systemName } from 'node:os';
import { promisify } from 'node:util';

/** What the figures depend on. */
export async function machineFacts(): Promise<Readonly<Record<string, unknown>>> {
  return {
    os: `${distribution()}, ${systemName()} ${release()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    redis: (await firstMatch('redis-server', ['--version'], /v=(\S+)/)) ?? 'unknown',
    sipp: (await firstMatch('sipp', ['-v'], /SIPp (v[^\s-]+)/)) ?? 'unknown',
    loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** sipp's `-v` ends with an exit code that is no success: what it said counts. */
async function firstMatch(
  program: string,
  args: readonly string[],
  what: RegExp,
): Promise<string | undefined> {
  const said = await promisify(execFile)(program, [...args]).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { stdout?: string }).stdout ?? '',
  );
  return what.exec(said)?.[1];
}
