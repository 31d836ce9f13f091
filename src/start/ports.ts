import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { HostPort } from '../addresses.js';

/**
 * A port of 127.0.0.1 that neither a TCP listener nor a UDP socket has now: SIP needs both. It is given to the server that
 * takes it, and keeps it when it is started again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (typeof address !== 'object' || address === null) throw new Error('no free port');
    if (await portIsFree({ host: '127.0.0.1', port: address.port })) return address.port;
  }
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
