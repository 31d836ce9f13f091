import type { Log } from '../log.js';
import type { Heard } from '../party/hearing.js';
import { capabilities, inviteRefusal, refuseMethod } from '../party/manners.js';
import { SipEndpoint } from '../sip/endpoint.js';
import type { SipRequest } from '../sip/message.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import type { TimerBase } from '../sip/timers.js';
import { IncomingCall, type CallEnd } from './incoming-call.js';

export interface AgentOptions {
  /** One address, no wildcard: it stands in Contact and in session descriptions. Port 0: any. */
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  /** How long it rings, ms. */
  readonly ringMs?: number;
  /** How long it talks at most, ms. */
  readonly longestMs?: number;
  readonly timers?: Partial<TimerBase>;
  /** Told when a call is over; `heard` measures what its caller said, and is absent before an answer. */
  readonly onCallEnd?: (end: CallEnd, heard: (() => Heard) | undefined) => void;
}

const RING_MS = 700;
const LONGEST_MS = 5 * 60_000;
/** How long a stopping agent waits for the answers to its BYEs. */
const FAREWELL_MS = 1000;

/** The built-in answering party: any number of calls at once, over UDP and TCP. */
export class DemoAgent {
  readonly #options: AgentOptions;
  readonly #calls = new Map<string, IncomingCall>();
  #endpoint: SipEndpoint | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** Binds UDP and TCP. @throws the system's error when the address cannot be had */
  static async start(options: AgentOptions): Promise<DemoAgent> {
    const agent = new DemoAgent(options);
    const { host, port, timers, log } = options;
    agent.#endpoint = await SipEndpoint.listen(
      { host, port, ...(timers === undefined ? {} : { timers }) },
      {
        onRequest: (transaction) => {
          agent.#take(transaction);
        },
        onAck: (ack) => agent.#find(ack)?.acknowledge(ack),
        onTrouble: (what, error) => {
          log('trouble', { what, error: error.message });
        },
      },
    );
    return agent;
  }

  get sip(): SipEndpoint {
    if (this.#endpoint === undefined) throw new Error('the agent is not started');
    return this.#endpoint;
  }

  /** Calls that ring or are answered. */
  get calls(): number {
    return this.#calls.size;
  }

  /** Hangs up everywhere, then closes its sockets. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    let giveUp: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      giveUp = setTimeout(resolve, FAREWELL_MS);
    });
    await Promise.race([Promise.all([...this.#calls.values()].map((call) => call.hangUp())), patience]);
    clearTimeout(giveUp);
    for (const call of [...this.#calls.values()]) call.close();
    await this.sip.close();
  }

  #take(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.toTag !== undefined) {
      const call = this.#find(request);
      if (call === undefined) transaction.reply(481);
      else call.receive(transaction);
    } else if (request.method === 'INVITE') this.#invited(transaction);
    else if (request.method === 'OPTIONS') transaction.reply(200, { headers: capabilities });
    else if (request.method === 'BYE') transaction.reply(481);
    else refuseMethod(transaction);
  }

  #invited(transaction: ServerTransaction): void {
    const { request } = transaction;
    const refusal = inviteRefusal(request);
    if (refusal !== undefined) {
      transaction.reply(refusal.status, { headers: refusal.headers });
      return;
    }
    const key = keyOf(request);
    // The same INVITE by another way (section 8.2.2.2): the first one rings already.
    if (this.#calls.has(key)) {
      transaction.reply(482);
      return;
    }
    if (this.#closing !== undefined) {
      transaction.reply(480);
      return;
    }
    const { ringMs = RING_MS, longestMs = LONGEST_MS, log, onCallEnd } = this.#options;
    const call = new IncomingCall(transaction, {
      sip: this.sip,
      ringMs,
      longestMs,
      onEnd: (end, heard) => {
        this.#calls.delete(key);
        log('call-ended', { end, calls: this.#calls.size });
        onCallEnd?.(end, heard);
      },
    });
    this.#calls.set(key, call);
    call.begin();
  }

  #find(request: SipRequest): IncomingCall | undefined {
    const call = this.#calls.get(keyOf(request));
    return call?.owns(request) === true ? call : undefined;
  }
}

/** The caller's half of a dialog's name; ours is checked by the call. */
function keyOf(request: SipRequest): string {
  return `${request.callId}|${request.fromTag ?? ''}`;
}
