import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';

/** This machine has no way to that address. */
export class NoWayThere extends Error {
  readonly code = 'noWayThere';
}

/**
 * The IPv4 addresses at the two ends of the way to `host`: its own, and ours that the system would send from.
 * @throws NoWayThere
 */
export async function addressesTowards(host: string, port: number): Promise<{ local: string; far: string }> {
  const socket = createSocket('udp4');
  try {
    const { address: far } = await lookup(host, 4);
    // Sends nothing: the system only chooses the way.
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, far, resolve);
    });
    return { local: socket.address().address, far };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new NoWayThere(`no way to ${host} over IPv4 (${code})`);
  } finally {
    socket.close();
  }
}
