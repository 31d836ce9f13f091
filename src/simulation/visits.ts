import { CALL_MODEL, type DelayPart } from '../numbers/call-model.js';
import { delayOfShare } from '../numbers/delays.js';
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
  delays: CALL_MODEL.delays,
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

/**
 * Visits until `endMs`, by time of arrival; the same for the same seed, however many numbers there are. Who calls, and how
 * late, is spread evenly over the visits (one caller by chance in each score of visits, where a twentieth calls), so that
 * the shares of a short simulation are near those of a long one.
 */
export function* visits(seed: number, endMs: number, behaviour: Behaviour): Generator<Visit> {
  const arrivals = new Random(seed, 0);
  const acts = new Random(seed, 1);
  const callers = new Callers(new Random(seed, 2), behaviour);
  let at = 0;
  for (let count = 0; ; count++) {
    at += arrivals.exponential(HOUR_MS / behaviour.visitsPerHour);
    if (at >= endMs) return;
    yield oneVisit(`s${String(count)}`, at, callers.delayOf(count), acts, behaviour);
  }
}

function oneVisit(
  session: string,
  at: number,
  delay: number | undefined,
  random: Random,
  behaviour: Behaviour,
): Visit {
  const leavesAt = at + random.exponential(behaviour.stayMs);
  const area = random.pick(behaviour.areas);
  const visit = { session, at, leavesAt, area };
  if (delay === undefined) {
    const taps = random.chance(behaviour.idleTaps);
    return taps ? { ...visit, tapsAt: at + random.share() * (leavesAt - at) } : visit;
  }
  const call: PlannedCall = {
    at: at + delay,
    area: random.chance(behaviour.callsFromOwnArea) ? area : random.pick(behaviour.areas),
    known: random.chance(behaviour.known),
  };
  const tapsAt = Math.max(at, call.at - random.exponential(behaviour.tapToCallMs));
  return random.chance(behaviour.tappers) && tapsAt < leavesAt
    ? { ...visit, call, tapsAt }
    : { ...visit, call };
}

/** Steps of two sequences that fill a square evenly: powers of the root of x³ = x + 1. */
const STEPS = [0.7548776662466927, 0.5698402909980532] as const;

/** Which visitors call, and how long after landing. */
class Callers {
  readonly #random: Random;
  readonly #behaviour: Behaviour;
  readonly #starts: readonly [number, number];
  #count = 0;
  #next: number;

  constructor(random: Random, behaviour: Behaviour) {
    this.#random = random;
    this.#behaviour = behaviour;
    this.#starts = [random.share(), random.share()];
    this.#next = this.#draw();
  }

  /** ms; undefined for one who does not call. To be asked for each visit in turn. */
  delayOf(visit: number): number | undefined {
    if (visit !== this.#next) return undefined;
    const { delays } = this.#behaviour;
    const [which, late] = [0, 1].map((i) => ((this.#starts[i] ?? 0) + this.#count * (STEPS[i] ?? 0)) % 1);
    const part =
      delays[
        this.#random.pick(
          delays.map(({ share }) => share),
          which,
        )
      ];
    if (part === undefined) throw new RangeError('there are no delays to call after');
    this.#count += 1;
    this.#next = this.#draw();
    return delayOfShare(Math.max(late ?? 0, Number.EPSILON), [{ ...part, share: 1 }]);
  }

  /** One visit out of those that the next caller is due in. */
  #draw(): number {
    const { callers } = this.#behaviour;
    return callers > 0 ? Math.floor((this.#count + this.#random.share()) / callers) : -1;
  }
}
