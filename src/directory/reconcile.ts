import type { Account, Directory, NumberRange } from './model.js';
import {
  accountOffers,
  allOffers,
  offeredNumbers,
  servingNumbers,
  type Offer,
  type PoolNumbers,
} from './number-moves.js';
import type { DirectoryStore, PoolWriter } from './ports.js';
import { chunks, intersectRanges, rangesOf, rangesSize, subtractRanges } from './ranges.js';

/** How often the document may change while we mend. */
const ATTEMPTS = 3;

/** Numbers in one command to the store: 1 ms of Redis's time, so that allocations in between do not notice. */
export const CHUNK = 1000;

export interface ReconcilePorts {
  readonly store: DirectoryStore;
  readonly pools: PoolWriter;
}

export async function offer({ account, pool, numbers, notBefore }: Offer, pools: PoolWriter): Promise<void> {
  for (const chunk of chunks(numbers, CHUNK)) await pools.reserve(account, pool, chunk, notBefore);
}

/** Resolves with how many were free at another time before. */
export async function retime(
  { account, pool, numbers, notBefore }: Offer,
  pools: PoolWriter,
): Promise<number> {
  let count = 0;
  for (const chunk of chunks(numbers, CHUNK)) count += await pools.retime(account, pool, chunk, notBefore);
  return count;
}

/**
 * Puts numbers that were taken out by `current` back. Where another document is in force by now (another writer's, or our
 * own, whose answer was lost), that decides. `now` in ms since the epoch.
 */
export async function putBack(
  taken: readonly PoolNumbers[],
  current: Directory,
  ports: ReconcilePorts,
  now: number,
): Promise<void> {
  const inForce = async (): Promise<boolean> => (await ports.store.read()).version === current.version;
  const byAccount = new Map<string, NumberRange[]>();
  for (const { account, numbers } of taken)
    byAccount.set(account, [...(byAccount.get(account) ?? []), ...numbers]);
  if (await inForce()) {
    for (const one of allOffers(current, now)) {
      const numbers = intersectRanges(one.numbers, byAccount.get(one.account) ?? []);
      await offer({ ...one, numbers }, ports.pools);
    }
    if (await inForce()) return;
  }
  await reconcile(ports, () => now);
}

/**
 * How many numbers were missing in pools; stood in the wrong pool; were on offer and should not be; stood in a pool
 * although the account does not have them; and were free too early or too late.
 */
export interface Mended {
  readonly reserved: number;
  readonly moved: number;
  readonly hidden: number;
  readonly withdrawn: number;
  readonly retimed: number;
}

/**
 * Makes the pools follow the document, after a crash in between or a loss of the pools. Run by each process at its
 * start; changes nothing where all is well. The document may change meanwhile: then it looks again.
 */
export async function reconcile(ports: ReconcilePorts, clock: () => number = Date.now): Promise<Mended> {
  const mended = { reserved: 0, moved: 0, hidden: 0, withdrawn: 0, retimed: 0 };
  let directory = await ports.store.read();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (const account of directory.accounts) {
      if (!(await mendAccount(directory, account, ports, clock(), mended))) break;
    }
    const now = await ports.store.read();
    if (now.version === directory.version) break;
    directory = now;
  }
  return mended;
}

/** False where the document has changed meanwhile, and the rest was left as it is. */
async function mendAccount(
  directory: Directory,
  account: Account,
  { store, pools }: ReconcilePorts,
  now: number,
  mended: { -readonly [K in keyof Mended]: number },
): Promise<boolean> {
  // A writer that publishes now has put its own numbers in, or is about to: they are no strangers.
  const inForce = async (): Promise<boolean> => (await store.read()).version === directory.version;
  const each = async (numbers: readonly NumberRange[], run: (chunk: string[]) => Promise<unknown>) => {
    for (const chunk of chunks(numbers, CHUNK)) await run(chunk);
    return rangesSize(numbers);
  };
  const found: NumberRange[] = [];
  const ends = new Map<string, number>();
  // What is in a wrong place goes first: a number that stood in two pools would be given twice.
  for (const id of [...account.pools.map((pool) => pool.id), ...(account.formerPools ?? [])]) {
    const own = account.pools.find((pool) => pool.id === id);
    const there = await pools.members(account.id, id);
    for (const [number, end] of there) ends.set(number, end);
    const members = rangesOf([...there.keys()]);
    const wrong = subtractRanges(members, own === undefined ? [] : offeredNumbers(own, account));
    found.push(...subtractRanges(members, wrong));
    if (wrong.length === 0) continue;
    if (!(await inForce())) return false;
    let rest: readonly NumberRange[] = wrong;
    for (const pool of account.pools) {
      const part = intersectRanges(rest, servingNumbers(pool));
      if (part.length === 0) continue;
      rest = subtractRanges(rest, part);
      const hidden = subtractRanges(part, offeredNumbers(pool, account));
      mended.hidden += await each(hidden, (chunk) => pools.hide(account.id, id, chunk));
      if (pool.id === id) continue;
      mended.moved += await each(part, (chunk) => pools.move(account.id, id, pool.id, chunk));
      found.push(...subtractRanges(part, hidden));
    }
    mended.withdrawn += await each(rest, (chunk) => pools.withdraw(account.id, id, chunk, true));
  }
  for (const one of accountOffers(directory, account, now)) {
    const doubtful = intersectRanges(one.numbers, rangesOf(timed(ends, one.notBefore, now)));
    if (doubtful.length > 0) {
      if (!(await inForce())) return false;
      mended.retimed += await retime({ ...one, numbers: doubtful }, pools);
    }
    const missing = subtractRanges(one.numbers, found);
    if (missing.length === 0) continue;
    if (!(await inForce())) return false;
    await offer({ ...one, numbers: missing }, pools);
    mended.reserved += rangesSize(missing);
  }
  return true;
}

/** Numbers that may be free at a wrong time: few, where all is well those that a page holds or that rest. */
function timed(ends: ReadonlyMap<string, number>, notBefore: number, now: number): string[] {
  return [...ends].filter(([, end]) => end > now || end < notBefore).map(([number]) => number);
}
