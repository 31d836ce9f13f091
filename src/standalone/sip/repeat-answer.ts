import type { Clock } from './clock.js';
import type { TimerBase } from './timers.js';

/**
 * Repeats a 2xx to an INVITE until its ACK comes (RFC 3261 section 13.3.1.4): after T1, doubling up to T2, for
 * 64*T1, over any transport.
 *
 * @param send sends the same 2xx again: `() => transaction.respond(answer)`
 * @param onSilence no ACK came within 64*T1: the caller should send a BYE
 * @returns stop, to be called when the ACK came (or the dialog ended); may be called more than once
 */
export function repeatAnswer(
  clock: Clock,
  timers: TimerBase,
  send: () => void,
  onSilence: () => void,
): () => void {
  let stop = (): void => undefined;
  const again = (wait: number, left: number): void => {
    stop = clock.after(Math.min(wait, left), () => {
      if (left <= wait) return onSilence();
      send();
      again(Math.min(wait * 2, timers.t2), left - wait);
    });
  };
  again(timers.t1, 64 * timers.t1);
  return () => stop();
}
