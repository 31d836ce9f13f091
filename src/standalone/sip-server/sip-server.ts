/**
 * A stand-in for drachtio-server on machines that have none: SIP on UDP and TCP, drachtio's control port for the
 * application, a proxy with Record-Route. What it leaves out is in LIMITS.md.
 *
 * @example
 * const server = await SipServer.start({ sip: { host: '127.0.0.1', port: 5060 },
 *   control: { host: '127.0.0.1', port: 9022 }, secret, key, log });
 * await server.close();
 */
import type { Clock } from '../sip/clock.js';
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
  private readonly relay: InDialogRelay;
  readonly #sip: SipEndpoint;
  #control: ControlPort | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: SipServerOptions, sip: SipEndpoint) {
    this.#options = options;
    this.#sip = sip;
    this.#signatures = new RouteSignatures(options.key);
    this.#records = new CallRecords(() => this.#controlPort(), sip.clock);
    this.#pending = new PendingRequests(() => sip, this.#records);
    const trouble = (what: string, error: unknown): void => this.trouble(what, error);
    this.relay = new InDialogRelay(() => sip, this.#signatures, this.#records, sip.clock, trouble);
  }

  /** Binds both addresses. @throws the system's error when one cannot be had */
  static async start(options: SipServerOptions): Promise<SipServer> {
    let server: SipServer | undefined;
    const sip = await SipEndpoint.listen(
      {
        ...options.sip,
        ...(options.clock === undefined ? {} : { clock: options.clock }),
        ...(options.timers === undefined ? {} : { timers: options.timers }),
      },
      {
        onRequest: (transaction) => server?.receive(transaction),
        intercept: (request, flow) => server === undefined || server.relay.take(request, flow),
        onResponse: (response) => server?.relay.answer(response),
        onTrouble: (what, error) => server?.trouble(what, error),
      },
    );
    server = new SipServer(options, sip);
    try {
      const hostPorts = `tcp/${sip.host}:${sip.port},udp/${sip.host}:${sip.port}`;
      const started = server;
      server.#control = await ControlPort.listen(options.control, options.secret, {
        onSip: (from, id, frame) => started.#obey(from, id, () => started.#sipFrame(from, id, frame)),
        onProxy: (from, id, frame) => started.#obey(from, id, () => started.#proxyFrame(from, id, frame)),
        hostPorts: () => hostPorts,
      });
    } catch (error) {
      await sip.close();
      throw error;
    }
    return server;
  }

  get sipAddress(): Address {
    return { host: this.#sip.host, port: this.#sip.port };
  }

  get controlAddress(): Address {
    return { host: this.#options.control.host, port: this.#controlPort().port };
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
      await this.#controlPort().close();
      await this.#sip.close();
    })();
    return this.#closing;
  }

  /** A request from the network that belongs to no dialog which passes through us. */
  private receive(transaction: ServerTransaction): void {
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
    const application = this.#controlPort().choose(request.method.toLowerCase());
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
      trouble: (what: string, error: unknown) => this.trouble(what, error),
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
      this.trouble('application', error);
      from.reply(id, ['NOK', 'Server error']);
    }
  }

  #controlPort(): ControlPort {
    if (this.#control === undefined) throw new Error('control port is not open');
    return this.#control;
  }

  private trouble(what: string, error: unknown): void {
    this.#options.log('trouble', { what, error: error instanceof Error ? error.message : String(error) });
  }
}
