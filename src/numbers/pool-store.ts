import { MARGIN_MS } from './allocate-command.js';
import { Code, UnexpectedReply } from './codes.js';
import { accountKeys, checkedId } from './keys.js';
import type { ScriptName, ScriptPort } from './ports.js';

/** Numbers a script run: a millisecond of Redis's time, so that calls and pages do not wait for a big pool. */
const CHUNK = 1_000;

/** Numbers were to leave a pool while they have a live link or a live call. Nothing was changed. */
export class NumbersInUse extends Error {
  readonly code = 'numbersInUse';
  readonly numbers: readonly string[];
  constructor(numbers: readonly string[]) {
    super(`${numbers.length} numbers have a live link or a live call`);
    this.numbers = numbers;
  }
}

/** Puts the numbers of pools into Redis and takes them out. To be run on the patient client. */
export class PoolStore {
  readonly #scripts: ScriptPort;
  readonly #clock: (() => number) | undefined;

  /** `clock` as for `Allocator`. */
  constructor(scripts: ScriptPort, clock?: () => number) {
    this.#scripts = scripts;
    this.#clock = clock;
  }

  /**
   * Puts numbers (E.164) into a pool, in chunks; those that are there stay as they are, so that it may be repeated.
   * A number that was held before keeps its age; none is given out before `notBefore`, ms since the epoch. Resolves with
   * how many were added.
   */
  async reserve(account: string, pool: string, numbers: Iterable<string>, notBefore = 0): Promise<number> {
    const keys = accountKeys(account);
    const args = [MARGIN_MS, checkedId(pool), notBefore];
    return this.#inChunks('reserve', [keys.ends(pool), keys.numbers], args, numbers);
  }

  /**
   * Numbers that are on offer are free when their last link is over, and not before `notBefore` (ms since the epoch):
   * what says otherwise is put right, in one step. Resolves with how many were.
   */
  async retime(account: string, pool: string, numbers: Iterable<string>, notBefore: number): Promise<number> {
    const keys = accountKeys(account);
    const args = [this.#clock?.() ?? '', MARGIN_MS, notBefore];
    return this.#inChunks('retime', [keys.ends(pool), keys.numbers], args, numbers);
  }

  /** Numbers are shown to nobody new; their links live on. Resolves with how many of them were on offer. */
  async hide(account: string, pool: string, numbers: Iterable<string>): Promise<number> {
    return this.#inChunks('hide', [accountKeys(account).ends(pool)], [], numbers);
  }

  /**
   * Numbers go from one pool into another of the same account, with their links and their age. Those that are not on
   * offer stay so. Resolves with how many of them were.
   */
  async move(account: string, from: string, to: string, numbers: Iterable<string>): Promise<number> {
    const keys = accountKeys(account);
    return this.#inChunks('move', [keys.ends(from), keys.ends(to), keys.numbers], [checkedId(to)], numbers);
  }

  /**
   * Takes numbers out of a pool, all of them or none, in one step; resolves with how many there were. Holder logs stay.
   * Rejects with `NumbersInUse` where a number has a live link or call, unless `force`d: its page's link is then unknown.
   */
  async withdraw(account: string, pool: string, numbers: Iterable<string>, force: boolean): Promise<number> {
    const keys = accountKeys(account);
    const reply = await this.#scripts.run(
      'withdraw',
      [keys.ends(pool), keys.holders, keys.links, keys.numbers, keys.live],
      [this.#clock?.() ?? '', force ? '1' : '0', checkedId(pool), ...new Set(numbers)],
    );
    if (!Array.isArray(reply)) throw new UnexpectedReply('withdraw');
    const [code, ...rest] = reply as readonly unknown[];
    if (code === Code.refused) throw new NumbersInUse(rest.map(String));
    const [count] = rest;
    if (code !== Code.done || typeof count !== 'number') throw new UnexpectedReply('withdraw');
    return count;
  }

  /** Runs a script that counts numbers, a chunk at a time. */
  async #inChunks(
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | number)[],
    numbers: Iterable<string>,
  ): Promise<number> {
    let count = 0;
    for (const chunk of chunks(numbers)) {
      const reply = await this.#scripts.run(script, keys, [...args, ...chunk]);
      if (typeof reply !== 'number') throw new UnexpectedReply(script);
      count += reply;
    }
    return count;
  }
}

function* chunks(numbers: Iterable<string>): Generator<readonly string[]> {
  let chunk: string[] = [];
  for (const number of numbers) {
    chunk.push(number);
    if (chunk.length === CHUNK) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
