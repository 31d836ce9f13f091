import type { Trunk } from '../directory/model.js';
import { transportParameter } from '../directory/transport.js';
import type { TrunkHealth } from './trunk-health.js';

export interface ProbeParts {
  /** All trunks that are declared now. */
  readonly trunks: () => readonly Trunk[];
  readonly health: Pick<TrunkHealth, 'heard'>;
  /** Sends OPTIONS: whether anybody answered; undefined where nothing could be sent. */
  readonly probe: (uri: string, deadlineMs: number) => Promise<boolean | undefined>;
  readonly everyMs?: number;
}

const EVERY_MS = 10_000;
const DEADLINE_MS = 3000;

/** Asks the gateways of trunks that want it (`probe: true`) with OPTIONS, each at a moment of its own. */
export class TrunkProbes {
  readonly #parts: ProbeParts;
  readonly #timer: NodeJS.Timeout;
  readonly #waiting = new Set<NodeJS.Timeout>();

  constructor(parts: ProbeParts) {
    this.#parts = parts;
    const everyMs = parts.everyMs ?? EVERY_MS;
    this.#timer = setInterval(() => {
      for (const trunk of parts.trunks())
        if (trunk.probe === true) this.#later(trunk, Math.random() * everyMs * 0.9);
    }, everyMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const timer of this.#waiting) clearTimeout(timer);
  }

  #later(trunk: Trunk, waitMs: number): void {
    const { gateway, transport, serial } = trunk;
    if (gateway === undefined) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      this.#parts.probe(`sip:${gateway}${transportParameter(transport)}`, DEADLINE_MS).then(
        (alive) => {
          if (alive !== undefined) this.#parts.health.heard(serial, alive ? 200 : 0);
        },
        () => undefined, // what could not be asked says nothing
      );
    }, waitMs);
    timer.unref();
    this.#waiting.add(timer);
  }
}
