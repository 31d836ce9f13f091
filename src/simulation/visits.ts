import { CALL_DELAYS } from '../numbers/delays.js';
import type { DelayPart } from '../numbers/delays.js';
import { Random } from './random.js';

/** How visitors behave. The defaults are working assumptions; docs/reference/sizing.md says where each comes from. */
export interface Behaviour {
  /** New visitors an hour; they come by chance (Poisson). */
  readonly visitsPerHour: number;
  /** Mean time on the page, ms (exponential). */
  readonly stayMs: number;
  /** Share of the visitors who call. */
  readonly callers: number;
  /** How long after landing they call. */
  readonly delays: readonly DelayPart[];
  /**
   * Share of those who call from the open page who tap the tel: link, and the mean time from the tap to the INVITE, ms
   * (exponential). Who has left the page dials what he remembers: coming back to it he would be shown a new number.
   */
  readonly tappers: number;
  readonly tapToCallMs: number;
  /** Share of the others who tap and do not call. */
  readonly idleTaps: number;
  /** Share of the callers whose number is known from an earlier call of the same visitor. */
  readonly known: number;
  /** Where visitors are, by frequency, and the share of callers whose number is of that area; the others' are of any. */
  readonly areas: readonly number[];
  readonly callsFromOwnArea: number;
}

const AREAS = 20;

export const BEHAVIOUR: Behaviour = {
  visitsPerHour: 200,
  stayMs: 3 * 60_000,
  callers: 0.05,
  delays: CALL_DELAYS,
  tappers: 0.5,
  tapToCallMs: 8_000,
  idleTaps: 0.003,
  known: 0.25,
  areas: Array.from({ length: AREAS }, (_, rank) => 1 / (rank + 1)),
  callsFromOwnArea: 0.6,
};

/** One visitor of the page, and all that he is going to do. Times in ms since the beginning. */
export interface Visit {
  readonly session: string;
  readonly at: number;
  readonly leavesAt: number;
  readonly area: number;
  readonly tapsAt?: number;
  readonly call?: PlannedCall;
}

export interface PlannedCall {
  readonly at: number;
  /** The area of the caller's number. */
  readonly area: number;
  /** The visitor called before, and his number is remembered. */
  readonly known: boolean;
}

const HOUR_MS = 3_600_000;

/** Visits until `endMs`, by time of arrival; the same for the same seed, however many numbers there are. */
export function* visits(seed: number, endMs: number, behaviour: Behaviour): Generator<Visit> {
  const arrivals = new Random(seed, 0);
  const acts = new Random(seed, 1);
  let at = 0;
  for (let count = 0; ; count++) {
    at += arrivals.exponential(HOUR_MS / behaviour.visitsPerHour);
    if (at >= endMs) return;
    yield oneVisit(`s${String(count)}`, at, acts, behaviour);
  }
}

function oneVisit(session: string, at: number, random: Random, behaviour: Behaviour): Visit {
  const { callers, tappers, idleTaps } = behaviour;
  const leavesAt = at + random.exponential(behaviour.stayMs);
  const area = random.pick(behaviour.areas);
  const visit = { session, at, leavesAt, area };
  if (!random.chance(callers)) {
    return random.chance(idleTaps) ? { ...visit, tapsAt: at + random.share() * (leavesAt - at) } : visit;
  }
  const part = behaviour.delays[random.pick(behaviour.delays.map(({ share }) => share))];
  if (part === undefined) throw new RangeError('there are no delays to call after');
  const callAt = at + random.lognormal(part.medianMs, part.sigma);
  const call: PlannedCall = {
    at: callAt,
    area: random.chance(behaviour.callsFromOwnArea) ? area : random.pick(behaviour.areas),
    known: random.chance(behaviour.known),
  };
  const tapped = Math.max(at, callAt - random.exponential(behaviour.tapToCallMs));
  const taps = random.chance(tappers) && tapped < leavesAt;
  return taps ? { ...visit, call, tapsAt: tapped } : { ...visit, call };
}
