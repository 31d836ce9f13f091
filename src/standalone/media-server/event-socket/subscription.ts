import type { EventFields } from '../channel/event.js';

/** Which events a client wants: names, `ALL`, subclasses of CUSTOM, and filters, of which one must hold. */
export class Subscription {
  readonly #names = new Set<string>();
  readonly #subclasses = new Set<string>();
  #filters: { name: string; value: string }[] = [];

  get empty(): boolean {
    return this.#names.size === 0 && this.#subclasses.size === 0;
  }

  /** Adds the words after `event json`; every word after CUSTOM is a subclass. Returns how many were taken. */
  add(words: readonly string[]): number {
    return this.#each(words, (set, word) => set.add(word));
  }

  remove(words: readonly string[]): number {
    return this.#each(words, (set, word) => set.delete(word));
  }

  clear(): void {
    this.#names.clear();
    this.#subclasses.clear();
  }

  addFilter(name: string, value: string): void {
    this.#filters.push({ name, value });
  }

  /** Takes filters away: those of a name and a value, all of a name, or all. */
  removeFilters(name?: string, value?: string): void {
    this.#filters = this.#filters.filter(
      (filter) =>
        name !== undefined && (filter.name !== name || (value !== undefined && filter.value !== value)),
    );
  }

  /**
   * Whether an event of this name may be wanted at all: asked before the event is made, with those of its fields that
   * are `known` by then.
   */
  mayWant(name: string, known: EventFields): boolean {
    const named =
      this.#names.has(name) || this.#names.has('ALL') || (name === 'CUSTOM' && this.#subclasses.size > 0);
    if (!named || this.#filters.length === 0) return named;
    return this.#filters.some((filter) => {
      const header = filter.name === 'Event-Name' ? name : known[filter.name];
      return header === undefined || matches(header, filter.value);
    });
  }

  wants(event: EventFields): boolean {
    const name = event['Event-Name'] ?? '';
    const named = this.#names.has(name) || this.#names.has('ALL');
    if (!named && !(name === 'CUSTOM' && this.#subclasses.has(event['Event-Subclass'] ?? ''))) return false;
    return (
      this.#filters.length === 0 ||
      this.#filters.some(({ name: header, value }) => matches(event[header], value))
    );
  }

  #each(words: readonly string[], act: (set: Set<string>, word: string) => void): number {
    let custom = false;
    let taken = 0;
    for (const word of words) {
      taken += 1;
      if (custom) act(this.#subclasses, word);
      else if (word.toUpperCase() === 'CUSTOM') custom = true;
      else act(this.#names, word.toUpperCase().replace(/^SWITCH_EVENT_/, ''));
    }
    return taken;
  }
}

/** A filter's value is part of the header's, or a regular expression when it is between slashes. */
function matches(header: string | undefined, value: string): boolean {
  if (header === undefined) return false;
  const pattern = /^\/(.*)\/$/s.exec(value)?.[1];
  return pattern === undefined ? header.includes(value) : new RegExp(pattern).test(header);
}
