import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { readEvent } from '../calls/event-text.js';
import type { CallEvent } from '../calls/events.js';
import type { CallLog } from '../calls/ports.js';
import { mintId } from '../ids.js';
import type { Logger } from '../observe/logger.js';
import type { EventStreams, StreamEntry } from './event-streams.js';

/** Entries of one read, one commit and one settling. */
const BATCH = 500;
/** Accounts that are read side by side. */
const ABREAST = 16;
/**
 * How long events gather after the first one before they are read, ms: a call tells several within its first moments. Under
 * calls they gather until the last reading began so long ago: a commit costs the disk and the process nearly the same for
 * one call as for fifty.
 */
const GATHER_MS = 100;
const APART_MS = 1_000;
/** Every account is read this often, whoever wrote into its stream, ms. */
const ROUND_MS = 2_000;
/**
 * What a consumer has not settled for this long is taken from it: it died, or its own settling failed. Short, because a
 * call has no record until then; one that is only slow is not harmed, as a second commit changes nothing.
 */
const IDLE_MS = 4_000;
const CLAIM_EVERY_ROUNDS = 2;
const FORGET_MS = 3_600_000;
const COMMIT_RETRY_LIMIT_MS = 5_000;
const CLOSE_MS = 2_000;

export interface ConsumerParts {
  readonly streams: EventStreams;
  readonly callLog: Pick<CallLog, 'append'>;
  /** Whose streams there are: the directory's accounts. */
  readonly accounts: () => readonly string[];
  readonly logger: Logger;
  readonly roundMs?: number;
  readonly idleMs?: number;
}

export interface ConsumerCounts {
  committed: number;
  claimed: number;
  /** Entries that are no events of their account; they stay in the stream. */
  refused: number;
}

/**
 * Brings the events of all accounts' streams into the call log, as one of any number of consumers. An entry leaves its
 * stream after the commit; between the two a crash repeats it, which changes nothing.
 */
export class StreamConsumer {
  readonly counts: ConsumerCounts = { committed: 0, claimed: 0, refused: 0 };
  readonly #parts: ConsumerParts;
  readonly #name: string;
  readonly #roundMs: number;
  readonly #due = new Set<string>();
  /** Whose events gather. */
  readonly #woken = new Set<string>();
  readonly #closing = new AbortController();
  #rounds = 0;
  #claimDue = false;
  #timer: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  /** When the last reading began (`performance.now`). */
  #workedAt = -APART_MS;
  /** When everything that there was had been committed (`performance.now`); undefined while something failed. */
  #caughtUpAt: number | undefined;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#name = `${hostname()}-${process.pid}-${mintId('key').slice(4)}`;
    this.#roundMs = parts.roundMs ?? ROUND_MS;
    this.#round();
  }

  /** Whether the call log held all events of the streams when it was last looked, a short while ago. */
  get caughtUp(): boolean {
    return this.#caughtUpAt !== undefined && performance.now() - this.#caughtUpAt < 3 * this.#roundMs;
  }

  /** Stops after the batch that is under way, or after 2 s where Redis or the call log is away: its entries stay pending. */
  async close(reason: string): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#parts.logger.debug({ reason, ...this.counts }, 'the ledger stops');
      this.#closing.abort();
      clearTimeout(this.#timer);
      clearTimeout(this.#gathering);
    }
    const limit = new AbortController();
    const ended = Promise.resolve(this.#working).then(() => limit.abort());
    await Promise.race([ended, wait(CLOSE_MS, undefined, { signal: limit.signal }).catch(() => undefined)]);
  }

  #round(): void {
    for (const account of this.#parts.accounts()) this.#due.add(account);
    this.#rounds += 1;
    if (this.#rounds % CLAIM_EVERY_ROUNDS === 1) this.#claimDue = true; // the first round claims too
    this.#work();
    this.#timer = setTimeout(() => this.#round(), this.#roundMs);
  }

  /**
   * This process wrote into the stream of `account`: it is read shortly. Other processes are not told, as one is enough; they
   * find what this one left behind in their rounds.
   */
  grew(account: string): void {
    if (this.#closing.signal.aborted) return;
    this.#woken.add(account);
    const waitMs = Math.max(GATHER_MS, this.#workedAt + APART_MS - performance.now());
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      for (const one of this.#woken) this.#due.add(one);
      this.#woken.clear();
      this.#work();
    }, waitMs);
  }

  #work(): void {
    if (this.#closing.signal.aborted) return;
    if (this.#working !== undefined) return;
    this.#workedAt = performance.now();
    this.#working = this.#workOff().then((well) => {
      this.#caughtUpAt = well ? performance.now() : undefined;
      this.#working = undefined;
      if (well && this.#due.size > 0) this.#work(); // somebody called in the last moment
    });
  }

  /** Whether all went well. A stream that cannot be read holds up no other, and is tried again in the next round. */
  async #workOff(): Promise<boolean> {
    let well = true;
    if (this.#claimDue) {
      this.#claimDue = false;
      well = await this.#each([...this.#due], (account) => this.#takeOver(account));
    }
    while (this.#due.size > 0 && !this.#closing.signal.aborted) {
      const accounts = [...this.#due];
      this.#due.clear();
      if (!(await this.#each(accounts, (account) => this.#drain(account)))) well = false;
    }
    return well;
  }

  async #each(accounts: readonly string[], work: (account: string) => Promise<void>): Promise<boolean> {
    let failures = 0;
    for (let i = 0; i < accounts.length; i += ABREAST) {
      for (const result of await Promise.allSettled(accounts.slice(i, i + ABREAST).map(work))) {
        if (result.status === 'fulfilled') continue;
        failures += 1;
        if (failures === 1 && !this.#closing.signal.aborted) {
          this.#parts.logger.warn({ fault: faultOf(result.reason) }, 'the ledger could not read a stream');
        }
      }
    }
    return failures === 0;
  }

  async #drain(account: string): Promise<void> {
    let full = true;
    while (full && !this.#closing.signal.aborted) {
      const entries = await this.#parts.streams.read(account, this.#name, BATCH);
      await this.#take(account, entries);
      full = entries.length === BATCH;
    }
  }

  async #takeOver(account: string): Promise<void> {
    const entries = await this.#parts.streams.claim(
      account,
      this.#name,
      this.#parts.idleMs ?? IDLE_MS,
      BATCH,
    );
    this.counts.claimed += entries.length;
    await this.#take(account, entries);
    await this.#parts.streams.tidy(account, FORGET_MS);
  }

  async #take(account: string, entries: readonly StreamEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const events: CallEvent[] = [];
    const done: string[] = [];
    const refused: string[] = [];
    for (const { id, text } of entries) {
      const event = text === undefined ? undefined : readEvent(text);
      if (event?.account === account) {
        events.push(event);
        done.push(id);
      } else {
        refused.push(id);
      }
    }
    if (refused.length > 0) {
      this.counts.refused += refused.length;
      this.#parts.logger.error(
        { account, entries: refused },
        'entries of a stream are no events: they are left there',
      );
    }
    if (events.length > 0 && !(await this.#commit(events))) return;
    await this.#parts.streams.settle(account, done, refused);
    this.counts.committed += done.length;
  }

  /** Tries until the call log takes the events; false when the ledger closes before that. */
  async #commit(events: readonly CallEvent[]): Promise<boolean> {
    for (
      let delayMs = 100;
      !this.#closing.signal.aborted;
      delayMs = Math.min(delayMs * 2, COMMIT_RETRY_LIMIT_MS)
    ) {
      try {
        await this.#parts.callLog.append(events);
        return true;
      } catch (error) {
        this.#caughtUpAt = undefined;
        this.#parts.logger.warn(
          { fault: faultOf(error), events: events.length },
          'the call log takes no events: they wait',
        );
        await wait(delayMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
    return false;
  }
}

function faultOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
