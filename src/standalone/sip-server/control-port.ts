import { createServer, type Server } from 'node:net';
import { ControlConnection, type ControlRequests } from './control-connection.js';

/** Applications at once. */
const maxConnections = 64;

/** The TCP port that applications dial: its connections, and which of them takes what. */
export class ControlPort {
  readonly #server: Server;
  readonly #connections: ControlConnection[] = [];
  /** How often a verb was given out: the round robin. */
  readonly #turns = new Map<string, number>();
  #closing: Promise<void> | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws the system's error when the address cannot be had */
  static async listen(
    address: { host: string; port: number },
    secret: string,
    requests: Omit<ControlRequests, 'onClose'>,
  ): Promise<ControlPort> {
    const server = createServer();
    const control = new ControlPort(server);
    server.on('connection', (socket) => {
      if (control.#connections.length >= maxConnections || control.#closing !== undefined) {
        socket.destroy();
        return;
      }
      const onClose = (connection: ControlConnection): void => {
        const at = control.#connections.indexOf(connection);
        if (at >= 0) control.#connections.splice(at, 1);
      };
      control.#connections.push(new ControlConnection(socket, secret, { ...requests, onClose }));
    });
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen(address, () => {
        server.off('error', fail);
        server.on('error', () => undefined); // a failed accept ends that connection only
        done();
      });
    });
    return control;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The application whose turn it is for a verb; undefined when none takes it. */
  choose(verb: string): ControlConnection | undefined {
    const takers = this.#connections.filter((c) => c.authenticated && c.verbs.has(verb));
    if (takers.length === 0) return undefined;
    const turn = this.#turns.get(verb) ?? 0;
    this.#turns.set(verb, (turn + 1) % 1_000_000);
    return takers[turn % takers.length];
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      const closed = new Promise<void>((done) => this.#server.close(() => done()));
      for (const connection of [...this.#connections]) connection.close();
      await closed;
    })();
    return this.#closing;
  }
}
