import type { Logger } from '../observe/logger.js';
import { DirectoryIndex } from './directory-index.js';
import type { DirectoryStore } from './ports.js';

/** How soon a failed look at the store is repeated. */
const RETRY_MS = 250;

export type DirectoryListener = (next: DirectoryIndex, previous: DirectoryIndex) => void;

/**
 * The newest directory, held in memory: calls and pages never wait for the store. Follows the store within a second,
 * and keeps what it has while the store is away.
 */
export class DirectoryCache {
  readonly #store: DirectoryStore;
  readonly #logger: Logger;
  readonly #listeners = new Set<DirectoryListener>();
  readonly #closed = new AbortController();
  #current: DirectoryIndex;
  #unwatch: () => Promise<void> = () => Promise.resolve();
  /** A look is under way. */
  #looking = false;
  /** Something changed since that look began. */
  #again = false;
  #retry: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  private constructor(store: DirectoryStore, logger: Logger, current: DirectoryIndex) {
    this.#store = store;
    this.#logger = logger;
    this.#current = current;
  }

  /** Reads the directory and begins to follow it. Rejects when the store cannot be read: there is nothing to hold yet. */
  static async open(store: DirectoryStore, logger: Logger): Promise<DirectoryCache> {
    const cache = new DirectoryCache(store, logger, new DirectoryIndex(await store.read()));
    cache.#unwatch = await store.watch(() => cache.#look());
    // What changed between the read and the watch was told to nobody.
    cache.#look();
    return cache;
  }

  get current(): DirectoryIndex {
    return this.#current;
  }

  /** Calls `listener` after each change; the returned function ends that. */
  onChange(listener: DirectoryListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Stops following; `current` stays readable. */
  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    this.#closed.abort(reason);
    clearTimeout(this.#retry);
    this.#listeners.clear();
    await this.#unwatch();
    this.#logger.debug({ reason }, 'the directory is not followed any more');
  }

  #look(): void {
    if (this.#closed.signal.aborted) return;
    this.#again = true;
    if (!this.#looking) void this.#followUp();
  }

  /** Never rejects. What is told while it looks makes it look once more. */
  async #followUp(): Promise<void> {
    this.#looking = true;
    while (this.#again && !this.#closed.signal.aborted) {
      this.#again = false;
      try {
        this.#adopt(new DirectoryIndex(await this.#store.read()));
      } catch (error) {
        this.#logger.warn(
          { error: String(error), version: this.#current.version },
          'the directory could not be read',
        );
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#look(), RETRY_MS);
        break;
      }
    }
    // In the same step as the last look at `#again`: nothing that is told can fall in between.
    this.#looking = false;
  }

  #adopt(next: DirectoryIndex): void {
    const previous = this.#current;
    if (next.version === previous.version || this.#closed.signal.aborted) return;
    // Version 0 was never applied by anybody: the store lost its data. Calls go on by what we know.
    if (next.version === 0) {
      this.#logger.error({ version: previous.version }, 'the store has lost the directory: apply it again');
      return;
    }
    this.#current = next;
    this.#logger.info({ version: next.version }, 'the directory changed');
    for (const listener of this.#listeners) {
      try {
        listener(next, previous);
      } catch (error) {
        this.#logger.error(
          { error: String(error), version: next.version },
          'a listener failed on a changed directory',
        );
      }
    }
  }
}
