/**
 * Erlang B: the share of arrivals that find every number held, where arrivals come by chance (Poisson) and those who find
 * none go away. How the times of holding are distributed does not matter, their mean does (Erlang 1917; Sevastyanov 1957).
 */

/**
 * B(A, N). `offered`: A, arrivals a time unit times the mean time of holding in that unit, erlangs. `numbers`: whole, from 0.
 * The recursion B(k) = A B(k-1) / (k + A B(k-1)) subtracts nothing and makes no factorial: exact to the last digits at any size.
 */
export function erlangB(offered: number, numbers: number): number {
  checkLoad(offered);
  if (!Number.isSafeInteger(numbers) || numbers < 0) throw new RangeError('numbers are a whole count from 0');
  let blocked = offered === 0 && numbers > 0 ? 0 : 1;
  for (let k = 1; k <= numbers && blocked > 0; k++) blocked = (offered * blocked) / (k + offered * blocked);
  return blocked;
}

/** The fewest numbers with which at most `target` (above 0, up to 1) of the arrivals get none. */
export function numbersForBlocking(offered: number, target: number): number {
  checkLoad(offered);
  if (!(target > 0 && target <= 1)) throw new RangeError('a target is a share above 0, up to 1');
  if (offered === 0) return 0;
  let blocked = 1;
  let numbers = 0;
  while (blocked > target) {
    numbers += 1;
    blocked = (offered * blocked) / (numbers + offered * blocked);
  }
  return numbers;
}

/** What the numbers of a pool carry of the load, a share of their count: how much of them is held on average. 0 to 1. */
export function utilisation(offered: number, numbers: number): number {
  return numbers === 0 ? (offered > 0 ? 1 : 0) : (offered * (1 - erlangB(offered, numbers))) / numbers;
}

function checkLoad(offered: number): void {
  if (!Number.isFinite(offered) || offered < 0)
    throw new RangeError('a load is a finite number from 0, erlangs');
}
