/**
 * A stand-in for drachtio-server on machines that have none: SIP on UDP and TCP, drachtio's control port for the
 * application, a proxy with Record-Route. What it leaves out is in LIMITS.md.
 *
 * @example
 * const server = await SipServer.start({ sip: { host: '127.0.0.1', port: 5060 },
 *   control: { host: '127.0.0.1', port: 9022 }, secret, key, log });
 * await server.close();
 */
import { systemClock, type Clock } from '../sip/clock.js';
import { SipEndpoint } from '../sip/endpoint.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import type { TimerBase } from '../sip/timers.js';
import type { Log } from '../log.js';
import { readApplicationText } from './application-text.js';
import { sendForApplication } from './application-requests.js';
import { CallRecords } from './call-records.js';
import { describe, type ControlConnection } from './control-connection.js';
import type { Frame } from './control-frame.js';
import { ControlPort } from './control-port.js';
import { InDialogRelay } from './in-dialog.js';
import { PendingRequests } from './pending-requests.js';
import { OrderError, readProxyOrder } from './proxy-order.js';
import { ProxiedRequest, timerCMs } from './proxied-request.js';
import { refusalOf, MergedRequests } from './request-checks.js';
import { RouteSignatures } from './route-signature.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface SipServerOptions {
  readonly sip: Address;
  readonly control: Address;
  /** What applications must say on the control port. */
  readonly secret: string;
  /** Signs Record-Routes; a restarted server needs the same one to know its calls. */
  readonly key: Buffer;
  readonly log: Log;
  readonly clock?: Clock;
  readonly timers?: Partial<TimerBase>;
  /** Timer C in milliseconds; 185 s, as the real server has it. */
  readonly timerCMs?: number;
}

export class SipServer {
  readonly #options: SipServerOptions;
  readonly #signatures: RouteSignatures;
  readonly #merged = new MergedRequests();
  readonly #records: CallRecords;
  readonly #pending: PendingRequests;
  readonly #relay: InDialogRelay;
  #endpoint: SipEndpoint | undefined;
  #port: ControlPort | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: SipServerOptions) {
    const clock = options.clock ?? systemClock;
    const trouble = (what: string, error: unknown): void => this.#trouble(what, error);
    this.#options = options;
    this.#signatures = new RouteSignatures(options.key);
    this.#records = new CallRecords(() => this.#control, clock);
    this.#pending = new PendingRequests(() => this.#sip, this.#records);
    this.#relay = new InDialogRelay(() => this.#sip, this.#signatures, this.#records, clock, trouble);
  }

  /** Binds both addresses. @throws the system's error when one cannot be had */
  static async start(options: SipServerOptions): Promise<SipServer> {
    const server = new SipServer(options);
    server.#endpoint = await SipEndpoint.listen(
      {
        ...options.sip,
        ...(options.clock === undefined ? {} : { clock: options.clock }),
        ...(options.timers === undefined ? {} : { timers: options.timers }),
      },
      {
        onRequest: (transaction) => server.#receive(transaction),
        intercept: (request, flow) => server.#relay.take(request, flow),
        onResponse: (response) => server.#relay.answer(response),
        onTrouble: (what, error) => server.#trouble(what, error),
      },
    );
    try {
      const { host, port } = server.sipAddress;
      server.#port = await ControlPort.listen(options.control, options.secret, {
        onSip: (from, id, frame) => server.#obey(from, id, () => server.#sipFrame(from, id, frame)),
        onProxy: (from, id, frame) => server.#obey(from, id, () => server.#proxyFrame(from, id, frame)),
        hostPorts: () => `tcp/${host}:${port},udp/${host}:${port}`,
      });
    } catch (error) {
      await server.#endpoint.close();
      throw error;
    }
    return server;
  }

  get sipAddress(): Address {
    return { host: this.#sip.host, port: this.#sip.port };
  }

  get controlAddress(): Address {
    return { host: this.#options.control.host, port: this.#control.port };
  }

  /** What is alive, for leak checks. */
  get counts(): {
    readonly client: number;
    readonly server: number;
    readonly pending: number;
    readonly tcp: number;
  } {
    return {
      ...this.#sip.transactions,
      pending: this.#pending.size,
      tcp: this.#sip.transport.connections,
    };
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#control.close();
      await this.#sip.close();
      this.#records.close();
    })();
    return this.#closing;
  }

  /** A request from the network that belongs to no dialog which passes through us. */
  #receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      transaction.reply(refusal.status, { headers: refusal.headers });
      return;
    }
    if (!this.#merged.enter(transaction, (host, port) => this.#sip.isSelf(host, port))) {
      transaction.reply(482);
      return;
    }
    const application = this.#control.choose(request.method.toLowerCase());
    if (application === undefined) {
      transaction.reply(503);
      return;
    }
    this.#pending.hand(transaction, application);
  }

  /** Section 4 of the protocol: content decides, in this order. */
  #sipFrame(from: ControlConnection, id: string, frame: Frame): void {
    const [, , transactionId = '', dialogId = '', route = ''] = frame.fields;
    const text = readApplicationText(frame.sip, `${this.#sip.host}:${this.#sip.port}`);
    if (text.kind === 'response') {
      this.#pending.answer(transactionId, text, from, id);
      return;
    }
    if (text.method === 'ACK') {
      throw new OrderError(
        'Server error: ACK for non-success final response is automatically generated by server',
      );
    }
    if (dialogId !== '') throw new OrderError('Server error: unable to find dialog for dialog id provided');
    if (transactionId !== '')
      throw new OrderError(`unable to cancel unknown transaction id: ${transactionId}`);
    sendForApplication(this.#sip, text, route, from, id);
  }

  /** Section 6 of the protocol. */
  #proxyFrame(from: ControlConnection, id: string, frame: Frame): void {
    const order = readProxyOrder(frame);
    const transaction = this.#pending.take(order.transactionId);
    if (transaction.request.maxForwards === 0) {
      transaction.reply(483);
      throw new OrderError('too many hops');
    }
    const ground = {
      sip: this.#sip,
      signatures: this.#signatures,
      records: this.#records,
      timerCMs: this.#options.timerCMs ?? timerCMs,
      trouble: (what: string, error: unknown) => this.#trouble(what, error),
    };
    const proxied = new ProxiedRequest(ground, transaction, order, {
      branchEnded: (response, flow) => {
        if (!order.fullResponse) return;
        const facts = describe('network', response.raw?.length ?? 0, flow.proto, flow.host, flow.port);
        from.reply(id, ['OK', ...facts, '', '', 'continue'], response.toBuffer());
      },
      done: () => {
        if (order.fullResponse) from.reply(id, ['OK', 'done']);
      },
    });
    if (!order.fullResponse) from.reply(id, ['OK', 'done']);
    proxied.start();
  }

  #obey(from: ControlConnection, id: string, order: () => void): void {
    try {
      order();
    } catch (error) {
      if (error instanceof OrderError) {
        from.reply(id, ['NOK', error.message.replace(/[|\r\n]/g, ' ')]);
        return;
      }
      this.#trouble('application', error);
      from.reply(id, ['NOK', 'Server error']);
    }
  }

  get #sip(): SipEndpoint {
    if (this.#endpoint === undefined) throw new Error('not listening');
    return this.#endpoint;
  }

  get #control(): ControlPort {
    if (this.#port === undefined) throw new Error('control port is not open');
    return this.#port;
  }

  #trouble(what: string, error: unknown): void {
    this.#options.log('trouble', { what, error: error instanceof Error ? error.message : String(error) });
  }
}
