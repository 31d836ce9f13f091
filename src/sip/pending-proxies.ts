import { ProxyLost, type LostReason } from './requests.js';

/** What drachtio-server says of a transaction that it holds no longer: the caller's CANCEL crossed our order. */
const GONE = /\bunknown transaction\b|\bunable to find transaction\b/i;

/**
 * Promises of proxied requests that drachtio-srf has not settled. It never settles them when its connection goes, so each
 * is raced here against the connection's end and against a deadline of its own.
 */
export class PendingProxies {
  readonly #rejects = new Set<(error: ProxyLost) => void>();

  get size(): number {
    return this.#rejects.size;
  }

  async race<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#rejects.delete(lose);
      };
      const lose = (error: ProxyLost): void => {
        finish();
        reject(error);
      };
      const timer = setTimeout(() => {
        lose(new ProxyLost('deadline'));
      }, deadlineMs);
      timer.unref();
      this.#rejects.add(lose);
      work.then(
        (value) => {
          finish();
          resolve(value);
        },
        (words: unknown) => {
          // drachtio-server's own words (a string) may quote the request: only that it refused is kept.
          lose(new ProxyLost(GONE.test(String(words)) ? 'gone' : 'refused'));
        },
      );
    });
  }

  /** The connection went: nothing more will be heard of any of them. */
  lose(code: LostReason): void {
    for (const reject of [...this.#rejects]) reject(new ProxyLost(code));
  }
}
