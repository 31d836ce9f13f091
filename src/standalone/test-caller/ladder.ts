import type { SipRequest, SipResponse } from '../sip/message.js';

/** One message of a call, as its caller saw it. */
export interface Step {
  /** Since the call's start. */
  readonly atMs: number;
  readonly way: 'out' | 'in';
  /** `INVITE`, `180 Ringing`, `200 OK (BYE)`: a response to anything but the INVITE names what it answers. */
  readonly message: string;
}

/** Notes the messages of a call in their order. */
export class Ladder {
  readonly steps: Step[] = [];
  readonly #start = performance.now();
  readonly #onStep: (step: Step) => void;

  constructor(onStep: (step: Step) => void = () => undefined) {
    this.#onStep = onStep;
  }

  /** A message, or the name of one that a transaction sent by itself. */
  note(way: 'out' | 'in', message: SipRequest | SipResponse | string): void {
    const name = typeof message === 'string' ? message : nameOf(message);
    const step: Step = { atMs: Math.round(performance.now() - this.#start), way, message: name };
    this.steps.push(step);
    this.#onStep(step);
  }
}

function nameOf(message: SipRequest | SipResponse): string {
  if (message.kind === 'request') return message.method;
  const { method } = message.cseq;
  return `${message.status} ${message.reason}${method === 'INVITE' ? '' : ` (${method})`}`;
}
