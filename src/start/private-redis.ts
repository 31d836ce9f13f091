import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answering, redisServer } from './own-redis.js';

const START_MS = 10_000;

/** A redis-server could not be started; one line says why. */
export class NoRedis extends Error {}

/**
 * Runs `use` with a redis-server of its own: on a socket in a temporary folder, nothing on disk, gone afterwards.
 * @throws NoRedis
 */
export async function withPrivateRedis<T>(use: (url: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tagswitch-'));
  const socket = join(folder, 'redis.sock');
  const gone = new AbortController();
  const { command, args } = redisServer(socket, folder, ['--appendonly', 'no']);
  const child = spawn(command, args, { stdio: 'ignore' });
  let fault: string | undefined;
  child.once('error', (error) => {
    fault = error.message;
    gone.abort();
  });
  child.once('exit', () => {
    gone.abort();
  });
  const late = setTimeout(() => {
    fault = `it did not answer within ${String(START_MS / 1000)} s`;
    gone.abort();
  }, START_MS);
  try {
    await answering(socket, gone.signal);
    clearTimeout(late);
    if (gone.signal.aborted) throw new NoRedis(`redis-server did not start: ${fault ?? 'it ended'}`);
    return await use(socket);
  } finally {
    clearTimeout(late);
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
    await rm(folder, { recursive: true, force: true });
  }
}
