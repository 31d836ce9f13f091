import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** What a process under way is short of. */
export interface Load {
  /** How late timers were, the median of a second, ms: one that was very late (a start, a collection) is no pressure. */
  readonly delayMs: number;
  /** Share of the heap's limit that is in use. */
  readonly heap: number;
}

/**
 * A call needs ten turns of the event loop from the INVITE to the answer: at 100 ms a turn the carrier repeats its INVITE
 * (T1 = 500 ms). Calls are taken again when both are well below, so that a process at its limit does not flap.
 */
const PRESSED: Load = { delayMs: 100, heap: 0.85 };
const RELIEVED: Load = { delayMs: 40, heap: 0.7 };
const LOOK_MS = 1000;
/** Each look of the histogram wakes the process up, also when it is idle. */
const RESOLUTION_MS = 50;

/**
 * Whether a process that was `pressed` is so now. Two looks in a row must say so: a machine that stood still for a moment leaves
 * one late timer, and now and then a look that saw no other.
 */
export function isPressed(pressed: boolean, now: Load, before: Load): boolean {
  if (pressed) return now.delayMs > RELIEVED.delayMs || now.heap > RELIEVED.heap;
  return isOver(now) && isOver(before);
}

function isOver({ delayMs, heap }: Load): boolean {
  return delayMs > PRESSED.delayMs || heap > PRESSED.heap;
}

/** Looks at the event loop and the heap once a second. */
export class Pressure {
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  readonly #changed: (pressed: boolean, load: Load) => void;
  #pressed = false;
  #before: Load = { delayMs: 0, heap: 0 };

  constructor(changed: (pressed: boolean, load: Load) => void) {
    this.#changed = changed;
    this.#delays.enable();
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_MS);
    this.#timer.unref();
  }

  /** Whether new calls are better off elsewhere. */
  get pressed(): boolean {
    return this.#pressed;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  #look(): void {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    // What the histogram holds is the time between two of its timers, RESOLUTION_MS when nothing is late.
    const load = { delayMs: this.#delays.percentile(50) / 1e6 - RESOLUTION_MS, heap: used / limit };
    this.#delays.reset();
    const pressed = isPressed(this.#pressed, load, this.#before);
    this.#before = load;
    if (pressed === this.#pressed) return;
    this.#pressed = pressed;
    this.#changed(pressed, load);
  }
}
