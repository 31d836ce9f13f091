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
const sweepAtMostEveryMs = 1000;

/** The `cdr:` frames: told to one application that asked for them, else to nobody. */
export class CallRecords {
  readonly #control: () => ControlPort;
  readonly #clock: Clock;
  /** Which were seen, until when they count: in the order of their ends. */
  readonly #byes = new Map<string, number>();
  #stopSweep: (() => void) | undefined;

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
    const key = JSON.stringify([received.callId, received.fromTag, received.cseq.number]);
    if (this.#byes.has(key)) return;
    this.#byes.set(key, this.#clock.now() + repeatMs);
    const [oldest] = this.#byes.keys();
    if (this.#byes.size > maxRemembered && oldest !== undefined) this.#byes.delete(oldest);
    this.#sweepLater();
    this.stop('network', 'normal-release', received);
    this.stop('application', 'normal-release', sent);
  }

  close(): void {
    this.#stopSweep?.();
    this.#byes.clear();
  }

  /** Nothing is kept for a call that is long over, also when no other call comes. */
  #sweepLater(): void {
    const [first] = this.#byes.values();
    if (this.#stopSweep !== undefined || first === undefined) return;
    this.#stopSweep = this.#clock.after(Math.max(sweepAtMostEveryMs, first - this.#clock.now()), () => {
      this.#stopSweep = undefined;
      for (const [key, until] of this.#byes) {
        if (until > this.#clock.now()) break;
        this.#byes.delete(key);
      }
      this.#sweepLater();
    });
  }

  #tell(kind: string, fields: readonly string[], message: SipRequest | SipResponse): void {
    this.#control()
      .choose(kind)
      ?.tell([kind, ...fields], message.toBuffer());
  }
}
