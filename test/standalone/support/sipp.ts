import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../src/start/ports.js';

const scenarios = fileURLToPath(new URL('../../../../test/sipp/', import.meta.url));

export interface SippRun {
  readonly port: number;
  /** Resolves when its calls are over. @returns the exit code (0: every call went as the scenario says) and its errors */
  readonly ended: Promise<{ code: number | null; errors: string }>;
  stop(): void;
}

/** Starts the load tool on one scenario; with `to` as a caller, without as a callee that waits. */
export async function sipp(
  scenario: string,
  proto: 'udp' | 'tcp',
  options: {
    to?: number;
    calls?: number;
    rate?: number;
    seconds?: number;
    /** How long it waits for one message, s; nearly as long as for all of them when absent. */
    waits?: number;
    /** Its own port; a free one when absent. */
    port?: number;
    /**
     * What the scenario does not expect is passed over: on a busy machine anything may come twice. It fails then by what it
     * waits for in vain.
     */
    patient?: boolean;
    /** Where the scenario's file is; our own ones when absent. */
    folder?: string;
  } = {},
): Promise<SippRun> {
  const port = options.port ?? (await freePort());
  const scratch = mkdtempSync(join(tmpdir(), 'sipp-'));
  const errorFile = join(scratch, 'errors');
  const child = spawn(
    'sipp',
    [
      ...(options.to === undefined ? [] : [`127.0.0.1:${options.to}`]),
      ...['-sf', join(options.folder ?? scenarios, `${scenario}.xml`), '-t', proto === 'udp' ? 'u1' : 't1'],
      ...[
        '-i',
        '127.0.0.1',
        '-p',
        String(port),
        '-m',
        String(options.calls ?? 1),
        '-r',
        String(options.rate ?? 10),
      ],
      ...[
        '-nostdin',
        '-timeout',
        String(options.seconds ?? 20),
        '-timeout_error',
        '-recv_timeout',
        String((options.waits ?? Math.max(10, (options.seconds ?? 0) - 5)) * 1000),
      ],
      ...(options.patient === true ? ['-default_behaviors', 'all,-abortunexp'] : []),
      ...['-trace_err', '-error_file', errorFile],
    ],
    { stdio: 'ignore', cwd: scratch },
  );
  const ended = (once(child, 'exit') as Promise<[number | null]>).then(([code]) => {
    let errors = '';
    try {
      errors = readFileSync(errorFile, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    rmSync(scratch, { recursive: true, force: true });
    return { code, errors };
  });
  if (options.to === undefined && proto === 'tcp') await listening(port);
  return { port, ended, stop: () => child.kill('SIGKILL') };
}

/** Waits until somebody listens there. UDP needs no such wait: an INVITE that comes too early is repeated. */
async function listening(port: number): Promise<void> {
  const end = performance.now() + 5000;
  for (;;) {
    // Binding is refused once sipp has the port; connecting would be taken for a call's connection.
    const server = createServer().listen(port, '127.0.0.1');
    const taken = await Promise.race([
      once(server, 'listening').then(() => false),
      once(server, 'error').then(() => true),
    ]).catch(() => true);
    await new Promise((done) => server.close(done));
    if (taken || performance.now() > end) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}
