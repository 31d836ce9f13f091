import type { Declaration } from './declaration.js';
import { diff, type Change } from './diff.js';
import { heldNumbers, liveObstacles } from './live-check.js';
import type { Directory } from './model.js';
import { allNumbers, numberMoves, type NumberMove } from './number-moves.js';
import type { DirectoryStore, LiveUse, PoolWriter } from './ports.js';
import { chunks, rangesOf, subtractRanges } from './ranges.js';
import { resolve } from './resolve.js';

/** How often another writer may be first before we give up. */
const ATTEMPTS = 3;

/** Numbers in one command to the store: 1 ms of Redis's time, so that allocations in between do not notice. */
const CHUNK = 1000;

export interface ApplyPorts {
  readonly store: DirectoryStore;
  readonly pools: PoolWriter;
  readonly liveUse: LiveUse;
}

export type ApplyResult =
  | { readonly outcome: 'applied'; readonly version: number; readonly changes: readonly Change[] }
  | { readonly outcome: 'unchanged'; readonly version: number }
  /** Nothing was changed: live links or calls need what would go. One sentence each; `force` overrules them. */
  | { readonly outcome: 'refused'; readonly reasons: readonly string[] }
  /** Nothing was changed: other writers were first, three times. */
  | { readonly outcome: 'conflict' };

/** The pools do not follow the document that is in force. `apply` again, or the start of any process, mends them. */
export class PoolsBehind extends Error {
  readonly code = 'poolsBehind';

  constructor(cause: unknown) {
    super('the store failed halfway, and not all numbers are in their pools: apply the file again', {
      cause,
    });
    this.name = 'PoolsBehind';
  }
}

/**
 * Makes the declaration true. First the numbers that leave go out of their pools, so that no page gets one any more;
 * then the document changes, at once and whole; then the numbers that came go into their pools. What fails on the way
 * to the document puts the numbers back; a crash in between is mended by `reconcile`.
 *
 * What has live links or calls is looked at just before: a link that is made in the milliseconds after that look, to a
 * site, endpoint or trunk that goes, is not seen. Numbers are safe from that, the store looks in the step that takes them.
 *
 * @throws PoolsBehind, and whatever a port rejects with (nothing is changed then).
 */
export async function apply(
  declaration: Declaration,
  ports: ApplyPorts,
  { force = false } = {},
): Promise<ApplyResult> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = await ports.store.read();
    const next = resolve(declaration, current);
    if (next === current) {
      await reconcile(ports);
      return { outcome: 'unchanged', version: current.version };
    }
    const result = await replace(current, next, ports, force);
    if (result !== undefined) return result;
  }
  return { outcome: 'conflict' };
}

/** One attempt; undefined when another writer was first. */
async function replace(
  current: Directory,
  next: Directory,
  ports: ApplyPorts,
  force: boolean,
): Promise<ApplyResult | undefined> {
  const obstacles = force ? [] : await liveObstacles(current, next, ports.liveUse);
  if (obstacles.length > 0) return { outcome: 'refused', reasons: obstacles };
  const { leaving, coming } = numberMoves(current, next);
  const withdrawn: Withdrawn[] = [];
  let held: string[];
  let published = false;
  try {
    held = await withdraw(leaving, ports.pools, force, withdrawn);
    if (held.length === 0) published = await ports.store.publish(next);
  } catch (cause) {
    await putBack(withdrawn, ports, cause);
    throw cause;
  }
  if (!published) {
    await putBack(withdrawn, ports);
    return held.length === 0 ? undefined : { outcome: 'refused', reasons: held };
  }
  try {
    for (const move of coming) await reserve(move, ports.pools);
    // A process that started meanwhile may have mended the pools by the document of before.
    await withdraw(leaving, ports.pools, true, []);
  } catch (cause) {
    throw new PoolsBehind(cause);
  }
  return { outcome: 'applied', version: next.version, changes: diff(current, next) };
}

interface Withdrawn {
  readonly account: string;
  readonly pool: string;
  readonly numbers: readonly string[];
}

/** Takes the numbers out; the answer has a sentence for each pool that refused, `withdrawn` what may be out. */
async function withdraw(
  leaving: readonly NumberMove[],
  pools: PoolWriter,
  force: boolean,
  withdrawn: Withdrawn[],
): Promise<string[]> {
  const reasons: string[] = [];
  for (const { account, pool, label, numbers } of leaving) {
    const held: string[] = [];
    for (const chunk of chunks(numbers, CHUNK)) {
      const one: Withdrawn = { account, pool, numbers: chunk };
      // Noted before it is done: where the answer is lost, the numbers may be out.
      withdrawn.push(one);
      const refused = await pools.withdraw(account, pool, chunk, force);
      if (refused.length > 0) withdrawn.pop();
      held.push(...refused);
    }
    if (held.length > 0) reasons.push(heldNumbers(label, held));
  }
  return reasons;
}

async function reserve({ account, pool, numbers }: NumberMove, pools: PoolWriter): Promise<void> {
  for (const chunk of chunks(numbers, CHUNK)) await pools.reserve(account, pool, chunk);
}

/** Undoes what was withdrawn, as far as the document of now still has these numbers: another writer decides too. */
async function putBack(
  withdrawn: readonly Withdrawn[],
  { store, pools }: Omit<ApplyPorts, 'liveUse'>,
  why?: unknown,
): Promise<void> {
  if (withdrawn.length === 0) return;
  try {
    for (const { account, pool, numbers } of withdrawn) await pools.reserve(account, pool, numbers);
    const now = new Map(allNumbers(await store.read()).map((move) => [move.pool, move.numbers]));
    for (const { account, pool, numbers } of withdrawn) {
      const strangers = subtractRanges(rangesOf(numbers), now.get(pool) ?? []);
      for (const chunk of chunks(strangers, CHUNK)) await pools.withdraw(account, pool, chunk, true);
    }
  } catch (cause) {
    throw new PoolsBehind(why ?? cause);
  }
}

/** How many numbers were missing in pools, and how many stood in a pool that the document does not give them to. */
export interface Mended {
  readonly reserved: number;
  readonly withdrawn: number;
}

/**
 * Makes the pools follow the document, after a crash in between or a loss of the pools. Run by each process at its
 * start; changes nothing where all is well. The document may change meanwhile: then it looks again.
 */
export async function reconcile({ store, pools }: Omit<ApplyPorts, 'liveUse'>): Promise<Mended> {
  let reserved = 0;
  let withdrawn = 0;
  let directory = await store.read();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (const { account, pool, numbers } of allNumbers(directory)) {
      const members = rangesOf(await pools.members(account, pool));
      for (const chunk of chunks(subtractRanges(numbers, members), CHUNK)) {
        await pools.reserve(account, pool, chunk);
        reserved += chunk.length;
      }
      const strangers = subtractRanges(members, numbers);
      if (strangers.length === 0) continue;
      // A writer that publishes now has put its own numbers in, or is about to: they are no strangers.
      if ((await store.read()).version !== directory.version) break;
      for (const chunk of chunks(strangers, CHUNK)) {
        await pools.withdraw(account, pool, chunk, true);
        withdrawn += chunk.length;
      }
    }
    const now = await store.read();
    if (now.version === directory.version) break;
    directory = now;
  }
  return { reserved, withdrawn };
}
