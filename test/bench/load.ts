import { setTimeout as wait } from 'node:timers/promises';
import { Latencies } from './latencies.js';

/** One request and its answer; resolves with whether the answer was the one that was asked for. */
export type Ask = () => Promise<boolean>;

export interface LoadResult {
  readonly perSecond: number;
  readonly failed: number;
  readonly latencies: Latencies;
}

/** Every asker has exactly one request under way: the most that this many can get out of the server. */
export async function closedLoop(askers: readonly Ask[], forMs: number): Promise<LoadResult> {
  const latencies = new Latencies();
  let failed = 0;
  const start = performance.now();
  const end = start + forMs;
  await Promise.all(
    askers.map(async (ask) => {
      let from = performance.now();
      while (from < end) {
        const good = await ask();
        const now = performance.now();
        latencies.record(now - from);
        if (!good) failed += 1;
        from = now;
      }
    }),
  );
  return { perSecond: (latencies.count * 1000) / (performance.now() - start), failed, latencies };
}

/**
 * Requests come at a steady rate, whether the earlier ones were answered or not. A request that found no free asker is
 * measured from when it was due, not from when it could be sent at last.
 */
export async function paced(askers: readonly Ask[], perSecond: number, forMs: number): Promise<LoadResult> {
  const latencies = new Latencies();
  let failed = 0;
  let slot = 0;
  const start = performance.now();
  await Promise.all(
    askers.map(async (ask) => {
      for (;;) {
        const after = (slot++ * 1000) / perSecond;
        if (after >= forMs) return;
        const early = start + after - performance.now();
        if (early > 0) await wait(early);
        // A timer of this process that was late is no latency of the server's.
        const from = early > 0 ? performance.now() : start + after;
        if (!(await ask())) failed += 1;
        latencies.record(performance.now() - from);
      }
    }),
  );
  return { perSecond: (latencies.count * 1000) / (performance.now() - start), failed, latencies };
}
