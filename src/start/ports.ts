import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { HostPort } from '../addresses.js';

/**
 * Above what FreeSWITCH takes for RTP as we configure it, below what the kernel lends to outgoing connections and to whoever
 * asks for any port: what is given here nobody gets by chance before its server listens, nor while that is started again.
 */
const FIRST = 24_576;
/** Two processes that look at the same time do not look at the same ports. */
const PROCESSES = 128;
const EACH = 64;

let turn = randomInt(EACH);

/**
 * A port of 127.0.0.1 that neither a TCP listener nor a UDP socket has now: SIP needs both. A process gets the same one
 * again after 63 others at the earliest. @throws Error when all of them are taken
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < EACH; tried += 1) {
    turn = (turn + 1) % EACH;
    const port = FIRST + (process.pid % PROCESSES) + PROCESSES * turn;
    if (await portIsFree({ host: '127.0.0.1', port })) return port;
  }
  throw new Error('no free port');
}

/** Whether both a TCP listener and a UDP socket can have the port now. */
export async function portIsFree({ host, port }: HostPort): Promise<boolean> {
  const server = createServer();
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).bind(port, host, resolve);
    });
    return true;
  } catch {
    return false; // whatever stands against it, nobody else can have it
  } finally {
    await Promise.all([
      new Promise((resolve) => server.close(resolve)),
      new Promise<void>((resolve) => socket.close(resolve)),
    ]);
  }
}
