import { byFreeTime } from './former.js';
import type { Account, Directory, NumberRange, Pool } from './model.js';
import { intersectRanges, rangesOf, subtractRanges } from './ranges.js';

/** Some numbers of one pool. */
export interface PoolNumbers {
  readonly account: string;
  readonly pool: string;
  /** `account/pool` by name, for people. */
  readonly label: string;
  readonly numbers: readonly NumberRange[];
}

/** Numbers that a pool has on offer from `notBefore` on (ms since the epoch, 0 for at once). */
export interface Offer extends PoolNumbers {
  readonly notBefore: number;
}

export interface PoolMove extends PoolNumbers {
  /** The pool that they go to. */
  readonly to: string;
}

/** What becomes of numbers on the way from one directory to the next. */
export interface NumberMoves {
  /** They leave their account, or go out of service: not while a link or a call has them. */
  readonly leaving: readonly PoolNumbers[];
  /** They are on offer no more, and still ring. */
  readonly hidden: readonly PoolNumbers[];
  /** They go into another pool of their account, with their links. */
  readonly moving: readonly PoolMove[];
  /** They are on offer anew. */
  readonly coming: readonly Offer[];
  /** They stay on offer, from another time on than was said before. */
  readonly retimed: readonly Offer[];
}

/** The numbers of a pool that calls may come to. */
export function servingNumbers({ numbers, retired = [] }: Pool): NumberRange[] {
  return subtractRanges(numbers, retired);
}

/** The numbers of a pool that pages may get one visitor at a time: what its sorted set in the store holds. */
export function offeredNumbers(pool: Pool, account: Account): NumberRange[] {
  const shared = rangesOf(account.sites.flatMap(({ overflowNumber }) => overflowNumber ?? []));
  return subtractRanges(pool.numbers, [...(pool.paused ?? []), ...(pool.retired ?? []), ...shared]);
}

/** All numbers on offer, of all pools. */
export function allOffers(directory: Directory, now: number): Offer[] {
  return directory.accounts.flatMap((account) => accountOffers(directory, account, now));
}

export function accountOffers(directory: Directory, account: Account, now: number): Offer[] {
  return account.pools.flatMap((pool) =>
    offersOf(directory, account, pool, offeredNumbers(pool, account), now),
  );
}

function offersOf(
  directory: Directory,
  account: Account,
  pool: Pool,
  numbers: readonly NumberRange[],
  now: number,
): Offer[] {
  return byFreeTime(directory, account, numbers, now).map((resting) => ({
    ...of(account, pool),
    ...resting,
  }));
}

function of(account: Account, pool: Pool): Omit<PoolNumbers, 'numbers'> {
  return { account: account.id, pool: pool.id, label: `${account.name}/${pool.name}` };
}

/** What becomes of which numbers, on the way from `current` to `next` at `now`, ms since the epoch. */
export function numberMoves(current: Directory, next: Directory, now: number): NumberMoves {
  const before = new Map(current.accounts.map((account) => [account.id, account]));
  const after = new Map(next.accounts.map((account) => [account.id, account]));
  const moves = {
    leaving: [] as PoolNumbers[],
    hidden: [] as PoolNumbers[],
    moving: [] as PoolMove[],
    coming: [] as Offer[],
    retimed: [] as Offer[],
  };
  for (const account of current.accounts) {
    const later = after.get(account.id);
    const stays = later?.pools.flatMap(servingNumbers) ?? [];
    const offered = later === undefined ? [] : allOffered(later);
    for (const pool of account.pools) {
      const serving = servingNumbers(pool);
      const leaving = subtractRanges(serving, stays);
      add(moves.leaving, { ...of(account, pool), numbers: leaving });
      const hidden = subtractRanges(offeredNumbers(pool, account), [...offered, ...leaving]);
      add(moves.hidden, { ...of(account, pool), numbers: hidden });
      const same = later?.pools.find(({ id }) => id === pool.id);
      const gone = subtractRanges(
        serving,
        same === undefined ? leaving : [...servingNumbers(same), ...leaving],
      );
      // Most pools lose nothing: they are not compared with all others.
      for (const other of gone.length === 0 ? [] : (later?.pools ?? [])) {
        const numbers = intersectRanges(gone, servingNumbers(other));
        add(moves.moving, { ...of(account, pool), to: other.id, numbers });
      }
    }
  }
  for (const account of next.accounts) {
    const earlier = before.get(account.id);
    const offered = earlier === undefined ? [] : allOffered(earlier);
    for (const pool of account.pools) {
      const offers = offeredNumbers(pool, account);
      const coming = subtractRanges(offers, offered);
      for (const offer of offersOf(next, account, pool, coming, now)) add(moves.coming, offer);
      if (earlier === undefined || (current.former ?? next.former) === undefined) continue;
      const stay = intersectRanges(offers, offered);
      const then = byFreeTime(current, earlier, stay, now);
      for (const offer of offersOf(next, account, pool, stay, now)) {
        const same = then.find(({ notBefore }) => notBefore === offer.notBefore)?.numbers ?? [];
        add(moves.retimed, { ...offer, numbers: subtractRanges(offer.numbers, same) });
      }
    }
  }
  return moves;
}

function allOffered(account: Account): NumberRange[] {
  return account.pools.flatMap((pool) => offeredNumbers(pool, account));
}

function add<T extends PoolNumbers>(list: T[], item: T): void {
  if (item.numbers.length > 0) list.push(item);
}
