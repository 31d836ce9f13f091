import type { Directory } from './model.js';

/** Where the directory is kept for all processes. The document is the truth; the pools in Redis follow it. */
export interface DirectoryStore {
  /** The newest directory; version 0 and no accounts where nothing was applied yet. */
  read(): Promise<Directory>;
  /** Puts `next` in place of version `next.version - 1`, at once and whole; false when another writer was first. */
  publish(next: Directory): Promise<boolean>;
  /** Calls `changed` with each new version, within a second; the returned function ends that. */
  watch(changed: (version: number) => void): Promise<() => Promise<void>>;
}
