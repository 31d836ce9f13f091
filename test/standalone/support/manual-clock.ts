import type { Clock } from '../../../src/standalone/sip/clock.js';

/** A clock that goes only when told to. */
export class ManualClock implements Clock {
  #now = 0;
  #due: { at: number; action: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): () => void {
    const entry = { at: this.#now + ms, action };
    this.#due.push(entry);
    return () => (this.#due = this.#due.filter((e) => e !== entry));
  }

  /** Lets time pass; what is due is done in order, each at its own time. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#due.filter((e) => e.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((e) => e !== next);
      this.#now = next.at;
      next.action();
    }
    this.#now = end;
  }

  /** Timers that run. */
  get running(): number {
    return this.#due.length;
  }
}
