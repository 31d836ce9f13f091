import type { Server, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of an HTTP server, and how many requests each is about. Node's `closeIdleConnections` passes over one that
 * has not asked anything yet, such as browsers open in advance: a server that stops would wait for it for a minute.
 */
export class Connections {
  readonly #requests = new Map<Socket, number>();
  #ending = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#requests.set(socket, 0);
      socket.once('close', () => this.#requests.delete(socket));
      if (this.#ending) socket.destroy();
    });
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#count(socket, 1);
      response.once('close', () => this.#count(socket, -1));
    });
  }

  /** Ends those that nothing is asked on now, and those that come still; the others when they have their answer. */
  endIdle(): void {
    this.#ending = true;
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.destroy();
  }

  #count(socket: Socket, by: number): void {
    const requests = this.#requests.get(socket);
    if (requests === undefined) return;
    this.#requests.set(socket, requests + by);
    // An answer that was made before the end was known keeps its connection, and the stop would wait for that.
    if (this.#ending && requests + by === 0) socket.destroySoon();
  }
}
