/** A life with its states as data: which follow which. */
export class States<S extends string> {
  readonly #next: Readonly<Record<S, readonly S[]>>;
  #now: S;

  constructor(next: Readonly<Record<S, readonly S[]>>, first: S) {
    this.#next = next;
    this.#now = first;
  }

  get now(): S {
    return this.#now;
  }

  /** The one way from state to state. @throws for one that the table does not have: a fault of ours */
  enter(next: S): void {
    if (!this.#next[this.#now].includes(next))
      throw new Error(`a call cannot go from ${this.#now} to ${next}`);
    this.#now = next;
  }
}
