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

/**
 * The ports of the range. The pair that was given back longest ago is given first, so that late packets of an ended
 * call do not reach the next one.
 */
export class PortPool {
  readonly #address: string;
  readonly #free: number[];
  readonly #count: number;

  constructor(address: string, range: { readonly first: number; readonly last: number }) {
    this.#address = address;
    this.#count = Math.floor((range.last - range.first + 1) / 2);
    this.#free = Array.from({ length: this.#count }, (_, index) => range.first + 2 * index);
  }

  /** Pairs in use. */
  get taken(): number {
    return this.#count - this.#free.length;
  }

  /** Binds a free pair. Throws `NoFreePort` when the range is used up. */
  async acquire(): Promise<PortPair> {
    for (let tried = this.#free.length; tried > 0; tried -= 1) {
      const port = this.#free.shift();
      if (port === undefined) break;
      const pair = await this.#bind(port);
      if (pair) return pair;
      this.#free.push(port); // another program has it
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
      this.#free.push(port);
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
