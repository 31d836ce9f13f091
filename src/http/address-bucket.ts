/** More addresses than this at once, and the one seen longest ago is forgotten (and with it, that it was busy). */
const MAX_ADDRESSES = 50_000;

/**
 * A token bucket an address, in memory: keeps one visitor's machine from emptying a pool. One number a bucket: the
 * moment at which it would be full again (generic cell rate algorithm).
 */
export class AddressBucket {
  readonly #fullAt = new Map<string, number>();
  readonly #tokenMs: number;
  readonly #burstMs: number;

  /** @param burst tokens of a full bucket @param perSecond tokens that flow in */
  constructor(burst: number, perSecond: number) {
    this.#tokenMs = 1000 / perSecond;
    this.#burstMs = burst * this.#tokenMs;
  }

  /** Takes one token; false when there is none. @param now ms, never going back */
  take(address: string, now: number): boolean {
    const key = network(address);
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + this.#tokenMs;
    if (fullAt - now > this.#burstMs) return false;
    this.#fullAt.delete(key); // to the end: the order of the map is the order of use
    this.#fullAt.set(key, fullAt);
    if (this.#fullAt.size > MAX_ADDRESSES) this.#forgetOldest();
    return true;
  }

  /** Puts a token back that was not needed after all. */
  giveBack(address: string): void {
    const key = network(address);
    const fullAt = this.#fullAt.get(key);
    if (fullAt !== undefined) this.#fullAt.set(key, fullAt - this.#tokenMs);
  }

  get size(): number {
    return this.#fullAt.size;
  }

  #forgetOldest(): void {
    const oldest = this.#fullAt.keys().next();
    if (oldest.done !== true) this.#fullAt.delete(oldest.value);
  }
}

/** One bucket an IPv4 address, one an IPv6 network of 64 bits: a machine has as many IPv6 addresses as it likes. */
function network(address: string): string {
  if (!address.includes(':')) return address;
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const right = tail === '' ? 0 : tail.split(':').length;
    while (left.length < 8 - right) left.push('0');
  }
  return left.slice(0, 4).join(':');
}
