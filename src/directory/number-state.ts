import { freeAt } from '../numbers/likeness.js';
import type { Account, Directory, Endpoint, FormerNumbers, NumberRange, Pool } from './model.js';
import { NumberTable } from './number-table.js';

/**
 * What becomes of a number:
 * - `active`: it is given to pages, calls go to its holder;
 * - `paused`: given to nobody new, calls go to its holder;
 * - `quarantined`: another account had it, and it rests; calls go by the policy `inQuarantine`;
 * - `retired`: out of service, calls get 404.
 */
export type NumberState = 'active' | 'paused' | 'quarantined' | 'retired';

/** Where a call goes while its number is in quarantine. */
export type QuarantinePolicy = NonNullable<Pool['inQuarantine']>;

/** Who had a number that is in quarantine, and what is to be done with its calls. */
export interface FormerOwner {
  readonly former: FormerNumbers;
  /** As they are now; undefined where they are gone. */
  readonly account?: Account;
  readonly pool?: Pool;
  /** Who answered a number of that pool that nobody held. */
  readonly endpoint?: Endpoint;
  /** Of the pool that declares the number now; of the one that it left, where none does. */
  readonly policy: QuarantinePolicy;
  /** What callers hear, with the policy `announce`. */
  readonly announcement?: string;
}

interface PoolOwner {
  readonly account: Account;
  readonly pool: Pool;
}

/** The state of a number at `now`, ms since the epoch; undefined for one that is nobody's and does not rest. */
export function numberState(directory: Directory, number: string, now: number): NumberState | undefined {
  return NumberStates.of(directory).state(number, now);
}

/** The numbers of one version of the directory, made ready for lookups. */
export class NumberStates {
  static readonly #made = new WeakMap<Directory, NumberStates>();
  readonly #directory: Directory;
  readonly #owners: NumberTable<PoolOwner>;
  readonly #paused: NumberTable<true>;
  readonly #retired: NumberTable<true>;
  /** One table an account: within an account, what it had does not overlap. */
  readonly #former: readonly NumberTable<FormerNumbers>[];

  private constructor(directory: Directory) {
    this.#directory = directory;
    const owners = directory.accounts.flatMap((account) => account.pools.map((pool) => ({ account, pool })));
    this.#owners = new NumberTable(
      owners.flatMap((value) => value.pool.numbers.map((range) => ({ range, value }))),
    );
    const marked = (of: (pool: Pool) => readonly NumberRange[] | undefined): NumberTable<true> =>
      new NumberTable(
        owners.flatMap(({ pool }) => (of(pool) ?? []).map((range) => ({ range, value: true as const }))),
      );
    this.#paused = marked(({ paused }) => paused);
    this.#retired = marked(({ retired }) => retired);
    const byAccount = new Map<string, { range: NumberRange; value: FormerNumbers }[]>();
    for (const one of directory.former ?? []) {
      const entry = { range: one, value: one };
      const list = byAccount.get(one.account);
      if (list === undefined) byAccount.set(one.account, [entry]);
      else list.push(entry);
    }
    this.#former = [...byAccount.values()].map((entries) => new NumberTable(entries));
  }

  static of(directory: Directory): NumberStates {
    const made = NumberStates.#made.get(directory) ?? new NumberStates(directory);
    NumberStates.#made.set(directory, made);
    return made;
  }

  /** Whose number it is; a retired one is nobody's. */
  owner(number: string): PoolOwner | undefined {
    return this.#retired.find(number) === true ? undefined : this.#owners.find(number);
  }

  state(number: string, now: number): NumberState | undefined {
    if (this.#retired.find(number) === true) return 'retired';
    if (this.#resting(number, now) !== undefined) return 'quarantined';
    if (this.#owners.find(number) === undefined) return undefined;
    return this.#paused.find(number) === true ? 'paused' : 'active';
  }

  former(number: string, now: number): FormerOwner | undefined {
    const former = this.#retired.find(number) === true ? undefined : this.#resting(number, now);
    if (former === undefined) return undefined;
    const account = this.#directory.accounts.find(({ id }) => id === former.account);
    const pool = account?.pools.find(({ id }) => id === former.pool);
    const endpoint = account?.endpoints.find(({ id }) => id === former.endpoint);
    const by = this.#owners.find(number)?.pool ?? pool;
    return {
      former,
      ...(account && { account }),
      ...(pool && { pool }),
      ...(endpoint && { endpoint }),
      policy: by?.inQuarantine ?? 'lastHolder',
      ...(by?.announcement !== undefined && { announcement: by.announcement }),
    };
  }

  /** The last account that had the number, as long as it rests for those who have it now. */
  #resting(number: string, now: number): FormerNumbers | undefined {
    const { reuse } = this.#directory;
    if (reuse === undefined || this.#former.length === 0) return undefined;
    const taker = this.#owners.find(number)?.account;
    const former = this.#former
      .map((table) => table.find(number))
      .filter((one) => one !== undefined)
      .filter(({ account }) => account !== taker?.id);
    // Nobody's number has no profile to be like: it rests for the quarantine alone.
    const until =
      taker === undefined ? quarantineEnd(former, reuse.quarantineMs) : freeAt(former, taker, reuse);
    return until > now ? former.toSorted((a, b) => b.at - a.at)[0] : undefined;
  }
}

function quarantineEnd(former: readonly FormerNumbers[], quarantineMs: number): number {
  return Math.max(0, ...former.map(({ at }) => at + quarantineMs));
}
