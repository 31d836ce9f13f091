import { SipRequest, SipResponse } from './message.js';
import { Machine, type MachineGround } from './machine.js';
import { inviteClient, otherClient, type TransactionState } from './transaction-tables.js';
import type { Flow, Target } from './flow.js';

/** Why a transaction ended without an answer. */
export type FailureCause = 'timeout' | 'transport';

export interface ClientHandlers {
  /**
   * Every provisional (100 too) and the final response; of an INVITE also each further 2xx (a repetition, or another
   * fork), because each wants its ACK from the user. Failures of an INVITE are acknowledged by the transaction.
   */
  onResponse(response: SipResponse, flow: Flow): void;
  /** No final response came (treat as 408), or nothing could be sent (treat as 503). Not after a final response. */
  onFailure?(cause: FailureCause, error?: Error): void;
  /** The transaction is over and forgotten. */
  onEnd?(): void;
}

/** What the endpoint lends to a client transaction. */
export interface ClientGround extends MachineGround {
  send(message: SipRequest, target: Target): Promise<void>;
  /** Starts the transaction of a CANCEL; its Via is there already. */
  cancel(cancel: SipRequest, target: Target): void;
}

/** One request of ours and what comes back (RFC 3261 section 17.1). Made by `SipEndpoint.request`. */
export class ClientTransaction {
  /** As sent, with its Via. */
  readonly request: SipRequest;
  readonly target: Target;
  readonly #ground: ClientGround;
  readonly #handlers: ClientHandlers;
  readonly #machine: Machine;
  #came: { response: SipResponse; flow: Flow } | undefined;
  #answered = false;
  #cancel: SipRequest | undefined;
  #cancelled = false;
  #stopWaiting: (() => void) | undefined;

  constructor(
    request: SipRequest,
    target: Target,
    ground: ClientGround,
    handlers: ClientHandlers,
    onEnd: () => void,
  ) {
    this.request = request;
    this.target = target;
    this.#ground = ground;
    this.#handlers = handlers;
    const effects = {
      send: () => this.#transmit(this.request),
      ack: () => this.#acknowledge(),
      user: () => this.#deliver(),
      timeout: () => handlers.onFailure?.('timeout'),
      broken: () => this.#broken(),
    };
    this.#machine = new Machine(
      request.method === 'INVITE' ? inviteClient : otherClient,
      ground,
      effects,
      () => {
        this.#stopWaiting?.();
        onEnd();
        handlers.onEnd?.();
      },
    );
  }

  get state(): TransactionState {
    return this.#machine.state;
  }

  /** Sends it. The endpoint calls this once. */
  begin(): void {
    this.#machine.begin();
  }

  /**
   * A response with this transaction's branch came. @returns false for an answer to an INVITE that was refused before: no
   * transaction waits for it any more
   */
  receive(response: SipResponse, flow: Flow): boolean {
    const event = response.status < 200 ? '1xx' : response.status < 300 ? '2xx' : 'fail';
    if (event === '2xx' && this.#machine.state === 'completed' && this.request.method === 'INVITE')
      return false;
    this.#came = { response, flow };
    this.#machine.fire(event);
    if (event === '1xx') this.#sendCancel();
    else if (this.#machine.state !== 'accepted') this.#stopWaiting?.();
    return true;
  }

  /**
   * Cancels an INVITE (section 9.1): at once when a provisional response came, else as soon as one does; never when a
   * final one did. The 487 (or whatever else) comes as the response. Idempotent.
   * @param headers more header lines for the CANCEL, such as Reason
   */
  cancel(headers: readonly (readonly [string, string])[] = []): void {
    if (this.request.method !== 'INVITE' || this.#cancel !== undefined || this.#answered) return;
    let cancel = derived(this.request, 'CANCEL', this.request.get('To') ?? '');
    for (const [name, value] of headers) cancel = cancel.withAdded(name, value);
    this.#cancel = cancel;
    this.#sendCancel();
  }

  /** Forgets it without telling the far end. Idempotent. */
  close(): void {
    this.#machine.close();
  }

  #sendCancel(): void {
    if (this.#cancel === undefined || this.#cancelled || this.#machine.state !== 'proceeding') return;
    this.#cancelled = true;
    this.#ground.cancel(this.#cancel, this.target);
    // A peer that ignores the CANCEL must not hold us for ever (section 9.1, last paragraph).
    this.#stopWaiting = this.#ground.clock.after(64 * this.#ground.timers.t1, () => {
      if (this.#answered) return;
      this.#answered = true;
      this.#handlers.onFailure?.('timeout');
      this.#machine.close();
    });
  }

  #deliver(): void {
    if (this.#came === undefined) return;
    if (this.#came.response.status >= 200) {
      this.#answered = true;
      this.#stopWaiting?.();
    }
    this.#handlers.onResponse(this.#came.response, this.#came.flow);
  }

  #acknowledge(): void {
    if (this.#came === undefined) return;
    this.#transmit(derived(this.request, 'ACK', this.#came.response.get('To') ?? ''));
  }

  #lastError: Error | undefined;

  #transmit(message: SipRequest): void {
    this.#ground.send(message, this.target).catch((error: unknown) => {
      this.#lastError = error instanceof Error ? error : new Error(String(error));
      this.#machine.fire('transportError');
    });
  }

  #broken(): void {
    if (!this.#answered) this.#handlers.onFailure?.('transport', this.#lastError);
  }
}

/** The ACK (section 17.1.1.3) or CANCEL (section 9.1) that goes with an INVITE: same Via, same Route. */
function derived(invite: SipRequest, method: 'ACK' | 'CANCEL', to: string): SipRequest {
  const via = invite.getAll('Via')[0] ?? '';
  return SipRequest.create(method, invite.uri, {
    headers: [
      ['Via', via],
      ...invite.getAll('Route').map((route) => ['Route', route] as const),
      ['Max-Forwards', '70'],
      ['From', invite.get('From') ?? ''],
      ['To', to],
      ['Call-ID', invite.callId],
      ['CSeq', `${invite.cseq.number} ${method}`],
    ],
  });
}
