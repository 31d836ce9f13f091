/**
 * SIP over UDP and TCP, or UDP and TLS, on one address and one port (RFC 3261 section 18).
 *
 * @example
 * const transport = await SipTransport.listen({ host: '127.0.0.1', port: 0 }, {
 *   onMessage: (message, flow) => {},          // a Via of a request has received/rport already
 *   onMalformed: (error, flow) => {},          // ParseError; answer with flow if it has headers enough
 * });
 * await transport.send(request.toBuffer(), { proto: 'udp', host: '127.0.0.1', port: 5070 });
 * await transport.sendResponse(response, flow); // by section 18.2.2 and RFC 3581
 * await transport.close();                      // idempotent
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { SipRequest, SipResponse } from './message.js';
import type { Flow, Target, TlsIdentity, TransportHandlers } from './flow.js';
import { ParseError } from './parse-error.js';
import { parseMessage } from './parse.js';
import { TcpConnections, type TcpLimits } from './tcp-connections.js';

export interface TransportOptions {
  readonly host: string;
  /** 0 takes any port that is free for both. */
  readonly port: number;
  readonly tcp?: Partial<TcpLimits>;
  /** Given, streams are TLS alone, and who connects has to have a certificate too (RFC 3261, 26.3). */
  readonly tls?: TlsIdentity;
}

/** How a 0 port is tried: UDP gets the port that TCP got, and that may be taken. */
const portAttempts = 20;

export class SipTransport {
  readonly host: string;
  readonly port: number;
  readonly #udp: UdpSocket;
  readonly #server: Server;
  readonly #connections: TcpConnections;
  readonly #handlers: TransportHandlers;
  #closing: Promise<void> | undefined;

  private constructor(
    bound: { host: string; port: number; udp: UdpSocket; server: Server },
    handlers: TransportHandlers,
    { tcp: limits = {}, tls }: TransportOptions,
  ) {
    this.host = bound.host;
    this.port = bound.port;
    this.#udp = bound.udp;
    this.#server = bound.server;
    this.#handlers = handlers;
    this.#connections = new TcpConnections(
      bound.host,
      {
        onMessage: (message, flow) => this.#take(message, flow),
        onMalformed: (error, flow) => handlers.onMalformed(error, flow),
      },
      limits,
      tls,
    );
    this.#udp.on('message', (bytes, from) => this.#datagram(bytes, from));
    // An error on the socket (ICMP, a full buffer) belongs to one message; send() reports its own.
    this.#udp.on('error', () => undefined);
    this.#server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) =>
      this.#connections.accept(socket),
    );
  }

  /** Binds both sockets. @throws the system's error (EADDRINUSE, EACCES, ...) */
  static async listen(options: TransportOptions, handlers: TransportHandlers): Promise<SipTransport> {
    for (let attempt = 1; ; attempt++) {
      const server = options.tls
        ? createTlsServer({ ...options.tls, requestCert: true, rejectUnauthorized: true })
        : createServer({ noDelay: true });
      const port = await listenTcp(server, options);
      try {
        const udp = await bindUdp(options.host, port);
        return new SipTransport({ host: options.host, port, udp, server }, handlers, options);
      } catch (error) {
        await new Promise<void>((done) => server.close(() => done()));
        if (options.port !== 0 || attempt >= portAttempts) throw error;
      }
    }
  }

  /** Sends bytes. TCP takes an open connection to that address, else opens one. @throws when sending failed */
  async send(bytes: Buffer, target: Flow): Promise<void> {
    if (this.#closing !== undefined) throw new Error('transport is closed');
    if (target.proto !== 'udp') return this.#connections.send(bytes, target);
    return new Promise<void>((done, fail) => {
      const host = target.host.replace(/^\[|\]$/g, '');
      this.#udp.send(bytes, target.port, host, (error) => (error ? fail(error) : done()));
    });
  }

  /**
   * Sends a response the way its top Via asks (RFC 3261 section 18.2.2, RFC 3581 section 4): over the connection
   * that the request came by if that is open, else to received/rport, else to sent-by.
   */
  async sendResponse(response: SipResponse, flow?: Flow): Promise<void> {
    const bytes = response.toBuffer();
    if (flow?.connection !== undefined && this.#connections.has(flow.connection)) {
      return this.#connections.sendOn(flow.connection, bytes);
    }
    return this.send(bytes, responseTarget(response));
  }

  /** Open TCP connections, for tests and for the curious. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Closes sockets and connections. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      const closed = new Promise<void>((done) => this.#server.close(() => done()));
      this.#connections.close();
      await Promise.all([closed, new Promise<void>((done) => this.#udp.close(() => done()))]);
    })();
    return this.#closing;
  }

  #datagram(bytes: Buffer, from: RemoteInfo): void {
    const flow: Flow = { proto: 'udp', host: from.address, port: from.port };
    let message;
    try {
      message = parseMessage(bytes);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#handlers.onMalformed(error, flow);
      return;
    }
    if (message !== undefined) this.#take(message, flow);
  }

  #take(message: SipRequest | SipResponse, flow: Flow): void {
    if (message.kind === 'response') {
      this.#handlers.onMessage(message, flow);
      return;
    }
    const via = message.topVia.withSource(flow.host, flow.port);
    const marked = message.withoutFirst('Via').withFirst('Via', via.toString());
    const content = {
      headers: marked.headers,
      body: message.body,
      raw: message.raw,
      encoding: message.encoding,
    };
    this.#handlers.onMessage(new SipRequest(message.method, message.uri, content), flow);
  }
}

/** Where a response goes when no connection leads back. @throws ParseError 400 */
export function responseTarget(response: SipResponse): Target {
  const via = response.topVia;
  const proto = via.transport === 'TCP' ? 'tcp' : via.transport === 'TLS' ? 'tls' : 'udp';
  const rport = via.param('rport');
  const byRport = proto === 'udp' && rport !== undefined && rport !== '' ? Number(rport) : undefined;
  return {
    proto,
    host: via.param('received') ?? via.host,
    port: byRport ?? via.port ?? (proto === 'tls' ? 5061 : 5060),
  };
}

async function listenTcp(server: Server, options: TransportOptions): Promise<number> {
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', fail);
      done();
    });
  });
  server.on('error', () => undefined); // a failed accept (EMFILE) ends that connection only
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

async function bindUdp(host: string, port: number): Promise<UdpSocket> {
  const udp = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  await new Promise<void>((done, fail) => {
    udp.once('error', fail);
    udp.bind({ address: host, port, exclusive: true }, () => {
      udp.off('error', fail);
      done();
    });
  });
  return udp;
}
