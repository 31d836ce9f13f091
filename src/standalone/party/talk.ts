import type { Dialog } from '../media-server/call/dialog.js';
import type { SipEndpoint } from '../sip/endpoint.js';
import { SipResponse, type HeaderPairs, type SipRequest } from '../sip/message.js';
import { ParseError } from '../sip/parse-error.js';
import { repeatAnswer } from '../sip/repeat-answer.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import type { Description } from './description.js';
import { capabilities, hasSdp, refuseMethod } from './manners.js';
import type { RtpPort } from './rtp-port.js';
import { States } from './states.js';

/** Who ended it: a BYE of ours or of theirs, the far end's silence, or our own end. */
export type TalkEnd = 'hungUp' | 'farHungUp' | 'noAck' | 'noMedia' | 'closed';

/** Sees every message of the call. */
export type Watch = (way: 'in' | 'out', message: SipRequest | SipResponse) => void;

export interface TalkParts {
  readonly sip: SipEndpoint;
  readonly dialog: Dialog;
  /** Our Contact value. */
  readonly contact: string;
  readonly description: Description;
  readonly rtp: RtpPort;
  /** What is played for as long as the call lasts. */
  readonly frames: Iterator<Int16Array>;
  readonly watch?: Watch;
  /** Called once. */
  readonly onEnd: (end: TalkEnd) => void;
}

type State = 'answering' | 'up' | 'leaving' | 'over';

/** Which states follow which. `answering`: our 2xx waits for its ACK. `leaving`: our BYE waits for its answer. */
const NEXT: Readonly<Record<State, readonly State[]>> = {
  answering: ['up', 'leaving', 'over'],
  up: ['leaving', 'over'],
  leaving: ['over'],
  over: [],
};

/** An established call at one of its ends: its dialog, its sound, and what comes inside of it. */
export class Talk {
  readonly #parts: TalkParts;
  readonly #state: States<State>;
  #stopRepeating: (() => void) | undefined;
  /** Our 2xx held an offer: the ACK brings the answer to it. */
  #offered = false;
  #leaving: Promise<void> | undefined;

  private constructor(parts: TalkParts, state: State) {
    this.#parts = parts;
    this.#state = new States(NEXT, state);
  }

  /** The caller's end: the 2xx came and is acknowledged. */
  static asCaller(parts: TalkParts): Talk {
    const talk = new Talk(parts, 'up');
    parts.rtp.play(parts.frames);
    return talk;
  }

  /** The callee's end: sends the 2xx with `sdp`, our offer when the INVITE had none. Sound begins with the ACK. */
  static asCallee(parts: TalkParts, invite: ServerTransaction, sdp: string): Talk {
    const talk = new Talk(parts, 'answering');
    talk.#answer(invite, sdp);
    return talk;
  }

  /** An ACK of this dialog. */
  acknowledge(ack: SipRequest): void {
    this.#parts.watch?.('in', ack);
    this.#stopRepeating?.();
    this.#stopRepeating = undefined;
    if (this.#offered) {
      this.#offered = false;
      const far = this.#parts.description.accept(ack.body);
      if (far === undefined) {
        void this.#leave('noMedia');
        return;
      }
      this.#parts.rtp.setFarEnd(far);
    }
    if (this.#state.now !== 'answering') return;
    this.#state.enter('up');
    this.#parts.rtp.play(this.#parts.frames);
  }

  /** A request inside of the dialog, other than ACK and CANCEL. */
  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    this.#parts.watch?.('in', request);
    // Section 12.2.2: out of order.
    if (!this.#parts.dialog.accepts(request)) this.#reply(transaction, 500);
    else if (request.method === 'BYE') {
      this.#reply(transaction, 200);
      this.#end('farHungUp');
    } else if (request.method === 'INVITE') this.#reinvite(transaction);
    else if (request.method === 'OPTIONS') this.#reply(transaction, 200, capabilities);
    else {
      refuseMethod(transaction);
      if (transaction.lastResponse !== undefined) this.#parts.watch?.('out', transaction.lastResponse);
    }
  }

  /** Sends BYE by the route set. Resolves when it was answered, or nobody answered it. Idempotent. */
  hangUp(): Promise<void> {
    return this.#leave('hungUp');
  }

  /** Ends it without a word to the far end. Idempotent. */
  close(): void {
    this.#end('closed');
  }

  #leave(end: TalkEnd): Promise<void> {
    if (this.#state.now === 'over') return Promise.resolve();
    this.#leaving ??= this.#bye().then(() => {
      this.#end(end);
    });
    return this.#leaving;
  }

  #bye(): Promise<void> {
    this.#state.enter('leaving');
    this.#stopRepeating?.();
    const { dialog, sip, watch } = this.#parts;
    const bye = dialog.request('BYE');
    watch?.('out', bye);
    return new Promise((resolve) => {
      try {
        sip.request(bye, {
          onResponse: (response) => {
            watch?.('in', response);
            if (response.status >= 200) resolve();
          },
          onEnd: resolve,
        });
      } catch (error) {
        // The far end told an address that nobody can reach: there is nobody to say it to.
        if (!(error instanceof ParseError)) throw error;
        resolve();
      }
    });
  }

  /** Section 14.2; the session that is there goes on after a refusal. */
  #reinvite(transaction: ServerTransaction): void {
    const { dialog, description, rtp } = this.#parts;
    const { request } = transaction;
    if (this.#state.now === 'leaving') return this.#reply(transaction, 481);
    if (this.#stopRepeating !== undefined) return this.#reply(transaction, 491);
    if (request.body.length === 0) {
      dialog.retarget(request);
      this.#answer(transaction, description.offer());
      return;
    }
    const answer = hasSdp(request) ? description.answer(request.body) : undefined;
    if (answer === undefined) return this.#reply(transaction, 488);
    dialog.retarget(request);
    rtp.setFarEnd(answer.far);
    this.#answer(transaction, answer.sdp);
  }

  #answer(transaction: ServerTransaction, sdp: string): void {
    const { sip, contact, watch } = this.#parts;
    this.#offered = transaction.request.body.length === 0;
    const answer = SipResponse.to(transaction.request, 200, {
      toTag: transaction.localTag,
      headers: [['Contact', contact], ...capabilities],
      body: sdp,
      contentType: 'application/sdp',
    });
    const send = (): void => {
      transaction.respond(answer);
    };
    send();
    watch?.('out', answer);
    this.#stopRepeating = repeatAnswer(sip.clock, sip.timers, send, () => {
      this.#stopRepeating = undefined;
      void this.#leave('noAck');
    });
  }

  #reply(transaction: ServerTransaction, status: number, headers: HeaderPairs = []): void {
    transaction.reply(status, { headers });
    if (transaction.lastResponse !== undefined) this.#parts.watch?.('out', transaction.lastResponse);
  }

  #end(end: TalkEnd): void {
    if (this.#state.now === 'over') return;
    this.#state.enter('over');
    this.#stopRepeating?.();
    this.#parts.rtp.close();
    this.#parts.onEnd(end);
  }
}
