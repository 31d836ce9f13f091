import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** Each look wakes the process up, also when it is idle. */
const RESOLUTION_MS = 100;
const QUANTILES = [0.5, 0.9, 0.99, 1];

/**
 * `tagswitch_event_loop_delay_seconds`: how late timers were since it was last read, by quantile. prom-client's own gauges tell the
 * time between two looks, which is never less than what lies between them by design.
 */
export function measureEventLoopDelay(registry: Registry): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  new Gauge({
    name: 'tagswitch_event_loop_delay_seconds',
    help: 'How late timers were since this was last read, by quantile',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      for (const quantile of QUANTILES) {
        const lateMs = delays.percentile(quantile * 100) / 1e6 - RESOLUTION_MS;
        this.set({ quantile: String(quantile) }, Math.max(0, lateMs) / 1000);
      }
      delays.reset();
    },
  });
}
