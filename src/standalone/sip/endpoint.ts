/**
 * The façade: one address, UDP and TCP, transactions in both directions.
 *
 * @example
 * const sip = await SipEndpoint.listen({ host: '127.0.0.1', port: 0 }, {
 *   onRequest: (tx) => {                        // a new request, in a dialog or not; never an ACK or a CANCEL
 *     tx.handlers = { onCancel: () => tx.reply(487) };   // 100 Trying to an INVITE is sent already
 *     tx.reply(180);
 *     const answer = SipResponse.to(tx.request, 200, { toTag: tx.localTag, headers: [['Contact', `<${sip.uri('udp')}>`]],
 *       body: sdp, contentType: 'application/sdp' });
 *     tx.respond(answer);
 *     stop = repeatAnswer(sip.clock, sip.timers, () => tx.respond(answer), () => hangUp());
 *   },
 *   onAck: (ack) => stop(),                     // the ACK to a 2xx
 * });
 * const invite = sip.request(SipRequest.create('INVITE', ...), {    // goes to its Route, else to its Request-URI
 *   onResponse: (response) => {                 // 1xx, each 2xx, the failure (ACKed by the transaction)
 *     if (response.status >= 200 && response.status < 300) void sip.sendRequest(ackFor2xx);
 *   },
 *   onFailure: (cause) => {},                   // 'timeout' (408) or 'transport' (503)
 * });
 * invite.cancel();                              // waits for the first provisional by itself
 * await sip.close();                            // idempotent
 */
import { createHash } from 'node:crypto';
import { ClientTransaction, type ClientHandlers } from './client-transaction.js';
import { systemClock, type Clock } from './clock.js';
import { newBranch, newTag } from './ids.js';
import { SipRequest, SipResponse } from './message.js';
import { ParseError } from './parse-error.js';
import { ServerTransaction } from './server-transaction.js';
import { splitOutside } from './params.js';
import { nextHop } from './target.js';
import { standardTimers, type TimerBase } from './timers.js';
import type { Flow, Proto, Target } from './flow.js';
import { SipTransport, type TransportOptions } from './transport.js';
import { magicCookie, Via } from './via.js';

export interface EndpointHandlers {
  /** A new request other than ACK and CANCEL. */
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that belongs to no failure: the one to a 2xx. */
  onAck?(ack: SipRequest, flow: Flow): void;
  /**
   * A response that no transaction waits for: to something that was sent without one (`sendRequest`), or the answer of a
   * callee whom a proxy before him had cancelled and refused in his name.
   */
  onResponse?(response: SipResponse, flow: Flow): void;
  /**
   * Asked before a transaction is made, for every request that matches none (ACK and CANCEL too). True: it was dealt
   * with statelessly.
   */
  intercept?(request: SipRequest, flow: Flow): boolean;
  /** A handler threw, or a stateless message could not be sent. Never has a header's value in it. */
  onTrouble?(what: string, error: Error): void;
}

export interface EndpointOptions extends TransportOptions {
  /** Our 100 to an INVITE holds the top Via alone, as FreeSWITCH's does: a proxy before us takes no notice of it. */
  readonly shortTrying?: boolean;
  /** The host in our Via, when it is not the one we listen on. */
  readonly announce?: string;
  readonly clock?: Clock;
  readonly timers?: Partial<TimerBase>;
}

export class SipEndpoint {
  readonly clock: Clock;
  readonly timers: TimerBase;
  /** What our Via and Contact say; IPv6 in brackets. */
  readonly host: string;
  readonly #handlers: EndpointHandlers;
  readonly #shortTrying: boolean;
  readonly #secure: boolean;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  #transport: SipTransport | undefined;

  private constructor(options: EndpointOptions, handlers: EndpointHandlers) {
    const clock = options.clock ?? systemClock;
    this.clock = {
      now: () => clock.now(),
      after: (ms, action) => clock.after(ms, () => this.#guard('timer', action)),
    };
    this.timers = { ...standardTimers, ...options.timers };
    const host = options.announce ?? options.host;
    this.host = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
    this.#handlers = handlers;
    this.#shortTrying = options.shortTrying === true;
    this.#secure = options.tls !== undefined;
  }

  /** Binds both sockets and starts. @throws the system's error when the address cannot be had */
  static async listen(options: EndpointOptions, handlers: EndpointHandlers): Promise<SipEndpoint> {
    const endpoint = new SipEndpoint(options, handlers);
    endpoint.#transport = await SipTransport.listen(options, {
      onMessage: (message, flow) => endpoint.#guard('message', () => endpoint.#receive(message, flow)),
      onMalformed: (error, flow) => endpoint.#guard('malformed', () => endpoint.#refuse(error, flow)),
    });
    return endpoint;
  }

  get transport(): SipTransport {
    if (this.#transport === undefined) throw new Error('endpoint is not listening');
    return this.#transport;
  }

  get port(): number {
    return this.transport.port;
  }

  /** How many transactions live, for tests and leak checks. */
  get transactions(): { readonly client: number; readonly server: number } {
    return { client: this.#clients.size, server: this.#servers.size };
  }

  /** Our own URI for a Contact or a Record-Route, with `transport=tcp` where that is so. */
  uri(proto: Proto, user?: string): string {
    const at = user === undefined ? '' : `${user}@`;
    return `sip:${at}${this.host}:${this.port}${proto === 'udp' ? '' : `;transport=${proto}`}`;
  }

  /** A Via value of ours. */
  via(proto: Proto, branch = newBranch()): string {
    return `SIP/2.0/${proto.toUpperCase()} ${this.host}:${this.port};branch=${branch};rport`;
  }

  /** True when a host and port are this endpoint's. */
  isSelf(host: string, port: number | undefined): boolean {
    const name = host.toLowerCase();
    return (port ?? 5060) === this.port && (name === this.host.toLowerCase() || name === this.transport.host);
  }

  /**
   * Starts a client transaction; our Via is put on top. Not for ACK.
   * @param target where to; the request's next hop when left out
   * @throws ParseError 416 when there is no target that we can speak to
   */
  request(
    request: SipRequest,
    handlers: ClientHandlers,
    target = nextHop(request, this.#secure),
  ): ClientTransaction {
    if (target === undefined) throw new ParseError(416, 'No target that can be reached', request.method);
    return this.#start(request.withFirst('Via', this.via(target.proto)), target, handlers);
  }

  /**
   * Sends a request without a transaction: the ACK to a 2xx, or one that is forwarded statelessly. Our Via is put on
   * top. @throws when it cannot be sent
   */
  async sendRequest(
    request: SipRequest,
    target = nextHop(request, this.#secure),
    branch?: string,
  ): Promise<void> {
    if (target === undefined) throw new ParseError(416, 'No target that can be reached', request.method);
    await this.transport.send(request.withFirst('Via', this.via(target.proto, branch)).toBuffer(), target);
  }

  /** Sends a response without a transaction, as its top Via asks. @throws when it cannot be sent */
  async sendResponse(response: SipResponse, flow?: Flow): Promise<void> {
    await this.transport.sendResponse(response, flow);
  }

  /** Ends all transactions and closes the sockets. Idempotent. */
  async close(): Promise<void> {
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()]) transaction.close();
    await this.transport.close();
  }

  #start(request: SipRequest, target: Target, handlers: ClientHandlers): ClientTransaction {
    const key = clientKey(request.topVia, request.cseq.method);
    const ground = {
      clock: this.clock,
      timers: this.timers,
      reliable: target.proto !== 'udp',
      send: (message: SipRequest, to: Target) => this.transport.send(message.toBuffer(), to),
      cancel: (cancel: SipRequest, to: Target) =>
        void this.#start(cancel, to, { onResponse: () => undefined }),
    };
    const guarded: ClientHandlers = {
      onResponse: (response, flow) => this.#guard('onResponse', () => handlers.onResponse(response, flow)),
      onFailure: (cause, error) => this.#guard('onFailure', () => handlers.onFailure?.(cause, error)),
      onEnd: () => this.#guard('onEnd', () => handlers.onEnd?.()),
    };
    const transaction = new ClientTransaction(request, target, ground, guarded, () =>
      this.#clients.delete(key),
    );
    this.#clients.set(key, transaction);
    transaction.begin();
    return transaction;
  }

  #receive(message: SipRequest | SipResponse, flow: Flow): void {
    if (message.kind === 'request') {
      this.#receiveRequest(message, flow);
      return;
    }
    const via = message.topVia;
    const transaction = this.#clients.get(clientKey(via, message.cseq.method));
    if (transaction?.receive(message, flow) === true) return;
    // Section 18.1.2: a response whose top Via is not ours was never meant for us.
    if (this.isSelf(via.host, via.port)) this.#handlers.onResponse?.(message, flow);
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    const own = this.#servers.get(serverKey(request, request.method));
    if (request.method === 'ACK') {
      if (own?.receive('ack') === true) return;
      if (this.#handlers.intercept?.(request, flow) === true) return;
      // In Completed or Confirmed it is the repeated ACK to a failure (section 17.2.1).
      if (own === undefined || own.state === 'accepted') this.#handlers.onAck?.(request, flow);
      return;
    }
    if (own !== undefined) {
      own.receive('request');
      return;
    }
    if (request.method === 'CANCEL') {
      this.#cancel(request, flow);
      return;
    }
    if (this.#handlers.intercept?.(request, flow) === true) return;
    const transaction = this.#serve(request, flow);
    if (request.method === 'INVITE') transaction.respond(this.#trying(request));
    this.#handlers.onRequest(transaction);
  }

  /** 100 to an INVITE, with all its Vias or only with the topmost. */
  #trying(request: SipRequest): SipResponse {
    const trying = SipResponse.to(request, 100);
    const [top] = request.getAll('Via').flatMap((value) => splitOutside(value, ','));
    return this.#shortTrying && top !== undefined ? trying.without('Via').withFirst('Via', top) : trying;
  }

  /** Section 9.2. */
  #cancel(cancel: SipRequest, flow: Flow): void {
    const invite = this.#servers.get(serverKey(cancel, 'INVITE'));
    if (invite === undefined && this.#handlers.intercept?.(cancel, flow) === true) return;
    const transaction = this.#serve(cancel, flow);
    if (invite === undefined) {
      transaction.reply(481);
      return;
    }
    transaction.respond(SipResponse.to(cancel, 200, { toTag: invite.localTag }));
    if (invite.state === 'proceeding') invite.handlers.onCancel?.(cancel);
  }

  #serve(request: SipRequest, flow: Flow): ServerTransaction {
    const key = serverKey(request, request.method);
    const ground = {
      clock: this.clock,
      timers: this.timers,
      reliable: flow.proto !== 'udp',
      sendResponse: (response: SipResponse, to: Flow) => this.transport.sendResponse(response, to),
    };
    const transaction = new ServerTransaction(request, flow, ground, () => this.#servers.delete(key));
    this.#servers.set(key, transaction);
    return transaction;
  }

  /** Answers what could not be read, when enough of it could. */
  #refuse(error: ParseError, flow: Flow): void {
    if (error.method === undefined || error.method === 'ACK') return;
    const broken = new SipRequest(error.method, 'sip:invalid', {
      headers: error.headers,
      body: Buffer.alloc(0),
    });
    const needed = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];
    if (!needed.every((name) => broken.has(name))) return;
    try {
      const via = broken.topVia.withSource(flow.host, flow.port);
      const marked = broken.withoutFirst('Via').withFirst('Via', via.toString());
      const response = SipResponse.to(marked, error.status, {
        reason: error.message,
        ...(hasReadableTo(marked) && { toTag: newTag() }),
      });
      this.#detached('refusal', this.sendResponse(response, flow));
    } catch (unreadable) {
      // Not even its Via can be read: there is nowhere to answer to.
      if (!(unreadable instanceof ParseError)) throw unreadable;
    }
  }

  #detached(what: string, sending: Promise<void>): void {
    sending.catch((error: unknown) => this.#trouble(what, error));
  }

  #guard(what: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#trouble(what, error);
    }
  }

  #trouble(what: string, error: unknown): void {
    this.#handlers.onTrouble?.(what, error instanceof Error ? error : new Error(String(error)));
  }
}

/** A To that cannot be read goes back as it came: a tag has no place in it. */
function hasReadableTo(request: SipRequest): boolean {
  try {
    return request.to.uri !== '';
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

function clientKey(via: Via, method: string): string {
  return `${via.branch ?? ''}|${method}`;
}

/** Section 17.2.3; for a branch without the cookie, the RFC 2543 way by everything that does not change. */
function serverKey(request: SipRequest, method: string): string {
  const kind = method === 'ACK' ? 'INVITE' : method;
  const via = request.topVia;
  if (via.branch?.startsWith(magicCookie) === true) return `${via.branch}|${via.sentBy}|${kind}`;
  const parts = [request.uri, request.callId, request.fromTag, request.cseq.number, via.toString()];
  return `${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}|${kind}`;
}
