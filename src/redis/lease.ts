import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../observe/logger.js';
import type { RedisClient } from './clients.js';
import { loadScript } from './lua.js';

export const LEASE_MS = 3_000;

/** others: somebody else has it; open: Redis cannot be asked, so that nobody can have it and everybody may act. */
type State = 'others' | 'ours' | 'open' | 'closed';

const NEXT: Readonly<Record<State, readonly State[]>> = {
  others: ['ours', 'open', 'closed'],
  ours: ['others', 'open', 'closed'],
  open: ['ours', 'others', 'closed'],
  closed: [],
};

export interface LeaseSettings {
  /** How long it holds without being renewed. */
  readonly leaseMs?: number;
  /** Told of each change of `mayRead`. */
  readonly changed?: (mayRead: boolean) => void;
}

/** "One process does this": a key in Redis that its holder renews. While Redis is down every process may. */
export class Lease {
  readonly #client: RedisClient;
  readonly #key: string;
  readonly #logger: Logger;
  readonly #leaseMs: number;
  readonly #changed: (mayRead: boolean) => void;
  readonly #holder = randomUUID();
  readonly #lua = loadScript(fileURLToPath(new URL('.', import.meta.url)), 'lease');
  readonly #timer: NodeJS.Timeout;
  #state: State = 'others';
  #asking: Promise<void> | undefined;

  /** `client` fails fast. `key` names what the lease is for, for example `ts:lease:node:NAME`. Asks for it at once. */
  constructor(client: RedisClient, key: string, logger: Logger, settings: LeaseSettings = {}) {
    this.#client = client;
    this.#key = key;
    this.#logger = logger;
    this.#leaseMs = settings.leaseMs ?? LEASE_MS;
    this.#changed = settings.changed ?? (() => undefined);
    this.#timer = setInterval(() => this.#ask(), this.#leaseMs / 4);
    this.#ask();
  }

  mayRead(): boolean {
    return this.#state === 'ours' || this.#state === 'open';
  }

  /** Gives it up, so that another process has it at once. Further calls change nothing. */
  async close(reason: string): Promise<void> {
    const held = this.#state === 'ours';
    clearInterval(this.#timer);
    this.#become('closed');
    await this.#asking;
    if (!held) return;
    this.#logger.debug({ lease: this.#key, reason }, 'a lease is given up');
    await this.#renew(0).catch((error: unknown) => {
      this.#logger.debug(
        { lease: this.#key, fault: faultOf(error) },
        'a lease was not given up: it runs out',
      );
    });
  }

  #ask(): void {
    this.#asking ??= this.#hold()
      .then((ours) => this.#become(ours ? 'ours' : 'others'))
      .catch((error: unknown) => {
        this.#logger.debug({ lease: this.#key, fault: faultOf(error) }, 'Redis cannot be asked for a lease');
        this.#become('open');
      })
      .finally(() => (this.#asking = undefined));
  }

  async #hold(): Promise<boolean> {
    if (this.#state === 'ours' || this.#state === 'open') {
      // Also from `open`: Redis may have kept what was ours.
      if (await this.#renew(this.#leaseMs)) return true;
    }
    return (await this.#client.set(this.#key, this.#holder, 'PX', this.#leaseMs, 'NX')) === 'OK';
  }

  async #renew(forMs: number): Promise<boolean> {
    return (await this.#client.eval(this.#lua, 1, this.#key, this.#holder, forMs)) === 1;
  }

  #become(state: State): void {
    if (!NEXT[this.#state].includes(state)) return;
    const before = this.mayRead();
    this.#state = state;
    if (this.mayRead() !== before) this.#changed(this.mayRead());
  }
}

function faultOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
