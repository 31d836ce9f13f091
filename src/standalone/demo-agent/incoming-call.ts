import { Dialog } from '../media-server/call/dialog.js';
import { Description } from '../party/description.js';
import type { Heard } from '../party/hearing.js';
import { RtpPort } from '../party/rtp-port.js';
import { States } from '../party/states.js';
import { Talk, type TalkEnd } from '../party/talk.js';
import type { SipEndpoint } from '../sip/endpoint.js';
import type { SipRequest } from '../sip/message.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import { tune } from './tune.js';

/** How a call at the agent ended: before it was answered, or after. */
export type CallEnd = TalkEnd | 'cancelled' | 'callerLeft' | 'noCodec' | 'noPort' | 'noAnswerSent';

export interface CallGround {
  readonly sip: SipEndpoint;
  readonly ringMs: number;
  readonly longestMs: number;
  /** Called once. `heard` measures what the caller said. */
  readonly onEnd: (end: CallEnd, heard: (() => Heard) | undefined) => void;
}

type State = 'new' | 'ringing' | 'answered' | 'over';

const NEXT: Readonly<Record<State, readonly State[]>> = {
  new: ['ringing', 'over'],
  ringing: ['answered', 'over'],
  answered: ['over'],
  over: [],
};

/** One call at the agent: rings, answers, plays the tune until somebody hangs up. */
export class IncomingCall {
  readonly #invite: ServerTransaction;
  readonly #ground: CallGround;
  readonly #dialog: Dialog;
  readonly #state = new States<State>(NEXT, 'new');
  #stopTimer: (() => void) | undefined;
  #rtp: RtpPort | undefined;
  #talk: Talk | undefined;

  constructor(invite: ServerTransaction, ground: CallGround) {
    this.#invite = invite;
    this.#ground = ground;
    this.#dialog = Dialog.asCallee(invite.request, invite.localTag);
  }

  /** Whether a request is of this call's dialog. */
  owns(request: SipRequest): boolean {
    return request.toTag === this.#dialog.localTag;
  }

  /** Rings. An offer without a codec of ours is refused at once. */
  begin(): void {
    const { request } = this.#invite;
    if (request.body.length > 0 && new Description('127.0.0.1', 0).answer(request.body) === undefined) {
      this.#refuse(488, 'noCodec');
      return;
    }
    this.#state.enter('ringing');
    this.#invite.handlers = {
      onCancel: () => {
        this.#refuse(487, 'cancelled');
      },
      onFailure: () => {
        this.close();
      },
    };
    this.#invite.reply(180, { headers: [['Contact', this.#contact()]] });
    this.#stopTimer = this.#ground.sip.clock.after(this.#ground.ringMs, () => {
      this.#answer().catch(() => {
        this.#refuse(500, 'noPort');
      });
    });
  }

  acknowledge(ack: SipRequest): void {
    this.#talk?.acknowledge(ack);
  }

  /** A request inside of the dialog, other than ACK and CANCEL. */
  receive(transaction: ServerTransaction): void {
    if (this.#talk !== undefined) {
      this.#talk.receive(transaction);
      return;
    }
    // An early dialog (section 15.1.2): its BYE ends the INVITE too; everything else waits for the answer.
    if (transaction.request.method === 'BYE') {
      transaction.reply(200);
      this.#refuse(487, 'callerLeft');
    } else if (transaction.request.method === 'INVITE') {
      transaction.reply(500, { headers: [['Retry-After', '2']] });
    } else transaction.reply(405, { headers: [['Allow', 'BYE']] });
  }

  /** BYE by the route set, or 480 while it rings. Resolves when the far end knows. Idempotent. */
  async hangUp(): Promise<void> {
    if (this.#talk !== undefined) await this.#talk.hangUp();
    else this.#refuse(480, 'closed');
  }

  /** Ends it without a word. Idempotent. */
  close(): void {
    if (this.#talk !== undefined) this.#talk.close();
    else this.#end('closed');
  }

  async #answer(): Promise<void> {
    const { sip, longestMs } = this.#ground;
    const rtp = await RtpPort.open(sip.host);
    if (this.#state.now !== 'ringing') {
      rtp.close();
      return;
    }
    this.#rtp = rtp;
    const description = new Description(sip.host, rtp.port);
    const { body } = this.#invite.request;
    const answer = body.length === 0 ? undefined : description.answer(body);
    if (answer !== undefined) rtp.setFarEnd(answer.far);
    this.#state.enter('answered');
    this.#talk = Talk.asCallee(
      {
        sip,
        dialog: this.#dialog,
        contact: this.#contact(),
        description,
        rtp,
        frames: tune(),
        onEnd: (end) => {
          this.#end(end);
        },
      },
      this.#invite,
      answer?.sdp ?? description.offer(),
    );
    this.#stopTimer = sip.clock.after(longestMs, () => void this.hangUp());
  }

  #refuse(status: number, end: CallEnd): void {
    if (this.#state.now === 'over' || this.#state.now === 'answered') return;
    this.#invite.reply(status);
    this.#end(end);
  }

  #contact(): string {
    return `<${this.#ground.sip.uri(this.#invite.flow.proto, 'agent')}>`;
  }

  #end(end: CallEnd): void {
    if (this.#state.now === 'over') return;
    this.#state.enter('over');
    this.#stopTimer?.();
    const rtp = this.#rtp;
    this.#ground.onEnd(end, rtp === undefined ? undefined : () => rtp.hearing.heard());
  }
}
