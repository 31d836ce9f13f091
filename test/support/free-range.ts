import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * The first of `count` ports that nobody listens on, UDP and TCP, below those that the system gives out by itself: a
 * callee binds his long after they were looked for.
 */
export async function freeRange(count: number): Promise<number> {
  for (let first = 28_000; first < 32_000; first += count) {
    const held = await Promise.allSettled(
      Array.from({ length: count }, async (_, at) => {
        const udp = createSocket('udp4').bind(first + at, '127.0.0.1');
        const tcp = createServer().listen(first + at, '127.0.0.1');
        const bound = await Promise.allSettled([once(udp, 'listening'), once(tcp, 'listening')]);
        udp.close();
        await new Promise((done) => tcp.close(done));
        if (bound.some(({ status }) => status === 'rejected')) throw new Error('taken');
      }),
    );
    if (held.every(({ status }) => status === 'fulfilled')) return first;
  }
  throw new Error('no free ports');
}
