import { setTimeout as wait } from 'node:timers/promises';
import { SipEndpoint } from '../../src/standalone/sip/endpoint.js';
import { newCallId, newTag } from '../../src/standalone/sip/ids.js';
import { SipRequest } from '../../src/standalone/sip/message.js';
import { Latencies } from './latencies.js';

const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n';
/** From ringing to busy. */
const RING_MS = 100;

/** What the callers and the callee saw, on one clock. */
export interface ProbeResult {
  /** From the caller's INVITE leaving to the callee's arriving. */
  readonly toCallee: Latencies;
  /** From the caller's INVITE leaving to his 180 arriving; the callee rings at once. */
  readonly toRinging: Latencies;
  /** Calls that did not end busy. */
  failed: number;
}

interface Attempt {
  readonly from: number;
  reached: boolean;
  rang: boolean;
}

/**
 * A caller and a callee in one process, sockets of their own: the callee rings at once and is busy 100 ms later, so that a
 * call is one transaction at each end. sipp's own clock ticks every 4 ms, which is as much as what is measured here.
 */
export class Probe {
  #sip: SipEndpoint | undefined;
  /** By the caller's number: what both ends see of a call, whatever is between them. */
  readonly #attempts = new Map<string, Attempt>();
  #result = emptyResult();

  static async open(): Promise<Probe> {
    const probe = new Probe();
    probe.#sip = await SipEndpoint.listen(
      { host: '127.0.0.1', port: 0 },
      {
        onRequest: (transaction) => {
          const attempt = probe.#attempts.get(userOf(transaction.request.from.uri));
          if (attempt !== undefined && !attempt.reached) {
            attempt.reached = true;
            probe.#result.toCallee.record(performance.now() - attempt.from);
          }
          transaction.reply(180, { headers: [['Contact', `<${probe.sip.uri('udp', 'agent')}>`]] });
          setTimeout(() => transaction.reply(486), RING_MS);
        },
      },
    );
    return probe;
  }

  get sip(): SipEndpoint {
    if (this.#sip === undefined) throw new Error('the probe is not open');
    return this.#sip;
  }

  /** Places calls to `number` at `server` one by one at a steady rate; each caller calls once. */
  async calls(
    server: string,
    number: string,
    callers: readonly string[],
    perSecond: number,
  ): Promise<ProbeResult> {
    this.#result = emptyResult();
    const start = performance.now();
    await Promise.all(
      callers.map(async (caller, i) => {
        await wait(Math.max(0, start + (i * 1000) / perSecond - performance.now()));
        if (!(await this.#call(server, number, caller))) this.#result.failed += 1;
      }),
    );
    return this.#result;
  }

  async close(): Promise<void> {
    await this.#sip?.close();
  }

  async #call(server: string, number: string, caller: string): Promise<boolean> {
    const invite = SipRequest.create('INVITE', `sip:${number}@${server}`, {
      headers: [
        ['From', `<sip:${caller}@127.0.0.1>;tag=${newTag()}`],
        ['To', `<sip:${number}@${server}>`],
        ['Call-ID', newCallId()],
        ['CSeq', '1 INVITE'],
        ['Contact', `<${this.sip.uri('udp', 'caller')}>`],
        ['Max-Forwards', '70'],
      ],
      body: SDP,
      contentType: 'application/sdp',
    });
    const attempt: Attempt = { from: performance.now(), reached: false, rang: false };
    this.#attempts.set(caller, attempt);
    const status = await new Promise<number>((resolve) => {
      this.sip.request(invite, {
        onResponse: (response) => {
          if (response.status === 180 && !attempt.rang) {
            attempt.rang = true;
            this.#result.toRinging.record(performance.now() - attempt.from);
          }
          if (response.status >= 200) resolve(response.status);
        },
        onFailure: () => {
          resolve(0);
        },
      });
    });
    this.#attempts.delete(caller);
    return status === 486 && attempt.reached && attempt.rang;
  }
}

function emptyResult(): ProbeResult {
  return { toCallee: new Latencies(), toRinging: new Latencies(), failed: 0 };
}

const userOf = (uri: string): string => /^sips?:([^@;]*)@/i.exec(uri)?.[1] ?? '';
