import type { FailureCause } from './client-transaction.js';
import { newTag } from './ids.js';
import { Machine, type MachineGround } from './machine.js';
import { SipRequest, SipResponse, type HeaderPairs } from './message.js';
import {
  inviteServer,
  otherServer,
  type TransactionEvent,
  type TransactionState,
} from './transaction-tables.js';
import type { Flow } from './flow.js';

/** What the user of a server transaction may want to hear. Set them in `onRequest`. */
export interface ServerHandlers {
  /** The caller cancels; 200 to the CANCEL is sent already. The user answers the INVITE with 487. */
  onCancel?(cancel: SipRequest): void;
  /** No ACK to a failure came within timer H, or a response could not be sent. */
  onFailure?(cause: FailureCause, error?: Error): void;
  /** The transaction is over and forgotten. */
  onEnd?(): void;
}

export interface ServerGround extends MachineGround {
  sendResponse(response: SipResponse, flow: Flow): Promise<void>;
}

/** One request of theirs and our answers (RFC 3261 section 17.2). Given by `SipEndpoint`'s onRequest. */
export class ServerTransaction {
  readonly request: SipRequest;
  readonly flow: Flow;
  /** The To tag of our responses (section 8.2.6.2: the same in all); may be replaced before the first of them. */
  localTag: string;
  /** What the user wants to hear; may be replaced at any time. */
  handlers: ServerHandlers = {};
  readonly #ground: ServerGround;
  readonly #machine: Machine;
  readonly #whenOver: (() => void)[] = [];
  #last: SipResponse | undefined;
  #lastError: Error | undefined;

  constructor(request: SipRequest, flow: Flow, ground: ServerGround, onEnd: () => void) {
    this.request = request;
    this.flow = flow;
    this.localTag = request.toTag ?? newTag();
    this.#ground = ground;
    const nothing = (): void => undefined;
    const effects = {
      send: () => this.#transmit(),
      ack: nothing,
      user: nothing,
      timeout: () => this.handlers.onFailure?.('timeout'),
      broken: () => this.handlers.onFailure?.('transport', this.#lastError),
    };
    this.#machine = new Machine(
      request.method === 'INVITE' ? inviteServer : otherServer,
      ground,
      effects,
      () => {
        onEnd();
        for (const tell of this.#whenOver.splice(0)) tell();
        this.handlers.onEnd?.();
      },
    );
  }

  get state(): TransactionState {
    return this.#machine.state;
  }

  /** The last response given, undefined before the first. */
  get lastResponse(): SipResponse | undefined {
    return this.#last;
  }

  /**
   * Sends a response. It is repeated as section 17.2 says; a 2xx to an INVITE is not: its repetition until the ACK
   * is the user's (`repeatAnswer`), by calling this again.
   * @returns false when it is too late for it (another final response was sent, the transaction is over)
   */
  respond(response: SipResponse): boolean {
    const event: TransactionEvent = response.status < 200 ? '1xx' : response.status < 300 ? '2xx' : 'fail';
    if (!this.#machine.can(event)) return false;
    this.#last = response;
    return this.#machine.fire(event);
  }

  /** Makes a response by `SipResponse.to` with our To tag and sends it. See `respond`. */
  reply(
    status: number,
    options: { reason?: string; headers?: HeaderPairs; body?: Buffer | string; contentType?: string } = {},
  ): boolean {
    const tag = status === 100 ? {} : { toTag: this.localTag };
    return this.respond(SipResponse.to(this.request, status, { ...options, ...tag }));
  }

  /** The request came again, or the ACK to a failure did. @returns false when the state has no use for it */
  receive(event: 'request' | 'ack'): boolean {
    return this.#machine.fire(event);
  }

  /** Calls back when it is over, whoever has the handlers by then. */
  whenOver(tell: () => void): void {
    this.#whenOver.push(tell);
  }

  /** Forgets it without a response. Idempotent. */
  close(): void {
    this.#machine.close();
  }

  #transmit(): void {
    if (this.#last === undefined) return;
    this.#ground.sendResponse(this.#last, this.flow).catch((error: unknown) => {
      this.#lastError = error instanceof Error ? error : new Error(String(error));
      this.#machine.fire('transportError');
    });
  }
}
