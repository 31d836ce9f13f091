import { SipEndpoint } from '../../../src/standalone/sip/endpoint.js';
import { SipResponse, type SipRequest } from '../../../src/standalone/sip/message.js';
import { repeatAnswer } from '../../../src/standalone/sip/repeat-answer.js';
import type { ServerTransaction } from '../../../src/standalone/sip/server-transaction.js';

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6002 RTP/AVP 0\r\n';
/** From ringing to the answer. */
const RING_MS = 100;
/** Callers talk for a second: who hangs up sooner than this after his ACK ended an answer that nobody waited for any more. */
const SHORTEST_TALK_MS = 300;

/** What the callee saw of one caller. */
export interface Seen {
  /** When his first INVITE came, ms since the epoch. */
  readonly at: number;
  /** Somebody talked with him. */
  acknowledged: boolean;
  /** `performance.now` of his first ACK. */
  acknowledgedAt?: number;
  hungUp: boolean;
}

/** A destination: rings at once, answers after 100 ms, and remembers who called. */
export class Callee {
  /** By the caller's number. */
  readonly seen = new Map<string, Seen>();
  /** Stops the repetition of an answer, by Call-ID. */
  readonly #answers = new Map<string, () => void>();
  #sip: SipEndpoint | undefined;

  static async open(): Promise<Callee> {
    const callee = new Callee();
    callee.#sip = await SipEndpoint.listen(
      { host: '127.0.0.1', port: 0 },
      {
        onRequest: (transaction) => callee.#take(transaction),
        onAck: (ack) => {
          callee.#answers.get(ack.callId)?.();
          const seen = callee.#of(ack);
          if (seen === undefined) return;
          seen.acknowledged = true;
          seen.acknowledgedAt ??= performance.now();
        },
      },
    );
    return callee;
  }

  /** As a directory names it. */
  get address(): string {
    return `sip:agent@127.0.0.1:${String(this.#sip?.port)}`;
  }

  async close(): Promise<void> {
    for (const stop of this.#answers.values()) stop();
    await this.#sip?.close();
  }

  #of(request: SipRequest): Seen | undefined {
    return this.seen.get(userOf(request.from.uri));
  }

  #take(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.toTag !== undefined) {
      if (request.method === 'BYE') {
        this.#answers.get(request.callId)?.();
        const seen = this.#of(request);
        if (seen !== undefined) {
          seen.hungUp = true;
          if (performance.now() - (seen.acknowledgedAt ?? 0) < SHORTEST_TALK_MS) seen.acknowledged = false;
        }
      }
      transaction.reply(200);
      return;
    }
    const sip = this.#sip;
    if (request.method !== 'INVITE' || sip === undefined) return void transaction.reply(501);
    const caller = userOf(request.from.uri);
    if (!this.seen.has(caller)) this.seen.set(caller, { at: Date.now(), acknowledged: false, hungUp: false });
    transaction.reply(180);
    const answer = SipResponse.to(request, 200, {
      toTag: transaction.localTag,
      headers: [['Contact', `<${sip.uri('udp', 'agent')}>`]],
      body: SDP,
      contentType: 'application/sdp',
    });
    let over = false;
    sip.clock.after(RING_MS, () => {
      if (over) return;
      transaction.respond(answer);
      const stop = repeatAnswer(
        sip.clock,
        sip.timers,
        () => transaction.respond(answer),
        () => undefined,
      );
      this.#answers.set(request.callId, stop);
    });
    transaction.handlers = {
      onCancel: () => {
        over = true;
        transaction.reply(487);
      },
    };
  }
}

const userOf = (uri: string): string => /^sips?:([^@;]*)@/i.exec(uri)?.[1] ?? '';
