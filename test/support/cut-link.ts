import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A way over TCP on 127.0.0.1 that can be cut: all that is under way is lost, and nobody gets through for a while. */
export class CutLink {
  readonly #server: Server;
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #open = true;

  private constructor(server: Server, to: number) {
    this.#server = server;
    this.#to = to;
    server.on('connection', (near) => this.#join(near));
  }

  static async start(to: number): Promise<CutLink> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CutLink(server, to);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @returns how many ways were cut */
  cut(): number {
    this.#open = false;
    const cut = this.#sockets.size;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    return cut;
  }

  mend(): void {
    this.#open = true;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket): void {
    if (!this.#open) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.#to, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
