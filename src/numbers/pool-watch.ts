import type { Account, Directory } from '../directory/model.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { sizePool, type Sizing } from './sizing.js';
import type { PoolTraffic } from './traffic.js';

export interface PoolWatchParts {
  readonly directory: () => Directory;
  readonly traffic: (account: Account['id'], pool: string) => Promise<PoolTraffic>;
  readonly metrics: Pick<Metrics, 'poolUtilisation' | 'poolOffered' | 'poolBlocked'>;
  readonly logger: Logger;
  /** How often the pools are looked at. */
  readonly everyMs?: number;
}

const EVERY_MS = 60_000;

/** Looks at the pools' own traffic each minute: sets the metrics, and says once when a pool becomes too small, and when it no longer is. */
export class PoolWatch {
  readonly #parts: PoolWatchParts;
  readonly #timer: NodeJS.Timeout;
  /** By pool: the marks that it passed when last seen, as one text. */
  readonly #passed = new Map<string, string>();
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(parts: PoolWatchParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.look(), parts.everyMs ?? EVERY_MS);
  }

  /** Looks at all pools once; never rejects. A look that is under way is not overtaken. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const seen = new Set<string>();
    for (const { id: account, pools } of this.#parts.directory().accounts) {
      for (const { id: pool } of pools) {
        if (this.#closed) return;
        seen.add(pool);
        try {
          this.#tell(pool, sizePool(await this.#parts.traffic(account, pool)));
        } catch (error) {
          // Without Redis all of them fail, and the clients say so themselves: the next minute asks again.
          const reason = error instanceof Error ? error.message : 'unknown';
          this.#parts.logger.debug({ pool, reason }, 'the traffic of a pool could not be read');
          return;
        }
      }
    }
    for (const pool of this.#passed.keys()) if (!seen.has(pool)) this.#forget(pool);
  }

  #tell(pool: string, sizing: Sizing): void {
    const { metrics, logger } = this.#parts;
    const { numbers, arrivalsPerHour, offered, utilisation, withoutNumber, warnings, proposal } = sizing;
    metrics.poolUtilisation.set(pool, utilisation);
    metrics.poolOffered.set(pool, offered);
    metrics.poolBlocked.set(pool, withoutNumber.measured ?? 0);
    const passed = warnings.map(({ what }) => what).join(' ');
    const before = this.#passed.get(pool) ?? '';
    this.#passed.set(pool, passed);
    if (passed === before) return;
    if (warnings.length > 0) {
      logger.warn({ pool, numbers, arrivalsPerHour, warnings, proposal }, 'a pool is too small');
    } else logger.info({ pool, numbers, arrivalsPerHour }, 'a pool is large enough again');
  }

  #forget(pool: string): void {
    const { poolUtilisation, poolOffered, poolBlocked } = this.#parts.metrics;
    this.#passed.delete(pool);
    for (const reading of [poolUtilisation, poolOffered, poolBlocked]) reading.remove(pool);
  }
}
