import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ParseError } from './parse-error.js';
import { StreamFramer } from './stream-framer.js';
import type { Flow, Target, TlsIdentity, TransportHandlers } from './flow.js';

/** Bounds of TCP. Milliseconds, bytes, pieces. */
export interface TcpLimits {
  /** Connections at once; one more is closed as it comes. */
  readonly connections: number;
  /** A connection without a byte for so long is closed. */
  readonly idleMs: number;
  /** Part of a message may wait for the rest so long. */
  readonly halfMessageMs: number;
  readonly connectMs: number;
  /** Bytes that may wait for a peer that does not read. */
  readonly unsent: number;
}

const defaults: TcpLimits = {
  connections: 1000,
  idleMs: 30 * 60_000,
  halfMessageMs: 30_000,
  connectMs: 4000,
  unsent: 1 << 20,
};

interface Connection {
  readonly id: number;
  readonly socket: Socket;
  readonly flow: Flow & { readonly connection: number };
  readonly ready: Promise<void>;
  halfMessage: NodeJS.Timeout | undefined;
}

/** The TCP connections of one listener, ours and theirs, each used for whatever goes to its far end. */
export class TcpConnections {
  readonly #localHost: string;
  readonly #handlers: TransportHandlers;
  readonly #limits: TcpLimits;
  readonly #tls: TlsIdentity | undefined;
  readonly #byId = new Map<number, Connection>();
  readonly #byAddress = new Map<string, Connection>();
  #lastId = 0;
  #closed = false;

  constructor(localHost: string, handlers: TransportHandlers, limits: Partial<TcpLimits>, tls?: TlsIdentity) {
    this.#tls = tls;
    this.#localHost = localHost;
    this.#handlers = handlers;
    this.#limits = { ...defaults, ...limits };
  }

  get size(): number {
    return this.#byId.size;
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  /** Takes a connection that a peer opened. */
  accept(socket: Socket): void {
    const { remoteAddress: host, remotePort: port } = socket;
    if (this.#closed || this.size >= this.#limits.connections || host === undefined || port === undefined) {
      socket.destroy();
      return;
    }
    this.#add(socket, { proto: this.#proto, host, port }, Promise.resolve());
  }

  /** Sends to an address, over the connection there is or a new one. @throws when that fails */
  async send(bytes: Buffer, target: Target): Promise<void> {
    const known = this.#byAddress.get(key(target)) ?? this.#open(target);
    await known.ready;
    await this.#write(known, bytes);
  }

  /** Sends over one connection. @throws when it is gone */
  async sendOn(id: number, bytes: Buffer): Promise<void> {
    const connection = this.#byId.get(id);
    if (connection === undefined) throw new Error('connection is gone');
    await this.#write(connection, bytes);
  }

  /** Ends all of them. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const connection of [...this.#byId.values()]) this.#drop(connection);
  }

  get #proto(): 'tcp' | 'tls' {
    return this.#tls === undefined ? 'tcp' : 'tls';
  }

  #open(target: Target): Connection {
    if (this.size >= this.#limits.connections) throw new Error('too many connections');
    if (target.proto !== this.#proto) throw new Error(`${target.proto} is not spoken here`);
    const host = target.host.replace(/^\[|\]$/g, '');
    const wildcard = this.#localHost === '0.0.0.0' || this.#localHost === '::';
    const to = { host, port: target.port, ...(wildcard ? {} : { localAddress: this.#localHost }) };
    // A certificate is looked at for the name or address that was asked for; SNI is for names alone (RFC 6066, 3).
    const socket =
      this.#tls === undefined
        ? connect(to)
        : connectTls({ ...to, ...this.#tls, ...(isIP(host) === 0 ? { servername: host } : {}) });
    const ready = new Promise<void>((done, fail) => {
      const timer = setTimeout(
        () => socket.destroy(new Error('connecting took too long')),
        this.#limits.connectMs,
      );
      socket.once(this.#tls === undefined ? 'connect' : 'secureConnect', () => {
        clearTimeout(timer);
        done();
      });
      socket.once('error', fail);
      socket.once('close', () => {
        clearTimeout(timer);
        fail(new Error('connection closed'));
      });
    });
    return this.#add(socket, { proto: this.#proto, host: target.host, port: target.port }, ready);
  }

  #add(socket: Socket, target: Target, ready: Promise<void>): Connection {
    const id = ++this.#lastId;
    const flow = { ...target, connection: id };
    const connection: Connection = { id, socket, flow, ready, halfMessage: undefined };
    this.#byId.set(id, connection);
    this.#byAddress.set(key(target), connection);
    const framer = new StreamFramer();
    socket.setNoDelay(true);
    socket.setTimeout(this.#limits.idleMs, () => this.#drop(connection));
    // The close that follows an error does the rest; whoever was sending is told by write().
    socket.on('error', () => this.#drop(connection));
    socket.on('close', () => this.#drop(connection));
    socket.on('data', (bytes) => this.#data(connection, framer, bytes));
    return connection;
  }

  #data(connection: Connection, framer: StreamFramer, bytes: Buffer): void {
    const { flow, socket } = connection;
    try {
      for (const item of framer.push(bytes)) {
        if (item.kind === 'ping') socket.write('\r\n');
        else if (item.kind === 'malformed') this.#handlers.onMalformed(item.error, remote(flow, socket));
        else this.#handlers.onMessage(item.message, remote(flow, socket));
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#handlers.onMalformed(error, remote(flow, socket));
      this.#drop(connection);
      return;
    }
    clearTimeout(connection.halfMessage);
    connection.halfMessage = framer.unfinished
      ? setTimeout(() => this.#drop(connection), this.#limits.halfMessageMs)
      : undefined;
  }

  #write(connection: Connection, bytes: Buffer): Promise<void> {
    const { socket } = connection;
    if (socket.writableLength > this.#limits.unsent) {
      this.#drop(connection);
      return Promise.reject(new Error('peer does not read'));
    }
    return new Promise<void>((done, fail) => {
      socket.write(bytes, (error) => (error ? fail(error) : done()));
    });
  }

  #drop(connection: Connection): void {
    if (!this.#byId.delete(connection.id)) return;
    const address = key(connection.flow);
    if (this.#byAddress.get(address) === connection) this.#byAddress.delete(address);
    clearTimeout(connection.halfMessage);
    connection.socket.destroySoon(); // what was written still goes out
  }
}

/** The far end by its address, also when the connection was opened by name. */
function remote(flow: Flow, socket: Socket): Flow {
  return { ...flow, host: socket.remoteAddress ?? flow.host, port: socket.remotePort ?? flow.port };
}

function key(target: Target): string {
  return `${target.host.replace(/^\[|\]$/g, '').toLowerCase()}:${target.port}`;
}
