import type { Account, Directory } from './model.js';

/** Where the directory is kept for all processes. The document is the truth; the pools in Redis follow it. */
export interface DirectoryStore {
  /** The newest directory; version 0 and no accounts where nothing was applied yet. */
  read(): Promise<Directory>;
  /** Puts `next` in place of version `next.version - 1`, at once and whole; false when another writer was first. */
  publish(next: Directory): Promise<boolean>;
  /** Calls `changed` with each new version, within a second; the returned function ends that. */
  watch(changed: (version: number) => void): Promise<() => Promise<void>>;
}

/**
 * The pools as allocation sees them. Numbers are E.164; at most 1,000 of them go into one call. An account
 * and a pool are ids.
 */
export interface PoolWriter {
  /**
   * Puts numbers into the pool, to be given out from `notBefore` on (ms since the epoch, 0 for at once). One that is there
   * already stays as it is.
   */
  reserve(account: string, pool: string, numbers: readonly string[], notBefore: number): Promise<void>;
  /**
   * Numbers that the pool has on offer are free when their last link is over, and not before `notBefore`: what says
   * otherwise is put right. Resolves with how many were.
   */
  retime(account: string, pool: string, numbers: readonly string[], notBefore: number): Promise<number>;
  /** Numbers of the pool are shown to nobody new; their links live on. */
  hide(account: string, pool: string, numbers: readonly string[]): Promise<void>;
  /** Numbers go into another pool of the account, with their links. Those that are hidden stay so. */
  move(account: string, from: string, to: string, numbers: readonly string[]): Promise<void>;
  /**
   * Takes numbers out of the pool, all of them or none; one that is not there is no fault. Without `force` nothing is
   * done when a live link or a live call has one of them: the answer names those, and is empty otherwise.
   */
  withdraw(
    account: string,
    pool: string,
    numbers: readonly string[],
    force: boolean,
  ): Promise<readonly string[]>;
  /** All numbers that the pool has on offer, and when each is free, ms since the epoch. */
  members(account: string, pool: string): Promise<ReadonlyMap<string, number>>;
}

/** A live link or a live call, and what it needs. Ids are the directory's. */
export interface LiveHolder {
  readonly kind: 'link' | 'call';
  readonly number: string;
  readonly site?: string;
  readonly endpoint?: string;
  readonly trunk?: string;
}

export interface LiveUse {
  /** Every live link and live call of the account's numbers. */
  of(account: Account): Promise<readonly LiveHolder[]>;
}
