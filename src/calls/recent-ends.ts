import { forgetOldest } from '../forget-oldest.js';
import type { Ended } from './events.js';

/** A node's spool is read every second: what a busy node ends in half a minute, and nothing that memory notices. */
const MOST = 2_000;

/**
 * The newest ends of caller legs that reached the stream from this process: when a node's spool tells one of them again, it is
 * known. By call and time, as a call may have had a leg on two nodes.
 */
export class RecentEnds {
  readonly #ends = new Set<string>();

  add(end: Pick<Ended, 'call' | 'at'>): void {
    this.#ends.add(key(end));
    forgetOldest(this.#ends, MOST);
  }

  has(end: Pick<Ended, 'call' | 'at'>): boolean {
    return this.#ends.has(key(end));
  }
}

function key({ call, at }: Pick<Ended, 'call' | 'at'>): string {
  return `${call} ${String(at)}`;
}
