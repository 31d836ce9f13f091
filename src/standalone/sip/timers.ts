/** The base values of RFC 3261 section 17 (table 4), in milliseconds. */
export interface TimerBase {
  /** Round trip estimate. */
  readonly t1: number;
  /** Longest wait between two transmissions of anything but an INVITE. */
  readonly t2: number;
  /** How long a message may stay in the network. */
  readonly t4: number;
  /** Timer D over UDP: at least 32 s. */
  readonly d: number;
}

export const standardTimers: TimerBase = { t1: 500, t2: 4000, t4: 5000, d: 32_000 };

/**
 * The timers of RFC 3261 table 4 and, for L and M, RFC 6026. A, E and G double (see `nextInterval`); they do not
 * exist over a reliable transport. C belongs to proxies and is not a transaction's.
 */
export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

/** The timers that make retransmissions. */
export const repeating: ReadonlySet<TimerName> = new Set<TimerName>(['A', 'E', 'G']);

/** First duration of a timer in milliseconds, undefined when the transport has no use for it. */
export function timerDuration(name: TimerName, base: TimerBase, reliable: boolean): number | undefined {
  switch (name) {
    case 'A':
    case 'E':
    case 'G':
      return reliable ? undefined : base.t1;
    case 'B':
    case 'F':
    case 'H':
    case 'L':
    case 'M':
      return 64 * base.t1;
    case 'D':
      return reliable ? 0 : base.d;
    case 'I':
    case 'K':
      return reliable ? 0 : base.t4;
    case 'J':
      return reliable ? 0 : 64 * base.t1;
  }
}

/**
 * The wait after a retransmission: A doubles without bound (B ends it), G and E double up to T2, and E waits T2
 * at once in Proceeding (sections 17.1.1.2, 17.1.2.2, 17.2.1).
 */
export function nextInterval(name: TimerName, last: number, base: TimerBase, proceeding: boolean): number {
  if (name === 'A') return last * 2;
  if (name === 'E' && proceeding) return base.t2;
  return Math.min(last * 2, base.t2);
}
