import type { Logger } from '../observe/logger.js';

/** closed: calls go out; open: none do; trying: its next calls decide. */
export type Breaker = 'closed' | 'open' | 'trying';
/** worked: somebody behind the trunk answered, whatever he said; failed: nobody did; rested: it was left alone long enough. */
export type BreakerSign = 'worked' | 'failed' | 'rested';

const NEXT: Readonly<Record<Breaker, Readonly<Partial<Record<BreakerSign, Breaker>>>>> = {
  closed: { failed: 'open' },
  open: { worked: 'closed', rested: 'trying' },
  trying: { worked: 'closed', failed: 'open' },
};

export function breakerAfter(breaker: Breaker, sign: BreakerSign): Breaker {
  return NEXT[breaker][sign] ?? breaker;
}

/** Failures in a row that open a breaker: one is bad luck. */
const FAILURES = 3;
const REST_MS = 15_000;
const LONGEST_REST_MS = 240_000;

interface Health {
  breaker: Breaker;
  failures: number;
  restMs: number;
  openedAt: number;
}

/**
 * Whether each trunk works, by what its calls and probes come to: 401, 407, 408, 5xx and silence are the trunk's failures, every other
 * answer shows that somebody is there. A trunk that failed three times in a row rests for 15 s, then for longer each time.
 */
export class TrunkHealth {
  readonly #trunks = new Map<number, Health>();
  readonly #now: () => number;
  readonly #log: Logger;

  constructor(now: () => number, log: Logger) {
    this.#now = now;
    this.#log = log;
  }

  /** Whether calls should leave by the trunk of that serial. */
  inOrder(serial: number): boolean {
    const health = this.#trunks.get(serial);
    if (health?.breaker === 'open' && this.#now() - health.openedAt >= health.restMs)
      this.#sign(serial, health, 'rested');
    return health?.breaker !== 'open';
  }

  /** The final status of a call or probe over the trunk; 0 for silence. What the caller gave up (487) says nothing. */
  heard(serial: number, status: number): void {
    if (status === 487) return;
    const health = this.#of(serial);
    if (isTrunkFailure(status)) {
      health.failures += 1;
      if (health.breaker === 'trying' || health.failures >= FAILURES) this.#sign(serial, health, 'failed');
      return;
    }
    health.failures = 0;
    health.restMs = REST_MS;
    this.#sign(serial, health, 'worked');
  }

  #of(serial: number): Health {
    let health = this.#trunks.get(serial);
    if (health === undefined) {
      health = { breaker: 'closed', failures: 0, restMs: REST_MS, openedAt: 0 };
      this.#trunks.set(serial, health);
    }
    return health;
  }

  #sign(serial: number, health: Health, sign: BreakerSign): void {
    const before = health.breaker;
    health.breaker = breakerAfter(before, sign);
    if (health.breaker === before) return;
    if (health.breaker === 'open') {
      health.openedAt = this.#now();
      if (before === 'trying') health.restMs = Math.min(health.restMs * 2, LONGEST_REST_MS);
      this.#log.warn(
        { trunk: serial, restMs: health.restMs },
        'a trunk is out of order: calls leave by others',
      );
    } else this.#log.info({ trunk: serial, breaker: health.breaker }, 'a trunk is used again');
  }
}

/** Nobody behind the trunk took a call with this final status; one that asks for a password does not know us. */
export function isTrunkFailure(status: number): boolean {
  return [0, 401, 407, 408].includes(status) || (status >= 500 && status <= 599);
}
