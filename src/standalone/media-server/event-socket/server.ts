import { createServer, type Server } from 'node:net';
import type { EventFields } from '../channel/event.js';
import type { AccessList } from '../configuration/access-list.js';
import { Connection, type ConnectionSettings } from './connection.js';

const mostConnections = 64;

/** The inbound event socket: whoever is let in hears of events and asks for things. */
export class EventSocketServer {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #settings: ConnectionSettings;
  #closing: Promise<void> | undefined;

  private constructor(settings: ConnectionSettings, mayConnect: AccessList) {
    this.#settings = settings;
    this.#server = createServer((socket) => {
      if (
        !mayConnect((socket.remoteAddress ?? '').replace(/^::ffff:/, '')) ||
        this.#connections.size >= mostConnections
      ) {
        const body = 'Access Denied, go away.\n';
        socket.on('error', () => undefined);
        socket.end(`Content-Type: text/rude-rejection\nContent-Length: ${body.length}\n\n${body}`);
        return;
      }
      const connection: Connection = new Connection(socket, this.#settings, () =>
        this.#connections.delete(connection),
      );
      this.#connections.add(connection);
    });
  }

  /** Listens. Rejects with the system's error when the address is taken. */
  static async listen(
    address: { readonly ip: string; readonly port: number; readonly mayConnect: AccessList },
    settings: ConnectionSettings,
  ): Promise<EventSocketServer> {
    const made = new EventSocketServer(settings, address.mayConnect);
    await new Promise<void>((resolve, reject) => {
      made.#server.once('error', reject);
      made.#server.listen({ host: address.ip, port: address.port }, () => {
        made.#server.off('error', reject);
        resolve();
      });
    });
    return made;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Tells every client that wants it; `make` is called only when there may be one, because events are large. `known` are
   * fields that the event will have.
   */
  tell(name: string, make: () => EventFields, known: EventFields = {}): void {
    const wanting = [...this.#connections].filter((connection) => connection.mayWant(name, known));
    if (wanting.length === 0) return;
    const event = make();
    for (const connection of wanting) connection.tell(event);
  }

  /** Says goodbye to all and stops listening. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of this.#connections) connection.close();
    });
    return this.#closing;
  }
}
