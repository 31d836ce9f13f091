/** An entry of an account's stream: its id there, and its event as JSON; no text when it has another form. */
export interface StreamEntry {
  readonly id: string;
  readonly text: string | undefined;
}

/**
 * The accounts' event streams, as a consumer of the group `ledger` sees them. An entry that was read stays pending until
 * it is settled, and may be claimed from a consumer that did not settle it. All reject while Redis cannot be asked.
 */
export interface EventStreams {
  /** Up to `count` entries that no consumer has seen yet; the group is made as needed, from the stream's beginning. */
  read(account: string, consumer: string, count: number): Promise<readonly StreamEntry[]>;
  /** Entries that some consumer has had for `idleMs` without settling them; they are now this consumer's. */
  claim(account: string, consumer: string, idleMs: number, count: number): Promise<readonly StreamEntry[]>;
  /** `done` leave the stream; `refused` stay there to be looked at, and no consumer is given them again. */
  settle(account: string, done: readonly string[], refused: readonly string[]): Promise<void>;
  /** Forgets consumers that have nothing pending and were not seen for `idleMs`. */
  tidy(account: string, idleMs: number): Promise<void>;
}
