import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const scenarios = fileURLToPath(new URL('../../../test/bench/sipp/', import.meta.url));

/** What one end of the load counted. */
export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** The first few things that went wrong. */
  readonly errors: string;
}

export interface SippCall {
  readonly number: string;
  readonly caller: string;
}

export type Audio = 'PCMU' | 'PCMA';

/** One sipp, as `calls` callers or as the callee of as many calls. Resolves when its calls are over. */
export async function sipp(
  role: 'caller' | 'callee',
  given: {
    readonly port: number;
    readonly calls: number;
    /** The caller's: where to, which calls (used in turn), how many a second. */
    readonly to?: string;
    readonly list?: readonly SippCall[];
    readonly perSecond?: number;
    /** How long the caller talks. */
    readonly talkMs?: number;
    /** The caller sends audio, PCMU; the callee answers with that, or with PCMA. Without it nobody sends anything. */
    readonly audio?: Audio;
  },
): Promise<SippResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tagswitch-bench-sipp-'));
  const { to, list = [], perSecond = 50, talkMs = 1000 } = given;
  const file = (name: string): string => join(folder, name);
  const withAudio = (scenario: string): string => {
    if (given.audio === undefined) return scenario;
    if (role === 'callee')
      return given.audio === 'PCMU' ? scenario : scenario.replace('RTP/AVP 0', 'RTP/AVP 8');
    writeFileSync(file('audio'), Buffer.alloc(8 * talkMs, 0xa5));
    const stream = `<nop><action><exec rtp_stream="${file('audio')},1,0"/></action></nop>`;
    return scenario.replace('m=audio 6000', 'm=audio [media_port]').replace('<pause/>', `${stream}<pause/>`);
  };
  writeFileSync(
    file('calls.csv'),
    `SEQUENTIAL\n${list.map(({ number, caller }) => `${number};${caller}\n`).join('')}`,
  );
  writeFileSync(file('scenario.xml'), withAudio(readFileSync(join(scenarios, `${role}.xml`), 'utf8')));
  // What is not over long after the last one began never will be.
  const seconds = Math.ceil(given.calls / perSecond + talkMs / 1000) + 60;
  const child = spawn(
    'sipp',
    [
      ...(to === undefined ? [] : [to, '-inf', file('calls.csv'), '-r', String(perSecond)]),
      ...['-sf', file('scenario.xml'), '-t', 'u1', '-i', '127.0.0.1', '-p', String(given.port)],
      ...[
        '-m',
        String(given.calls),
        '-nostdin',
        '-timeout',
        String(seconds),
        '-recv_timeout',
        '30000',
        '-d',
        String(talkMs),
      ],
      ...['-trace_stat', '-fd', '1', '-stf', file('counts.csv'), '-trace_err', '-error_file', file('errors')],
    ],
    { stdio: 'ignore', cwd: folder },
  );
  // Whatever becomes of the bench, no load is left behind.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  try {
    await once(child, 'exit');
    return { ...counts(readFileSync(file('counts.csv'), 'utf8')), errors: firstLines(file('errors')) };
  } finally {
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The last line of a statistics file: cumulative counts in the columns whose names end with `(C)`. */
function counts(csv: string): Omit<SippResult, 'errors'> {
  const lines = csv.trim().split('\n');
  const names = lines[0]?.split(';') ?? [];
  const last = lines.at(-1)?.split(';') ?? [];
  const column = (name: string): number => {
    const value = Number(last[names.indexOf(`${name}(C)`)] ?? Number.NaN);
    if (Number.isNaN(value)) throw new Error(`sipp counted no ${name}`);
    return value;
  };
  return {
    successful: column('SuccessfulCall'),
    failed: column('FailedCall'),
    retransmissions: column('Retransmissions'),
  };
}

/** The first few errors, without what came for calls that were over (repeated messages) and without message texts. */
function firstLines(file: string): string {
  try {
    return readFileSync(file, 'utf8')
      .split(/\d{4}-\d\d-\d\d\t[\d:.]+\t[\d.]+: /)
      .slice(1)
      .filter((error) => !error.startsWith('Dead call'))
      .slice(0, 3)
      .map((error) => (error.split(/\r?\n/)[0] ?? '').slice(0, 160))
      .join(' | ');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
