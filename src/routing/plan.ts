import { createHash } from 'node:crypto';
import type { Destination, Endpoint, RingGroup } from '../directory/model.js';
import type { WaysOut } from './trunk-choice.js';

/** One attempt to reach somebody: a destination over one trunk. */
export interface PlannedLeg {
  /** Number of the leg within the plan, from 0. */
  readonly leg: number;
  readonly destination: Destination;
  /** Serial of the trunk; 0 for a destination that is reached by its own SIP address. */
  readonly trunk: number;
}

/** Legs that ring together, and how long. */
export interface PlannedGroup {
  readonly legs: readonly PlannedLeg[];
  readonly ringMs: number;
}

/**
 * What is to be done with a call. `rounds` are the ways out, best first: the dialplan goes on to the next only when the
 * one before was out of order. Each round has its ring groups, one after the other.
 */
export interface Plan {
  readonly rounds: readonly (readonly PlannedGroup[])[];
  readonly whisper?: string;
  /** How long the call may last from its answer on, ms. */
  readonly maxCallMs?: number;
}

export interface PlanChoices {
  /** What destinations are drawn by: the call's id, so that a call has one plan whoever makes it. */
  readonly seed: string;
  /** Who is rung after everybody else, in the time that is left. */
  readonly overflow?: Endpoint | undefined;
}

/** drachtio's timer C ends all ringing at 185 s (design, rule 6). */
export const LONGEST_RING_MS = 170_000;
/** The dialplan has one `bridge` for each. */
export const MOST_ROUNDS = 3;
/** What the dialplan's one form of a plan allows in a round. */
export const MOST_LEGS = 16;

/**
 * The plan of a call to `endpoint`. Pure: the same endpoint, choices and usable trunks give the same plan. A destination
 * none of whose trunks is usable is left out; a plan without a round cannot be carried out. Whisper and limit are those of
 * `endpoint`, whoever answers.
 *
 * @param waysOf the trunks that each destination is tried by: one a round
 */
export function planCall(endpoint: Endpoint, waysOf: WaysOut, { seed, overflow }: PlanChoices): Plan {
  const rounds: PlannedGroup[][] = [];
  const ring = [...endpoint.ring, ...(overflow?.ring ?? [])].map((group, index) =>
    drawn(group, `${seed} ${String(index)}`, waysOf),
  );
  let leg = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const groups: PlannedGroup[] = [];
    let left = LONGEST_RING_MS;
    let room = MOST_LEGS;
    for (const group of ring) {
      const legs: PlannedLeg[] = [];
      for (const destination of group.destinations) {
        const trunk = waysOf(destination)[round];
        if (trunk === undefined || room === 0) continue;
        legs.push({ leg, destination, trunk });
        leg += 1;
        room -= 1;
      }
      const ringMs = Math.min(group.ringMs, left);
      if (legs.length === 0 || ringMs < 1000) continue;
      groups.push({ legs, ringMs });
      left -= ringMs;
    }
    if (groups.length === 0) break;
    rounds.push(groups);
  }
  const { whisper, maxCallMs } = endpoint;
  return {
    rounds,
    ...(whisper === undefined ? {} : { whisper }),
    ...(maxCallMs === undefined ? {} : { maxCallMs }),
  };
}

/** The group with the one destination that rings of it, where one alone does; drawn among those that can be reached. */
function drawn(group: RingGroup, seed: string, waysOf: WaysOut): RingGroup {
  if (group.rings !== 'one') return group;
  const reachable = group.destinations.filter((each) => waysOf(each).length > 0);
  const whole = reachable.reduce((sum, { weight = 1 }) => sum + weight, 0);
  let left = (createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32) * whole;
  const destination = reachable.find(({ weight = 1 }) => (left -= weight) < 0);
  return { ...group, destinations: destination === undefined ? [] : [destination] };
}

/** Every destination of the plan once, in the order of ringing. */
export function destinationsOf(plan: Plan): Destination[] {
  const seen = new Map<number, Destination>();
  for (const groups of plan.rounds)
    for (const group of groups)
      for (const { destination } of group.legs) seen.set(destination.serial, destination);
  return [...seen.values()];
}
