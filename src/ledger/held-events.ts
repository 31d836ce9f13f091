import type { CallEvent } from '../calls/events.js';
import type { EventSink } from '../calls/ports.js';
import type { Logger } from '../observe/logger.js';

/** How often what is held is tried again, ms, and how much at once: one sync of the disk serves a batch. */
const RETRY_MS = 500;
const BATCH = 200;
/**
 * More than this, and no new calls are to be taken; those that are up bring a few more each. About 1 KB an event: some
 * minutes of a busy process, and nothing that its memory would notice.
 */
const MOST = 20_000;
/** A process that stops tries this long to be rid of them, ms. */
const CLOSE_MS = 1_000;

export interface HeldEventsParts {
  /** Stores an event for good, or rejects: the event spool. */
  readonly sink: EventSink;
  /** Told of each event once it is stored for good. */
  readonly stored: (event: CallEvent) => void;
  readonly logger: Logger;
  readonly retryMs?: number;
  readonly most?: number;
}

/**
 * Where events wait that neither Redis nor the disk takes: this process's memory, until one of them does. They are lost only
 * if the process ends before that.
 */
export class HeldEvents implements EventSink {
  readonly #parts: HeldEventsParts;
  #held: CallEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> | undefined;
  #closed = false;

  constructor(parts: HeldEventsParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#held.length;
  }

  /** Whether so many are held that no new calls should come. */
  get full(): boolean {
    return this.#held.length >= (this.#parts.most ?? MOST);
  }

  /** Resolves when the event is stored, or held. Rejects once this is closed and the event cannot be stored. */
  async append(event: CallEvent): Promise<void> {
    // Behind others that wait it is not tried: each attempt would cost a file's opening, and the retry takes it along.
    if (this.#held.length === 0 || this.#closed) {
      try {
        await this.#parts.sink.append(event);
        this.#parts.stored(event);
        return;
      } catch (error) {
        if (this.#closed) throw error;
        if (this.#held.length === 0)
          this.#parts.logger.error(
            { fault: error instanceof Error ? error.message : 'unknown' },
            'neither Redis nor the disk takes events: they are held in memory, and lost if this process ends',
          );
      }
    }
    this.#held.push(event);
    this.#later();
  }

  /** Tries a last time. What is still not taken is lost, and said so. Further calls change nothing. */
  async close(reason: string): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    await Promise.race([late, (this.#storing ?? Promise.resolve()).then(() => this.#store())]);
    clearTimeout(timer);
    const lost = this.#held.length;
    if (lost > 0) this.#parts.logger.error({ lost, reason }, 'events are lost: nothing took them to the end');
  }

  #later(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#storing = this.#store().finally(() => {
        this.#timer = undefined;
        this.#storing = undefined;
        if (this.#held.length > 0) this.#later();
      });
    }, this.#parts.retryMs ?? RETRY_MS);
  }

  /** Batch after batch, until one is refused or none is left. */
  async #store(): Promise<void> {
    const before = this.#held.length;
    let refused = false;
    while (!refused && this.#held.length > 0) {
      const batch = this.#held.slice(0, BATCH);
      const results = await Promise.allSettled(batch.map((event) => this.#parts.sink.append(event)));
      const kept = batch.filter((_, i) => results[i]?.status === 'rejected');
      // Others may have come meanwhile: they stand behind the batch.
      this.#held = [...kept, ...this.#held.slice(batch.length)];
      const stored = batch.filter((_, i) => results[i]?.status === 'fulfilled');
      for (const event of stored) this.#parts.stored(event);
      refused = kept.length > 0;
    }
    if (before > 0 && this.#held.length === 0)
      this.#parts.logger.warn({ events: before }, 'the events that were held in memory are stored');
  }
}
