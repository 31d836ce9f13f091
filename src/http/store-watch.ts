import { StoreUnavailable } from '../numbers/ports.js';
import type { Logger } from '../observe/logger.js';
import { Problem } from './problems.js';

/** Whether Redis answers, told to the log once a change: a line a request would drown everything else. */
export class StoreWatch {
  #down = false;
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** What the store answers. @param failing is told before the problem @throws Problem storeDown where it does not */
  async ask<T>(question: Promise<T>, failing?: () => void): Promise<T> {
    try {
      const answer = await question;
      this.answered();
      return answer;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.failed();
      failing?.();
      throw new Problem('storeDown');
    }
  }

  answered(): void {
    if (!this.#down) return;
    this.#down = false;
    this.#logger.info({}, 'the store of links answers again');
  }

  failed(): void {
    if (this.#down) return;
    this.#down = true;
    this.#logger.warn({}, 'the store of links does not answer: pages keep their printed number');
  }
}
