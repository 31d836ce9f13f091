import type { HeaderPairs } from '../../sip/message.js';
import { SipRequest, type SipResponse } from '../../sip/message.js';

/** What a request inside of a dialog needs (RFC 3261 section 12). Changed only by its own methods. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly #local: string;
  #remote: string;
  #remoteTag: string | undefined;
  #target: string;
  #routes: readonly string[];
  #localSequence: number;
  #remoteSequence: number | undefined;

  private constructor(parts: {
    callId: string;
    local: string;
    localTag: string;
    remote: string;
    remoteTag: string | undefined;
    target: string;
    routes: readonly string[];
    localSequence: number;
    remoteSequence: number | undefined;
  }) {
    this.callId = parts.callId;
    this.#local = parts.local;
    this.localTag = parts.localTag;
    this.#remote = parts.remote;
    this.#remoteTag = parts.remoteTag;
    this.#target = parts.target;
    this.#routes = parts.routes;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
  }

  /** The dialog that an INVITE of theirs opens with our tag (section 12.1.1). */
  static asCallee(invite: SipRequest, localTag: string): Dialog {
    return new Dialog({
      callId: invite.callId,
      local: invite.to.withParam('tag', localTag).toString(),
      localTag,
      remote: invite.get('From') ?? '',
      remoteTag: invite.fromTag,
      target: invite.contactUri ?? invite.from.uri,
      routes: invite.getAll('Record-Route'),
      localSequence: Math.floor(Math.random() * 1e8) + 1,
      remoteSequence: invite.cseq.number,
    });
  }

  /** The dialog that an INVITE of ours opened with the far end of `response`, its answer (section 12.1.2). */
  static asCaller(response: SipResponse): Dialog {
    return new Dialog({
      callId: response.callId,
      local: response.get('From') ?? '',
      localTag: response.fromTag ?? '',
      remote: response.get('To') ?? '',
      remoteTag: response.toTag,
      target: response.contactUri ?? response.to.uri,
      routes: response.getAll('Record-Route').reverse(),
      localSequence: response.cseq.number,
      remoteSequence: undefined,
    });
  }

  get remoteTag(): string | undefined {
    return this.#remoteTag;
  }

  /** A request of ours inside of the dialog; an ACK has the number of its INVITE. */
  request(method: string, headers: HeaderPairs = []): SipRequest {
    if (method !== 'ACK') this.#localSequence += 1;
    return SipRequest.create(method, this.#target, {
      headers: [
        ...this.#routes.map((route) => ['Route', route] as const),
        ['Max-Forwards', '70'],
        ['From', this.#local],
        ['To', this.#remote],
        ['Call-ID', this.callId],
        ['CSeq', `${this.#localSequence} ${method}`],
        ...headers,
      ],
    });
  }

  /** Whether a request of theirs is of this dialog and newer than the last one (section 12.2.2). */
  accepts(request: SipRequest): boolean {
    const { number } = request.cseq;
    if (this.#remoteSequence !== undefined && number < this.#remoteSequence) return false;
    this.#remoteSequence = number;
    return true;
  }

  /** A re-INVITE may move the far end (section 12.2.2). */
  retarget(request: SipRequest): void {
    this.#target = request.contactUri ?? this.#target;
  }
}
