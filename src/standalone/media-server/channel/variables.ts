/** Channel variables: names compare without case, the first spelling and the order of setting stay. */
export class Variables {
  readonly #values = new Map<string, { name: string; value: string }>();

  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())?.value;
  }

  /** Sets a value; undefined or an empty one takes the variable away, as in FreeSWITCH. */
  set(name: string, value: string | undefined): void {
    const key = name.toLowerCase();
    if (value === undefined || value === '') this.#values.delete(key);
    else this.#values.set(key, { name: this.#values.get(key)?.name ?? name, value });
  }

  setAll(values: Iterable<readonly [string, string]>): void {
    for (const [name, value] of values) this.set(name, value);
  }

  *[Symbol.iterator](): IterableIterator<readonly [name: string, value: string]> {
    for (const { name, value } of this.#values.values()) yield [name, value];
  }
}
