import type { Clock } from '../sip/clock.js';
import type { SipRequest, SipResponse } from '../sip/message.js';
import { wireTime } from './control-frame.js';
import type { ControlPort } from './control-port.js';

/** Which side of us made the message. */
export type RecordSource = 'network' | 'application';
export type RecordRole = 'proxy-uac' | 'proxy-uas';
export type StopReason = 'call-rejected' | 'call-canceled' | 'normal-release';

/** A BYE that comes again within this time is the same BYE. */
const repeatMs = 32_000;
const maxRemembered = 20_000;

/** The `cdr:` frames: told to one application that asked for them, else to nobody. */
export class CallRecords {
  readonly #control: () => ControlPort;
  readonly #clock: Clock;
  readonly #byes = new Map<string, number>();

  constructor(control: () => ControlPort, clock: Clock) {
    this.#control = control;
    this.#clock = clock;
  }

  /** An INVITE came (network) or was sent on (application). */
  attempt(source: RecordSource, invite: SipRequest): void {
    this.#tell('cdr:attempt', [source, wireTime()], invite);
  }

  /** A 200 came from the callee (network, proxy-uac) or went to the caller (application, proxy-uas). */
  start(source: RecordSource, role: RecordRole, response: SipResponse): void {
    this.#tell('cdr:start', [source, wireTime(), role], response);
  }

  /** A call, or an attempt at one, ended with this message. */
  stop(source: RecordSource, reason: StopReason, message: SipRequest | SipResponse): void {
    this.#tell('cdr:stop', [source, wireTime(), reason], message);
  }

  /** A BYE passes through: one record for each side, however often it is repeated. */
  hangUp(received: SipRequest, sent: SipRequest): void {
    const now = this.#clock.now();
    for (const [old, until] of this.#byes) {
      if (until > now && this.#byes.size < maxRemembered) break;
      this.#byes.delete(old);
    }
    const key = JSON.stringify([received.callId, received.fromTag, received.cseq.number]);
    if (this.#byes.has(key)) return;
    this.#byes.set(key, now + repeatMs);
    this.stop('network', 'normal-release', received);
    this.stop('application', 'normal-release', sent);
  }

  #tell(kind: string, fields: readonly string[], message: SipRequest | SipResponse): void {
    this.#control()
      .choose(kind)
      ?.tell([kind, ...fields], message.toBuffer());
  }
}
