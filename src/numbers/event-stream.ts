import { Seq, type CallEvent } from '../calls/events.js';
import { UnexpectedReply } from './codes.js';
import { accountKeys } from './keys.js';
import type { ScriptPort } from './ports.js';

const CHUNK = 1_000;

/**
 * What a media node tells, it tells again in its leg's end and its spool: should this process die with it in hand, no record
 * lacks it. What was decided here is known nowhere else.
 */
const TOLD_AGAIN: ReadonlySet<number> = new Set([Seq.ringing, Seq.answered, Seq.endedByNode]);
/**
 * How long an event of that kind waits for others at most, ms: a write of its own, and the turn of the event loop that its
 * answer takes, cost as much CPU as all the rest of it.
 */
const GATHER_MS = 50;

interface Waiting {
  readonly text: string;
  /** The call that is over with the event; empty for none. */
  readonly over: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The accounts' event streams and the live calls beside them. */
export class EventStream {
  readonly #scripts: ScriptPort;
  readonly #clock: (() => number) | undefined;
  /** By account, in the order in which they came. */
  readonly #waiting = new Map<string, Waiting[]>();
  #leaving: NodeJS.Immediate | undefined;
  #gathering: NodeJS.Timeout | undefined;

  /** `clock` as for `Allocator`. */
  constructor(scripts: ScriptPort, clock?: () => number) {
    this.#scripts = scripts;
    this.#clock = clock;
  }

  /**
   * Writes an event into its account's stream, with all that one turn of the event loop brings; the event `ended` takes its
   * call out of the live ones. May be repeated: the ledger knows an event by call and seq. Rejects with `StoreUnavailable`:
   * spool it.
   */
  async append(event: CallEvent): Promise<void> {
    const text = JSON.stringify(event);
    return new Promise((resolve, reject) => {
      const one = { text, over: event.kind === 'ended' ? event.call : '', resolve, reject };
      const others = this.#waiting.get(event.account);
      if (others === undefined) this.#waiting.set(event.account, [one]);
      else others.push(one);
      if (TOLD_AGAIN.has(event.seq)) this.#gathering ??= setTimeout(() => this.#write(), GATHER_MS);
      else this.#leaving ??= setImmediate(() => this.#write());
    });
  }

  #write(): void {
    clearImmediate(this.#leaving);
    clearTimeout(this.#gathering);
    this.#leaving = undefined;
    this.#gathering = undefined;
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const [account, events] of all) {
      const keys = accountKeys(account);
      const args = events.flatMap(({ text, over }) => [text, over]);
      this.#scripts.run('append', [keys.events, keys.live], args).then(
        () => events.forEach(({ resolve }) => resolve()),
        (error: unknown) => events.forEach(({ reject }) => reject(error)),
      );
    }
  }

  /** A media node still has these calls: they count as live for `forMs` more, by Redis's clock. Resolves with how many were known. */
  async keep(account: string, calls: readonly string[], forMs: number): Promise<number> {
    const keys = accountKeys(account);
    let known = 0;
    for (let from = 0; from < calls.length; from += CHUNK) {
      const chunk = calls.slice(from, from + CHUNK);
      const reply = await this.#scripts.run('keep', [keys.live], [this.#clock?.() ?? '', forMs, ...chunk]);
      if (typeof reply !== 'number') throw new UnexpectedReply('keep');
      known += reply;
    }
    return known;
  }
}
