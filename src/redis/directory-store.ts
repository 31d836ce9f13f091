import { fileURLToPath } from 'node:url';
import type { Directory } from '../directory/model.js';
import type { DirectoryStore } from '../directory/ports.js';
import { EMPTY_DIRECTORY } from '../directory/resolve.js';
import type { RedisClient } from './clients.js';
import { loadScript } from './lua.js';

/** Of no account, and so of no account's slot. */
const KEY = 'ts:directory';
const CHANNEL = 'ts:directory:changed';

/** How often the version is looked at, whatever the subscription says: changes are followed within a second. */
const POLL_MS = 500;

const PUBLISH = loadScript(fileURLToPath(new URL('./scripts/', import.meta.url)), 'publish-directory');

/** What stands in Redis is no directory of ours. */
export class BadDirectory extends Error {
  readonly code = 'badDirectory';
}

/** The directory in Redis: one hash of the version and the document, one script that replaces both. */
export class RedisDirectoryStore implements DirectoryStore {
  readonly #client: RedisClient;
  readonly #subscriber: (() => RedisClient) | undefined;

  /**
   * `client` is the patient one. `subscriber` gives a connection of its own for the subscription; without it changes are
   * found by looking alone. Whoever made the connections closes them.
   */
  constructor(client: RedisClient, subscriber?: () => RedisClient) {
    this.#client = client;
    this.#subscriber = subscriber;
  }

  async read(): Promise<Directory> {
    const document = await this.#client.hget(KEY, 'document');
    if (document === null) return EMPTY_DIRECTORY;
    const directory = JSON.parse(document) as Directory;
    // Written by `publish` alone; a later release may write what this one does not understand.
    if ((directory.apiVersion as string) !== 'tagswitch/v1') {
      throw new BadDirectory(
        'the directory in Redis is of another release: expected apiVersion tagswitch/v1',
      );
    }
    return directory;
  }

  async publish(next: Directory): Promise<boolean> {
    const args = [next.version - 1, next.version, JSON.stringify(next), CHANNEL];
    return (await this.#client.eval(PUBLISH, 1, KEY, ...args)) === 1;
  }

  async watch(changed: (version: number) => void): Promise<() => Promise<void>> {
    let known = await this.#version();
    let watching = true;
    const tell = (version: number): void => {
      if (!watching || version === known) return;
      known = version;
      changed(version);
    };

    let timer: NodeJS.Timeout | undefined;
    const poll = async (): Promise<void> => {
      // A failed look is the next one's business; the client's owner logs that the connection is gone.
      const version = await this.#version().catch(() => known);
      tell(version);
      if (watching) timer = setTimeout(() => void poll(), POLL_MS);
    };
    timer = setTimeout(() => void poll(), POLL_MS);

    const subscriber = this.#subscriber?.();
    const heard = (_channel: string, message: string): void => tell(Number(message));
    subscriber?.on('message', heard);
    // Not waited for: a subscription that cannot be had must hold nothing up, the look every half second does without.
    subscriber?.subscribe(CHANNEL).catch(ignored);

    return async () => {
      watching = false;
      clearTimeout(timer);
      subscriber?.off('message', heard);
      if (subscriber?.status === 'ready') await subscriber.unsubscribe(CHANNEL).catch(ignored);
    };
  }

  async #version(): Promise<number> {
    return Number((await this.#client.hget(KEY, 'version')) ?? 0);
  }
}

function ignored(): void {
  // The connection went away: its owner logs that, and nothing here depends on it.
}
