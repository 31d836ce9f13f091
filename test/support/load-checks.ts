import type { Test } from 'tap';
import type { LoadAccount, NumberLoad, Outcome, Page } from './number-load.js';

/** The call path's deadline and what a busy machine adds; what the test's own process lost comes on top. */
const PATIENCE_MS = 300;

export const refused = (outcomes: readonly Outcome[]): Outcome[] =>
  outcomes.filter((one) => one.refused !== undefined);

/** Refused by the cluster, not because the machine was too busy to answer in time. */
export const turnedAway = (outcomes: readonly Outcome[]): Outcome[] =>
  refused(outcomes).filter((one) => !/did not answer|timed out/.test(one.refused ?? ''));

/** What holds whatever happens. Where nothing can have been lost, nothing is held twice and no mark is set. */
export async function promisesKept(t: Test, load: NumberLoad, lossy: boolean): Promise<void> {
  t.strictSame(load.faults, [], 'every answer is right, or StoreUnavailable');
  t.ok(
    load.slowestMs < PATIENCE_MS + load.ownDelayMs,
    `the slowest took ${String(load.slowestMs)} ms, the test's own process was busy for ${load.ownDelayMs.toFixed()} ms`,
  );
  t.strictSame(load.wrong, [], 'each call went to the session whose page shows the number');
  t.strictSame(
    await load.undetected(),
    [],
    'a number held twice was marked by the first page that was heard',
  );
  if (lossy) return;
  t.equal(load.doubles.length, 0, 'no number was shown twice');
  t.equal(load.pages.filter(({ lost }) => lost).length, 0, 'no link was lost');
  t.equal(await load.marked(), 0, 'no number is marked');
}

/** Whether an account got an answer to what was asked after `at`, ms since the epoch. */
export function servedAfter(load: NumberLoad, id: string, at: number): boolean {
  return load.outcomes.some((one) => one.account === id && one.refused === undefined && one.startedAt > at);
}

/** When an account got its first answer after `after`. */
export function firstServed(outcomes: readonly Outcome[], id: string, after: number): number {
  const times = outcomes.filter((one) => one.account === id && one.refused === undefined && one.at > after);
  return Math.min(...times.map(({ at }) => at));
}

/** Pages that look at a number now; each must get one. */
export async function show(
  load: NumberLoad,
  account: LoadAccount,
  name: string,
  count: number,
): Promise<Page[]> {
  const pages: Page[] = [];
  for (let i = 0; i < count; i++) {
    const page = await load.allocate(account, `${name}${String(i)}`);
    if (page === undefined) throw new Error('a number was refused');
    pages.push(page);
  }
  return pages;
}
