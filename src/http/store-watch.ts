import type { Logger } from '../observe/logger.js';

/** Whether Redis answers, told to the log once a change: a line a request would drown everything else. */
export class StoreWatch {
  #down = false;
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
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
