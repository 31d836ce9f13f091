/** Something that is to be over in time. */
export interface Awaited {
  over: boolean;
  late(): void;
}

/**
 * One time limit for many things that are under way: what is not `over` `ms` after it was added is told so. One timer for
 * all of them, because a timer each costs more than what it watches.
 */
export class Deadlines {
  readonly #ms: number;
  /** In the order of their ends, since all have the same limit. */
  #waiting: { readonly thing: Awaited; readonly at: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  add(thing: Awaited): void {
    this.#waiting.push({ thing, at: performance.now() + this.#ms });
    this.#timer ??= setTimeout(() => this.#look(), this.#ms);
  }

  #look(): void {
    const now = performance.now();
    let first = 0;
    for (; first < this.#waiting.length; first++) {
      const { thing, at } = this.#waiting[first] as { thing: Awaited; at: number };
      if (thing.over) continue;
      if (at > now) break;
      thing.over = true;
      thing.late();
    }
    this.#waiting = this.#waiting.slice(first);
    const next = this.#waiting[0];
    this.#timer = next === undefined ? undefined : setTimeout(() => this.#look(), Math.max(1, next.at - now));
  }
}
