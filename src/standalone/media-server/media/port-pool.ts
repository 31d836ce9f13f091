import { createSocket, type Socket } from 'node:dgram';

/** Sockets of one stream: RTP on an even port, RTCP on the next. */
export interface PortPair {
  readonly port: number;
  readonly rtp: Socket;
  readonly rtcp: Socket;
  /** Closes both; the ports rest a while before they are given again. Idempotent. */
  release(): void;
}

export class NoFreePort extends Error {
  readonly code = 'noFreePort';
}

/** Late packets of an ended call must not reach the next one. */
const restMs = 2000;

/** The ports of the range, given one after the other. */
export class PortPool {
  readonly #address: string;
  readonly #first: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  readonly #restingUntil = new Map<number, number>();
  #next = 0;

  constructor(address: string, range: { readonly first: number; readonly last: number }) {
    this.#address = address;
    this.#first = range.first;
    this.#count = Math.floor((range.last - range.first + 1) / 2);
  }

  /** Ports in use. */
  get taken(): number {
    return this.#taken.size;
  }

  /** Binds the next free pair. Throws `NoFreePort` when the range is used up. */
  async acquire(): Promise<PortPair> {
    for (let tried = 0; tried < this.#count; tried += 1) {
      const port = this.#first + 2 * this.#next;
      this.#next = (this.#next + 1) % this.#count;
      if (this.#taken.has(port) || (this.#restingUntil.get(port) ?? 0) > performance.now()) continue;
      this.#restingUntil.delete(port);
      this.#taken.add(port);
      const pair = await this.#bind(port);
      if (pair) return pair;
      this.#taken.delete(port);
    }
    throw new NoFreePort('no free RTP port');
  }

  async #bind(port: number): Promise<PortPair | undefined> {
    const rtp = await bound(this.#address, port);
    if (!rtp) return undefined;
    const rtcp = await bound(this.#address, port + 1);
    if (!rtcp) {
      rtp.close();
      return undefined;
    }
    let open = true;
    const release = (): void => {
      if (!open) return;
      open = false;
      rtp.close();
      rtcp.close();
      this.#taken.delete(port);
      this.#restingUntil.set(port, performance.now() + restMs);
    };
    return { port, rtp, rtcp, release };
  }
}

/** A bound socket, or undefined when another program has the port. */
async function bound(address: string, port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      // ICMP errors of a far end that is gone belong to one packet, and RTP has no use for them.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
