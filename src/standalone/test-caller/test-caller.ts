import { Dialog } from '../media-server/call/dialog.js';
import { toneFrames } from '../media-server/media/tone.js';
import { CALLER_CODECS, Description } from '../party/description.js';
import type { Heard } from '../party/hearing.js';
import { capabilities, refuseMethod } from '../party/manners.js';
import { RtpPort } from '../party/rtp-port.js';
import { Talk } from '../party/talk.js';
import type { ClientTransaction } from '../sip/client-transaction.js';
import { SipEndpoint } from '../sip/endpoint.js';
import { newCallId, newTag } from '../sip/ids.js';
import { SipRequest, type SipResponse } from '../sip/message.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import type { TimerBase } from '../sip/timers.js';
import { Ladder, type Step } from './ladder.js';
import { addressesTowards } from './local-address.js';

export interface TestCall {
  /** Where the switch takes SIP over UDP. */
  readonly switchAddress: { readonly host: string; readonly port: number };
  /** E.164. */
  readonly number: string;
  readonly from: string;
  /** What `mintTestToken` made for the number. */
  readonly testToken?: string;
  readonly talkMs?: number;
  readonly ringTimeoutMs?: number;
  /** Aborting it cancels the call, or hangs up. */
  readonly signal?: AbortSignal;
  readonly onStep?: (step: Step) => void;
  readonly timers?: Partial<TimerBase>;
}

/**
 * `answered`: somebody talked with us. `refused`: a final status from 300 on. `cancelled`: by `signal`. `noAnswer`: it
 * rang for too long and was cancelled. `silent`: nothing came back at all.
 */
export type Outcome = 'answered' | 'refused' | 'cancelled' | 'noAnswer' | 'silent';

export interface TestCallReport {
  readonly outcome: Outcome;
  /** Of the final response to the INVITE, where one came. */
  readonly status?: number;
  readonly reason?: string;
  /** When the INVITE left, ms since the epoch. */
  readonly startedAt: number;
  readonly ladder: readonly Step[];
  readonly hungUpBy?: 'us' | 'far';
  /** What went out and what came in, of an answered call. */
  readonly media?: Heard & { readonly sent: number };
}

/** The caller's own tone, to be told from the answering party's notes. */
export const CALLER_TONE_HZ = 440;
/** Nothing at all, not even 100 Trying, comes back: there is nobody. */
const FIRST_WORD_MS = 5000;
/** After a CANCEL, before the call is given up without a final response; and where there was nobody to send it to. */
const AFTER_CANCEL_MS = 2000;
const NOBODY_MS = 500;
/** The last answer leaves before the socket goes. */
const LINGER_MS = 50;

/**
 * Places one call over UDP, says a tone, listens, hangs up. Nothing is left of it afterwards.
 * @throws NoWayThere, ParseError for a number or token that no URI can hold
 */
export async function placeTestCall(call: TestCall): Promise<TestCallReport> {
  const { local, far } = await addressesTowards(call.switchAddress.host, call.switchAddress.port);
  const rtp = await RtpPort.open(local);
  let caller: Caller | undefined;
  let sip: SipEndpoint | undefined;
  try {
    sip = await SipEndpoint.listen(
      { host: local, port: 0, ...(call.timers === undefined ? {} : { timers: call.timers }) },
      { onRequest: (transaction) => caller?.receive(transaction), onAck: (ack) => caller?.acknowledge(ack) },
    );
    caller = new Caller(call, sip, rtp);
    return await caller.run({ proto: 'udp', host: far, port: call.switchAddress.port });
  } finally {
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    rtp.close();
    await sip?.close();
  }
}

type Target = Parameters<SipEndpoint['sendRequest']>[1];

/** One call from INVITE to its end. */
class Caller {
  readonly #call: TestCall;
  readonly #sip: SipEndpoint;
  readonly #rtp: RtpPort;
  readonly #description: Description;
  readonly #ladder: Ladder;
  readonly #startedAt = Date.now();
  readonly #invite: SipRequest;
  readonly #timers: (() => void)[] = [];
  #transaction: ClientTransaction | undefined;
  #answer: SipResponse | undefined;
  #dialog: Dialog | undefined;
  #talk: Talk | undefined;
  /** What a refusal after our CANCEL means. */
  #gaveUp: 'cancelled' | 'noAnswer' | undefined;
  #settle: (report: TestCallReport) => void = () => undefined;

  constructor(call: TestCall, sip: SipEndpoint, rtp: RtpPort) {
    this.#call = call;
    this.#sip = sip;
    this.#rtp = rtp;
    this.#description = new Description(sip.host, rtp.port);
    this.#ladder = new Ladder(call.onStep);
    const { host, port } = call.switchAddress;
    const uri = `sip:${call.number}@${host}:${String(port)}`;
    const test = call.testToken === undefined ? '' : `;tagswitch-test=${call.testToken}`;
    this.#invite = SipRequest.create('INVITE', `${uri}${test}`, {
      headers: [
        ['Max-Forwards', '70'],
        ['From', `<sip:${call.from}@${sip.host}>;tag=${newTag()}`],
        ['To', `<${uri}>`],
        ['Call-ID', newCallId()],
        ['CSeq', '1 INVITE'],
        ['Contact', this.#contact],
        ...capabilities,
      ],
      body: this.#description.offer(CALLER_CODECS),
      contentType: 'application/sdp',
    });
  }

  async run(target: Target): Promise<TestCallReport> {
    const { signal, ringTimeoutMs = 60_000 } = this.#call;
    const stop = (): void => {
      if (this.#talk === undefined) this.#cancel('cancelled');
      else void this.#talk.hangUp();
    };
    try {
      return await new Promise<TestCallReport>((resolve) => {
        this.#settle = resolve;
        this.#ladder.note('out', this.#invite);
        this.#transaction = this.#sip.request(
          this.#invite,
          {
            onResponse: (response) => {
              this.#took(response);
            },
            onFailure: () => {
              this.#finish(this.#gaveUp ?? 'silent');
            },
          },
          target,
        );
        this.#after(FIRST_WORD_MS, () => {
          if (this.#ladder.steps.length === 1) this.#finish('silent');
        });
        this.#after(ringTimeoutMs, () => {
          this.#cancel('noAnswer');
        });
        if (signal?.aborted === true) stop();
        else signal?.addEventListener('abort', stop);
      });
    } finally {
      signal?.removeEventListener('abort', stop);
      for (const cancel of this.#timers) cancel();
    }
  }

  acknowledge(ack: SipRequest): void {
    if (ack.callId === this.#invite.callId) this.#talk?.acknowledge(ack);
  }

  /** A request of the far end inside of our dialog; there is nothing else to be had here. */
  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    const ours = request.callId === this.#invite.callId && request.toTag === this.#invite.fromTag;
    if (ours && this.#talk !== undefined && request.fromTag === this.#dialog?.remoteTag) {
      this.#talk.receive(transaction);
    } else if (request.toTag !== undefined) transaction.reply(481);
    else if (request.method === 'INVITE') transaction.reply(486);
    else refuseMethod(transaction);
  }

  #took(response: SipResponse): void {
    this.#ladder.note('in', response);
    if (response.status < 200) return;
    if (response.status >= 300) {
      // Acknowledged by the transaction, with the INVITE's own branch (section 17.1.1.3).
      this.#ladder.note('out', 'ACK');
      this.#finish(this.#gaveUp ?? 'refused', response);
      return;
    }
    if (this.#dialog !== undefined && response.toTag !== this.#dialog.remoteTag) {
      // Another branch of a fork answered too: we have our call, so this one ends (section 13.2.2.4).
      const other = Dialog.asCaller(response);
      this.#send(other.request('ACK'));
      const bye = other.request('BYE');
      this.#ladder.note('out', bye);
      this.#sip.request(bye, {
        onResponse: (answer) => {
          this.#ladder.note('in', answer);
        },
      });
      return;
    }
    const first = this.#dialog === undefined;
    this.#dialog ??= Dialog.asCaller(response);
    // Each repeated 2xx wants its ACK again; the dialog's CSeq may have moved on since the first.
    this.#send(Dialog.asCaller(response).request('ACK'));
    if (first) this.#answered(this.#dialog, response);
  }

  #answered(dialog: Dialog, response: SipResponse): void {
    this.#answer = response;
    const far = this.#description.accept(response.body);
    if (far !== undefined) this.#rtp.setFarEnd(far);
    this.#talk = Talk.asCaller({
      sip: this.#sip,
      dialog,
      contact: this.#contact,
      description: this.#description,
      rtp: this.#rtp,
      frames: toneFrames({
        segments: [{ on: 1000, off: 0, frequencies: [CALLER_TONE_HZ] }],
        loops: Infinity,
        decibels: -16,
      }),
      watch: (way, message) => {
        this.#ladder.note(way, message);
      },
      onEnd: (end) => {
        this.#finish('answered', this.#answer, end === 'farHungUp' ? 'far' : 'us');
      },
    });
    // They answered what we had cancelled (section 9.1), or without sound that we can hear: nothing to stay for.
    if (this.#gaveUp !== undefined || far === undefined) void this.#talk.hangUp();
    else this.#after(this.#call.talkMs ?? 3000, () => void this.#talk?.hangUp());
  }

  #cancel(why: 'cancelled' | 'noAnswer'): void {
    if (this.#talk !== undefined || this.#gaveUp !== undefined) return;
    this.#gaveUp = why;
    const told = this.#ladder.steps.some(({ way }) => way === 'in');
    if (told) this.#ladder.note('out', 'CANCEL');
    this.#transaction?.cancel();
    this.#after(told ? AFTER_CANCEL_MS : NOBODY_MS, () => {
      if (this.#talk === undefined) this.#finish(told || why === 'cancelled' ? why : 'silent');
    });
  }

  #send(ack: SipRequest): void {
    this.#ladder.note('out', ack);
    // A lost ACK is asked for by the 2xx that comes again.
    this.#sip.sendRequest(ack).catch(() => undefined);
  }

  get #contact(): string {
    return `<${this.#sip.uri('udp', 'test-caller')}>`;
  }

  #after(ms: number, action: () => void): void {
    this.#timers.push(this.#sip.clock.after(ms, action));
  }

  #finish(outcome: Outcome, final?: SipResponse, hungUpBy?: 'us' | 'far'): void {
    this.#settle({
      outcome,
      ...(final === undefined ? {} : { status: final.status, reason: final.reason }),
      startedAt: this.#startedAt,
      ladder: [...this.#ladder.steps],
      ...(hungUpBy === undefined ? {} : { hungUpBy }),
      ...(this.#talk === undefined ? {} : { media: { ...this.#rtp.hearing.heard(), sent: this.#rtp.sent } }),
    });
  }
}
