import type { Directory, NumberRange, Pool } from './model.js';
import { subtractRanges } from './ranges.js';

/** Numbers that one pool gets or loses. */
export interface NumberMove {
  readonly account: string;
  readonly pool: string;
  /** `account/pool` by name, for people. */
  readonly label: string;
  readonly numbers: readonly NumberRange[];
}

export interface NumberMoves {
  readonly leaving: readonly NumberMove[];
  readonly coming: readonly NumberMove[];
}

/** Which numbers leave which pool, and which come, on the way from `current` to `next`. */
export function numberMoves(current: Directory, next: Directory): NumberMoves {
  const before = poolsById(current);
  const after = poolsById(next);
  return { leaving: without(before, after), coming: without(after, before) };
}

/** All numbers of all pools. */
export function allNumbers(directory: Directory): NumberMove[] {
  return [...poolsById(directory).values()].map(({ pool, ...move }) => ({
    ...move,
    pool: pool.id,
    numbers: pool.numbers,
  }));
}

interface OwnedPool {
  readonly account: string;
  readonly label: string;
  readonly pool: Pool;
}

function poolsById(directory: Directory): Map<string, OwnedPool> {
  return new Map(
    directory.accounts.flatMap((account) =>
      account.pools.map((pool) => [
        pool.id,
        { account: account.id, label: `${account.name}/${pool.name}`, pool },
      ]),
    ),
  );
}

function without(those: ReadonlyMap<string, OwnedPool>, these: ReadonlyMap<string, OwnedPool>): NumberMove[] {
  const moves: NumberMove[] = [];
  for (const [id, { account, label, pool }] of those) {
    const numbers = subtractRanges(pool.numbers, these.get(id)?.pool.numbers ?? []);
    if (numbers.length > 0) moves.push({ account, pool: id, label, numbers });
  }
  return moves;
}
