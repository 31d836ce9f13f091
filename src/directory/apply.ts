import type { Declaration } from './declaration.js';
import { diff, type Change } from './diff.js';
import { heldNumbers, liveObstacles } from './live-check.js';
import { mintId } from '../ids.js';
import type { Directory } from './model.js';
import { numberMoves, type NumberMoves, type PoolNumbers } from './number-moves.js';
import type { DirectoryStore, LiveUse, PoolWriter } from './ports.js';
import { chunks } from './ranges.js';
import { CHUNK, offer, putBack, reconcile, retime } from './reconcile.js';
import { resolve } from './resolve.js';

/** How often another writer may be first before we give up. */
const ATTEMPTS = 3;

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
 * Makes the declaration true. First the numbers that leave, and those that are paused, go out of their pools, so that no
 * page gets one any more; then the document changes, at once and whole; then numbers move between pools with their links,
 * and those that came go into theirs. What fails on the way to the document puts the numbers back; a crash in between is
 * mended by `reconcile`.
 *
 * What has live links or calls is looked at just before: a link that is made in the milliseconds after that look, to a
 * site, endpoint or trunk that goes, is not seen. Numbers are safe from that, the store looks in the step that takes them.
 *
 * @throws PoolsBehind, and whatever a port rejects with (nothing is changed then).
 */
export async function apply(
  declaration: Declaration,
  ports: ApplyPorts,
  { force = false, clock = Date.now }: { force?: boolean; clock?: () => number } = {},
): Promise<ApplyResult> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = await ports.store.read();
    const now = clock();
    const next = resolve(declaration, current, mintId, now);
    if (next === current) {
      await reconcile(ports, clock);
      return { outcome: 'unchanged', version: current.version };
    }
    const result = await replace(current, next, ports, force, now);
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
  now: number,
): Promise<ApplyResult | undefined> {
  const obstacles = force ? [] : await liveObstacles(current, next, ports.liveUse);
  if (obstacles.length > 0) return { outcome: 'refused', reasons: obstacles };
  const moves = numberMoves(current, next, now);
  let held: string[];
  let published = false;
  try {
    held = await withdraw(moves.leaving, ports.pools, force);
    if (held.length === 0) {
      await hide(moves.hidden, ports.pools);
      published = await ports.store.publish(next);
    }
  } catch (cause) {
    await restore(moves, current, ports, now, cause);
    throw cause;
  }
  if (!published) {
    await restore(moves, current, ports, now);
    return held.length === 0 ? undefined : { outcome: 'refused', reasons: held };
  }
  try {
    await follow(moves, ports.pools);
  } catch (cause) {
    throw new PoolsBehind(cause);
  }
  return { outcome: 'applied', version: next.version, changes: diff(current, next) };
}

/** What the pools do once the document says so. */
async function follow(
  { leaving, hidden, moving, coming, retimed }: NumberMoves,
  pools: PoolWriter,
): Promise<void> {
  // A number that stood in two pools would be given twice: out of the one first.
  for (const { account, pool, to, numbers } of moving) {
    for (const chunk of chunks(numbers, CHUNK)) await pools.move(account, pool, to, chunk);
  }
  for (const one of retimed) await retime(one, pools);
  for (const one of coming) await offer(one, pools);
  // A process that started meanwhile may have mended the pools by the document of before.
  await withdraw(leaving, pools, true);
  await hide(hidden, pools);
}

/** Takes the numbers out; the answer has a sentence for each pool that refused. */
async function withdraw(
  leaving: readonly PoolNumbers[],
  pools: PoolWriter,
  force: boolean,
): Promise<string[]> {
  const reasons: string[] = [];
  for (const { account, pool, label, numbers } of leaving) {
    const held: string[] = [];
    for (const chunk of chunks(numbers, CHUNK))
      held.push(...(await pools.withdraw(account, pool, chunk, force)));
    if (held.length > 0) reasons.push(heldNumbers(label, held));
  }
  return reasons;
}

async function hide(hidden: readonly PoolNumbers[], pools: PoolWriter): Promise<void> {
  for (const { account, pool, numbers } of hidden) {
    for (const chunk of chunks(numbers, CHUNK)) await pools.hide(account, pool, chunk);
  }
}

/** Undoes what was taken out, or may be where an answer was lost, before the document changed. */
async function restore(
  { leaving, hidden }: NumberMoves,
  current: Directory,
  ports: ApplyPorts,
  now: number,
  why?: unknown,
): Promise<void> {
  try {
    await putBack([...leaving, ...hidden], current, ports, now);
  } catch (cause) {
    throw new PoolsBehind(why ?? cause);
  }
}
