import type { Account, Directory } from './model.js';
import { numberMoves } from './number-moves.js';
import { NumberTable } from './number-table.js';
import { rangesOf, rangesText } from './ranges.js';
import type { LiveHolder, LiveUse } from './ports.js';

/** `held` are numbers of the pool that would leave it, and have a live link or a live call. */
export function heldNumbers(pool: string, held: readonly string[]): string {
  return `pool ${pool} has live links or calls on numbers that would go: ${rangesText(rangesOf(held))}`;
}

interface Leaving {
  readonly label: string;
  readonly needs: (holder: LiveHolder) => boolean;
}

/** What `next` takes away although a live link or a live call needs it: one sentence each, none when all is well. */
export async function liveObstacles(
  current: Directory,
  next: Directory,
  liveUse: LiveUse,
): Promise<string[]> {
  const after = new Map(next.accounts.map((account) => [account.id, account]));
  const numbers = numberMoves(current, next, 0).leaving;
  const obstacles: string[] = [];
  for (const account of current.accounts) {
    const leaving = leavingThings(account, after.get(account.id));
    const moves = numbers.filter((move) => move.account === account.id);
    if (leaving.length === 0 && moves.length === 0) continue;
    const holders = await liveUse.of(account);
    for (const { label, needs } of leaving) {
      const using = holders.filter(needs);
      if (using.length > 0) obstacles.push(`${label} has ${counted(using)}`);
    }
    for (const { label, numbers: ranges } of moves) {
      const table = new NumberTable(ranges.map((range) => ({ range, value: true })));
      const held = holders.filter(({ number }) => table.find(number) === true).map(({ number }) => number);
      if (held.length > 0) obstacles.push(heldNumbers(label, held));
    }
  }
  return obstacles;
}

function leavingThings(before: Account, after: Account | undefined): Leaving[] {
  if (after === undefined) return [{ label: `account ${before.name}`, needs: () => true }];
  const gone = (
    kind: 'site' | 'endpoint' | 'trunk',
    was: readonly { id: string; name: string }[],
    is: readonly { id: string }[],
  ): Leaving[] => {
    const stays = new Set(is.map(({ id }) => id));
    return was
      .filter(({ id }) => !stays.has(id))
      .map(({ id, name }) => ({
        label: `${kind} ${before.name}/${name}`,
        needs: (holder) => holder[kind] === id,
      }));
  };
  return [
    ...gone('site', before.sites, after.sites),
    ...gone('endpoint', before.endpoints, after.endpoints),
    ...gone('trunk', before.trunks, after.trunks),
  ];
}

/** `3 live links and 1 live call`. */
function counted(holders: readonly LiveHolder[]): string {
  const parts = (['link', 'call'] as const).flatMap((kind) => {
    const count = holders.filter((holder) => holder.kind === kind).length;
    return count === 0 ? [] : [`${count} live ${kind}${count === 1 ? '' : 's'}`];
  });
  return parts.join(' and ');
}
