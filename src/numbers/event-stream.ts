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

/** The accounts' event streams and the live calls beside them. */
export class EventStream {
  readonly #scripts: ScriptPort;
  readonly #clock: (() => number) | undefined;

  /** `clock` as for `Allocator`. */
  constructor(scripts: ScriptPort, clock?: () => number) {
    this.#scripts = scripts;
    this.#clock = clock;
  }

  /**
   * Writes an event into its account's stream; the event `ended` takes its call out of the live
   * ones. May be repeated: the ledger knows an event by call and seq. Rejects with `StoreUnavailable`: spool it.
   */
  async append(event: CallEvent): Promise<void> {
    const keys = accountKeys(event.account);
    await this.#scripts.run(
      'append',
      [keys.events, keys.live],
      [JSON.stringify(event), event.kind === 'ended' ? event.call : ''],
      TOLD_AGAIN.has(event.seq) ? 'soon' : 'now',
    );
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
