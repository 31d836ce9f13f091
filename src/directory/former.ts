import { freeAt, mattersUntil } from '../numbers/likeness.js';
import type { Account, Directory, FormerNumbers, NumberRange, Reuse } from './model.js';
import { intersectRanges, subtractRanges } from './ranges.js';

/** All numbers of an account, retired ones too. */
function numbersOf(account: Account | undefined): readonly NumberRange[] {
  return account?.pools.flatMap(({ numbers }) => numbers) ?? [];
}

/**
 * Who had which numbers, when `accounts` take the place of those of `current` at `now` (ms since the epoch). What an
 * account has again is forgotten of it, and so is what cannot matter any more. None where there is no `reuse`.
 */
export function formerAfter(
  current: Directory,
  accounts: readonly Account[],
  reuse: Reuse | undefined,
  now: number,
): FormerNumbers[] {
  if (reuse === undefined) return [];
  const after = new Map(accounts.map((account) => [account.id, numbersOf(account)]));
  const former: FormerNumbers[] = [];
  for (const one of current.former ?? []) {
    for (const range of subtractRanges([one], after.get(one.account) ?? []))
      former.push({ ...one, ...range });
  }
  for (const account of current.accounts) {
    const has = after.get(account.id) ?? [];
    for (const { id, numbers, defaultEndpoint } of account.pools) {
      for (const range of subtractRanges(numbers, has)) {
        former.push({
          ...range,
          account: account.id,
          pool: id,
          ...(defaultEndpoint === undefined ? {} : { endpoint: defaultEndpoint }),
          ...(account.profile === undefined ? {} : { profile: account.profile }),
          at: now,
        });
      }
    }
  }
  return former.filter((one) => mattersUntil(one, reuse) > now);
}

/** Numbers, and from when they may be given out: ms since the epoch, 0 for at once. */
export interface Resting {
  readonly numbers: readonly NumberRange[];
  readonly notBefore: number;
}

/** The numbers of an account by when they may be given out. What may be given out at `now` already has 0. */
export function byFreeTime(
  directory: Directory,
  account: Account,
  numbers: readonly NumberRange[],
  now: number,
): Resting[] {
  const { reuse, former = [] } = directory;
  // Numbers that left together are free together: there are few times, however many ranges.
  const rangesByTime = new Map<number, NumberRange[]>();
  for (const one of former) {
    const time = freeAt([one], account, reuse);
    if (time <= now) continue;
    const ranges = rangesByTime.get(time);
    if (ranges === undefined) rangesByTime.set(time, [one]);
    else ranges.push(one);
  }
  const resting: Resting[] = [];
  let rest = numbers;
  // The latest time first: it is the one that counts where two accounts had a number.
  for (const [notBefore, ranges] of [...rangesByTime].sort(([a], [b]) => b - a)) {
    const part = intersectRanges(rest, ranges);
    if (part.length === 0) continue;
    resting.push({ numbers: part, notBefore });
    rest = subtractRanges(rest, part);
  }
  if (rest.length > 0) resting.push({ numbers: rest, notBefore: 0 });
  return resting;
}
