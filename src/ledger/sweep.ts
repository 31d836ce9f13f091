import type { NodeFeed } from '../calls/node-feed.js';
import { overdue, STEP_MS } from '../calls/overdue.js';
import type { NodeView } from '../calls/overdue.js';
import type { CallLog, EventSink } from '../calls/ports.js';
import type { CallRecord } from '../calls/record.js';
import { SPOOL_WAIT_MS } from '../calls/recorder.js';
import type { Logger } from '../observe/logger.js';

const EVERY_MS = 5_000;
/** The way of events must have been clear for this long: what was held up is in the call log by then. */
const STEADY_MS = 10_000;

export interface SweepParts {
  readonly callLog: Pick<CallLog, 'open'>;
  readonly sink: EventSink;
  readonly feed: Pick<NodeFeed, 'state' | 'channels'>;
  /** Whether events reach the call log now: nothing is spooled, the ledger has caught up. Without that nothing is swept. */
  readonly steady: () => boolean;
  readonly logger: Logger;
  /** ms since the epoch: what is stamped is compared with it. */
  readonly clock?: () => number;
  /** ms that nobody sets: how long something was so is measured with it. */
  readonly elapsed?: () => number;
  readonly everyMs?: number;
  readonly steadyMs?: number;
}

/**
 * Closes the calls whose end nobody told, by the rules of `calls/overdue.ts`. Every process may sweep: they find the same
 * calls and write the same event. A witness who comes later is believed more than the sweep.
 */
export class Sweep {
  readonly #parts: SweepParts;
  readonly #clock: () => number;
  readonly #elapsed: () => number;
  readonly #timer: NodeJS.Timeout;
  /** Calls that their node did not have, and since when we know: its spool may still tell their end. */
  #missed = new Map<string, number>();
  #steadySince: number | undefined;
  #sweeping: Promise<void> | undefined;
  #closed = false;

  constructor(parts: SweepParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
    this.#elapsed = parts.elapsed ?? (() => performance.now());
    this.#timer = setInterval(() => void this.sweep(), parts.everyMs ?? EVERY_MS);
  }

  /** One round; resolves when it is done, also when it failed. A round that is under way is not begun again. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep()
      .catch((error: unknown) => {
        this.#parts.logger.warn(
          { fault: error instanceof Error ? error.message : 'unknown' },
          'open calls were not swept',
        );
      })
      .finally(() => (this.#sweeping = undefined));
    return this.#sweeping;
  }

  /** Waits for the round that is under way. Further calls change nothing. */
  async close(reason: string): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#parts.logger.debug({ reason }, 'the sweep stops');
      clearInterval(this.#timer);
    }
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const now = this.#clock();
    const elapsed = this.#elapsed();
    this.#steadySince = this.#parts.steady() ? (this.#steadySince ?? elapsed) : undefined;
    if (
      this.#closed ||
      this.#steadySince === undefined ||
      elapsed - this.#steadySince < (this.#parts.steadyMs ?? STEADY_MS)
    )
      return;
    const open = await this.#parts.callLog.open(now - STEP_MS);
    const views = await this.#views(open);
    const missed = new Map<string, number>();
    let closed = 0;
    for (const record of open) {
      const view = views(record);
      if (view.kind === 'hasNot') {
        const since = this.#missed.get(record.id) ?? elapsed;
        missed.set(record.id, since);
        if (elapsed - since < SPOOL_WAIT_MS) continue;
      }
      const end = overdue(record, now, view);
      if (end === undefined) continue;
      await this.#parts.sink.append(end);
      closed += 1;
    }
    this.#missed = missed;
    if (closed > 0) this.#parts.logger.warn({ closed }, 'calls were closed whose end nobody told');
  }

  /** Each node that has open calls is asked once a round. */
  async #views(open: readonly CallRecord[]): Promise<(record: CallRecord) => NodeView> {
    const nodes = new Set(open.flatMap(({ mediaNode }) => mediaNode ?? []));
    const asked = new Map<string, ReadonlySet<string> | NodeView>();
    await Promise.all([...nodes].map(async (node) => asked.set(node, await this.#ask(node))));
    return ({ mediaNode, id }) => {
      const view = mediaNode === null ? undefined : asked.get(mediaNode);
      if (view === undefined) return { kind: 'unknown' };
      if (!('has' in view)) return view;
      return { kind: view.has(id) ? 'has' : 'hasNot' };
    };
  }

  async #ask(node: string): Promise<ReadonlySet<string> | NodeView> {
    const state = this.#parts.feed.state(node);
    if (state === undefined) return { kind: 'away', since: 0 }; // nobody is set to use it any more
    if (!state.up) return { kind: 'away', since: state.since };
    try {
      return new Set((await this.#parts.feed.channels(node)).map(({ call }) => call));
    } catch {
      return { kind: 'unknown' };
    }
  }
}
