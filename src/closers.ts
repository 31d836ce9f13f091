import type { Logger } from './observe/logger.js';

interface Closable {
  close(reason: string): void | Promise<void>;
}

/** What was started, to be closed in the opposite order; once, whoever asks. */
export class Closers {
  readonly #log: Logger;
  readonly #parts: { readonly name: string; readonly part: Closable }[] = [];
  #before: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  add<T extends Closable>(name: string, part: T): T {
    this.#parts.push({ name, part });
    return part;
  }

  /** What is done before anything is closed. */
  first(step: () => Promise<void>): void {
    this.#before = step;
  }

  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    this.#log.info({ reason }, 'stopping');
    await this.#before?.();
    for (const { name, part } of this.#parts.reverse()) {
      try {
        await part.close(reason);
      } catch (error) {
        this.#log.error(
          { part: name, reason: error instanceof Error ? error.message : 'unknown' },
          'a part did not close',
        );
      }
    }
  }
}
