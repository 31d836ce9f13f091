import { createHash } from 'node:crypto';
import type { Account, Destination, Trunk, TrunkGroupMember } from '../directory/model.js';

/** Serials of the trunks that a destination is to be reached by, best first; 0 stands for its own SIP address. */
export type WaysOut = (destination: Destination) => readonly number[];

/**
 * By which trunks the destinations of a call leave. A list of trunks is tried in its order; of a group the lower priority
 * comes first, and among equals they are drawn by weight (as SRV records are, RFC 2782). Pure: one seed, the call's id, gives
 * one order, and each destination draws for itself.
 *
 * Trunks without a gateway are left out, and so are those out of order, unless there are no others: a breaker may be wrong,
 * and a call that is not tried fails for certain.
 *
 * @param inOrder whether the trunk of that serial works, as far as is known
 */
export function waysOut(account: Account, seed: string, inOrder: (serial: number) => boolean): WaysOut {
  const trunks = new Map<string, Trunk>(account.trunks.map((trunk) => [trunk.id, trunk]));
  return (destination) => {
    if (destination.to.startsWith('sip:')) return [0];
    const group = account.trunkGroups?.find(({ name }) => name === destination.group);
    const ids =
      group === undefined ? destination.trunks : drawn(group.trunks, `${seed} ${String(destination.serial)}`);
    const serials = ids.flatMap((id) => {
      const trunk = trunks.get(id);
      return trunk?.gateway === undefined ? [] : [trunk.serial];
    });
    const working = serials.filter(inOrder);
    return working.length > 0 ? working : serials;
  };
}

/**
 * Lowest priority first; within one, each gets a number that is the smaller the more it weighs, so that it comes first with a
 * likelihood in proportion to its weight (an exponential variate of that rate).
 */
function drawn(members: readonly TrunkGroupMember[], seed: string): Trunk['id'][] {
  return members
    .map(({ trunk, priority, weight }) => ({ trunk, priority, at: -Math.log(chance(seed, trunk)) / weight }))
    .toSorted((a, b) => a.priority - b.priority || a.at - b.at)
    .map(({ trunk }) => trunk);
}

/** Above 0, up to 1. */
function chance(seed: string, trunk: string): number {
  const bits = createHash('sha256').update(`${seed} ${trunk}`).digest().readUInt32BE(0);
  return (bits + 1) / 2 ** 32;
}
