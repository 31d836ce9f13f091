import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ChildSpec } from './child.js';

/** What a Unix socket's address has room for (sun_path, 108 bytes with its NUL). */
const LONGEST_SOCKET = 107;

/**
 * The socket of the redis-server that `start` runs for itself: in the data folder's `redis`, or, where that path is too
 * long for a socket, in a folder of the system's temporary ones that follows from it.
 */
export function ownRedisSocket(data: string): string {
  const socket = join(data, 'redis', 'redis.sock');
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET) return socket;
  const name = createHash('sha256').update(data).digest('hex').slice(0, 16);
  return join(tmpdir(), `tagswitch-${name}`, 'redis.sock');
}

/** Another switch uses the data folder: two redis-servers would write one append-only file. */
export class DataInUse extends Error {
  readonly code = 'dataInUse';
}

/** How long the redis-server of a launcher that was killed may take to end. */
const LEAVE_MS = 5000;

/**
 * The program line of a redis-server on a private socket, without a TCP port. It knows nothing of pipes, so that the kernel
 * has to tell it when we are gone (PR_SET_PDEATHSIG, by util-linux's setpriv).
 */
export function redisServer(
  socket: string,
  folder: string,
  persistence: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return {
    command: 'setpriv',
    args: [
      ...['--pdeathsig', 'TERM', 'redis-server'],
      ...['--port', '0', '--unixsocket', socket, '--unixsocketperm', '600', '--dir', folder],
      ...[...persistence, '--save', '', '--daemonize', 'no', '--loglevel', 'warning', '--logfile', ''],
    ],
  };
}

/**
 * The redis-server of `start`: its append-only file in `data`, synced each second.
 * @throws DataInUse while another one serves that socket
 */
export async function ownRedis(data: string, stderr: number): Promise<{ spec: ChildSpec; url: string }> {
  const folder = join(data, 'redis');
  const socket = ownRedisSocket(data);
  for (const each of [folder, dirname(socket)]) mkdirSync(each, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + LEAVE_MS;
  while (await listens(socket)) {
    if (Date.now() > deadline)
      throw new DataInUse(`${data}: another tagswitch runs on this data folder (TAGSWITCH_DATA)`);
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  rmSync(socket, { force: true });
  const spec: ChildSpec = {
    name: 'redis-server',
    ...redisServer(socket, folder, ['--appendonly', 'yes', '--appendfsync', 'everysec']),
    env: {},
    ready: (gone) => answering(socket, gone),
    stderr,
  };
  // The bare path: as a URL, a folder's `?` or `%` would mean something else.
  return { spec, url: socket };
}

const ASK_EVERY_MS = 50;

/** Whether anybody takes connections on the socket; one that still loads its file does. */
async function listens(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket);
    client.once('connect', () => {
      client.destroy();
      resolve(true);
    });
    client.once('error', () => {
      resolve(false);
    });
  });
}

/** Resolves once the server answers PING with PONG: it has loaded its file; or once it is gone. */
export async function answering(socket: string, gone: AbortSignal): Promise<void> {
  while (!gone.aborted) {
    if (await ping(socket)) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

async function ping(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket);
    const settle = (answered: boolean): void => {
      client.destroy();
      resolve(answered);
    };
    client.setTimeout(1000, () => {
      settle(false);
    });
    client.once('error', () => {
      settle(false);
    });
    client.once('connect', () => client.write('PING\r\n'));
    client.once('data', (data) => {
      settle(data.toString().startsWith('+PONG'));
    });
  });
}
