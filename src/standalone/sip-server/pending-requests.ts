import { randomUUID } from 'node:crypto';
import type { SipEndpoint } from '../sip/endpoint.js';
import { NameAddr } from '../sip/name-addr.js';
import { ParseError } from '../sip/parse-error.js';
import { SipResponse } from '../sip/message.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import { headerKey } from '../sip/header-names.js';
import { textHeader, type ApplicationText } from './application-text.js';
import type { CallRecords } from './call-records.js';
import { describe, type ControlConnection } from './control-connection.js';
import { OrderError } from './proxy-order.js';

/** A request that no application answered in this time is forgotten, without a word to the caller. */
export const forgetMs = 64_000;

/** What the transaction decides, whatever an application writes. */
const copied = new Set(['from', 'to', 'call-id', 'cseq']);

interface Pending {
  readonly transaction: ServerTransaction;
  readonly connection: ControlConnection;
  readonly stopForgetting: () => void;
  answered: boolean;
}

/** Requests from the network that an application has in its hands, by the transaction id it knows. */
export class PendingRequests {
  readonly #sip: () => SipEndpoint;
  readonly #records: CallRecords;
  readonly #byId = new Map<string, Pending>();

  constructor(sip: () => SipEndpoint, records: CallRecords) {
    this.#sip = sip;
    this.#records = records;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Hands a new request to an application. */
  hand(transaction: ServerTransaction, connection: ControlConnection): void {
    const id = randomUUID();
    const sip = this.#sip();
    const { request, flow } = transaction;
    const stopForgetting = sip.clock.after(forgetMs, () => transaction.close());
    this.#byId.set(id, { transaction, connection, stopForgetting, answered: false });
    transaction.handlers = {
      onEnd: () => this.#forget(id),
      onCancel: (cancel) => {
        const dialogId = this.#byId.get(id)?.answered === true ? dialogIdOf(transaction) : '';
        this.#forget(id);
        transaction.reply(487);
        const bytes = cancel.raw?.length ?? 0;
        const head = [
          'sip',
          ...describe('network', bytes, flow.proto, flow.host, flow.port),
          id,
          dialogId,
          '',
        ];
        connection.tell(head, cancel.toBuffer());
        this.#records.stop('network', 'call-canceled', cancel);
      },
    };
    const bytes = request.raw?.length ?? 0;
    const head = ['sip', ...describe('network', bytes, flow.proto, flow.host, flow.port), id, ''];
    connection.tell([...head, sip.host, sip.port, ''], request.toBuffer());
    if (request.method === 'INVITE') this.#records.attempt('network', request);
  }

  /** Takes a request out of an application's hands, to be proxied. @throws OrderError when there is none */
  take(id: string): ServerTransaction {
    const pending = this.#byId.get(id);
    if (pending === undefined) throw new OrderError('unable to find transaction');
    this.#forget(id);
    return pending.transaction;
  }

  /**
   * Sends an application's response and tells it what was sent.
   * @throws OrderError with the text of the NOK
   */
  answer(
    id: string,
    text: ApplicationText & { kind: 'response' },
    from: ControlConnection,
    requestId: string,
  ): void {
    const pending = this.#byId.get(id);
    if (pending === undefined) throw new OrderError('Response not sent due to unknown transaction');
    const { transaction } = pending;
    const { request, flow } = transaction;
    const { status, rest } = text;
    if (status < 200 && /\b100rel\b/i.test(textHeader(rest, 'Require') ?? '')) {
      throw new OrderError('Remote endpoint does not support 100rel');
    }
    if (status >= 200 && status < 300 && ['INVITE', 'SUBSCRIBE'].includes(request.method)) {
      // The caller must not wait for an answer that will never come.
      this.#forget(id);
      transaction.reply(501);
      throw new OrderError('dialogs of the server are not supported');
    }
    if (!pending.answered && status > 100) this.#takeTag(transaction, textHeader(rest, 'To'));
    const response = SipResponse.to(request, status, {
      ...(text.reason === '' ? {} : { reason: text.reason }),
      ...(status === 100 ? {} : { toTag: transaction.localTag }),
      headers: rest.headers
        .filter((h) => !copied.has(headerKey(h.name)))
        .map((h) => [h.name, h.value] as const),
      ...(rest.contentType === undefined ? {} : { body: rest.body, contentType: rest.contentType }),
    });
    if (!transaction.respond(response)) throw new OrderError('Response not sent due to unknown transaction');
    if (status > 100) pending.answered = true;
    if (status >= 200) this.#forget(id);
    const sent = response.toBuffer();
    const facts = describe('application', sent.length, flow.proto, flow.host, flow.port);
    const dialogId = request.method === 'INVITE' ? dialogIdOf(transaction) : '';
    from.reply(requestId, ['OK', ...facts, id, dialogId, '', 'Msg sent:', ''], sent);
    if (status >= 300 && request.method === 'INVITE')
      this.#records.stop('application', 'call-rejected', response);
  }

  #takeTag(transaction: ServerTransaction, to: string | undefined): void {
    if (to === undefined || transaction.request.toTag !== undefined) return;
    try {
      transaction.localTag = NameAddr.parse(to).param('tag') || transaction.localTag;
    } catch (error) {
      if (error instanceof ParseError) throw new OrderError('malformed To');
      throw error;
    }
  }

  #forget(id: string): void {
    this.#byId.get(id)?.stopForgetting();
    this.#byId.delete(id);
  }
}

/** As the real server names a dialog: by Call-ID and the tag of whoever sent the first request. */
function dialogIdOf({ request }: ServerTransaction): string {
  return `${request.callId};from-tag=${request.fromTag ?? ''}`;
}
