interface Item<T> {
  readonly at: number;
  /** Of two at the same time, the one that was put in first comes first. */
  readonly order: number;
  readonly what: T;
}

/** What is to happen, by time: a binary heap. */
export class Agenda<T> {
  readonly #heap: Item<T>[] = [];
  #order = 0;

  add(at: number, what: T): void {
    const heap = this.#heap;
    const item = { at, order: this.#order++, what };
    let place = heap.length;
    heap.push(item);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(item, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = item;
  }

  /** Takes the next thing out; undefined when there is nothing more to come. */
  next(): { readonly at: number; readonly what: T } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let least = 2 * place + 1;
      const left = heap[least];
      const right = heap[least + 1];
      if (left === undefined) break;
      if (right !== undefined && before(right, left)) least += 1;
      const child = heap[least];
      if (child === undefined || !before(child, last)) break;
      heap[place] = child;
      place = least;
    }
    heap[place] = last;
    return first;
  }
}

function before<T>(one: Item<T>, other: Item<T>): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
