/** How many sessions there are, were, and came in this second. */
export class SessionCounts {
  sessions = 0;
  peak = 0;
  callsIn = 0;
  callsOut = 0;
  failedIn = 0;
  failedOut = 0;
  mostPerSecond = 0;
  #second = 0;
  #inSecond = 0;
  #lastSecond = 0;

  /** Sessions of the second before this one. */
  get lastSecond(): number {
    this.#turn();
    return this.#lastSecond;
  }

  /** Sessions of this second so far. */
  get thisSecond(): number {
    this.#turn();
    return this.#inSecond;
  }

  /** Counts a new session and gives its number, from 1. */
  begin(direction: 'inbound' | 'outbound', present: number): number {
    this.#turn();
    this.#inSecond += 1;
    this.mostPerSecond = Math.max(this.mostPerSecond, this.#inSecond);
    this.sessions += 1;
    this.peak = Math.max(this.peak, present + 1);
    if (direction === 'inbound') this.callsIn += 1;
    else this.callsOut += 1;
    return this.sessions;
  }

  #turn(): void {
    const second = Math.floor(Date.now() / 1000);
    if (second === this.#second) return;
    this.#lastSecond = second === this.#second + 1 ? this.#inSecond : 0;
    this.#second = second;
    this.#inSecond = 0;
  }
}
