import { shareLaterThan } from './delays.js';
import { erlangB, numbersForBlocking, utilisation } from './erlang.js';
import { gapPercentile, gapRange, HOUR_MS, sumOfHours } from './traffic.js';
import type { HourTraffic, PoolTraffic } from './traffic.js';

/** From where on a pool is too small; what the warnings name. */
export const MARKS = {
  /** Share of the numbers that is held on average. */
  utilisation: 0.75,
  /** How soon a number is shown to somebody else, ms. */
  reuseMs: 30 * 60_000,
  /** Share of the calls that come when somebody else has seen their number since. */
  wrongHolder: 0.1,
} as const;

/** Arrivals a millisecond, and how long each takes a number. */
export interface Load {
  readonly perMs: number;
  readonly holdMs: number;
}

/** A in erlangs (Little's law). */
export function offeredLoad({ perMs, holdMs }: Load): number {
  return perMs * holdMs;
}

/** W: how soon, on average, the number of a visitor is shown to the next one, ms, the least recently held being given first. */
export function reuseWindow(numbers: number, load: Load): number {
  return load.perMs === 0 ? Infinity : numbers / load.perMs;
}

/** N = max(ErlangB^-1(A, target), lambda W): the fewest numbers that keep both. */
export function numbersFor(load: Load, target: number, windowMs: number): number {
  return Math.max(numbersForBlocking(offeredLoad(load), target), numbersForWindow(load, windowMs));
}

function numbersForWindow(load: Load, windowMs: number): number {
  // A thousandth of a number is a rounding error of the rate, not a visitor.
  return Math.ceil(load.perMs * windowMs - 0.001);
}

function numbersForUtilisation(load: Load, mark: number): number {
  const offered = offeredLoad(load);
  let numbers = Math.floor(offered);
  while (utilisation(offered, numbers) > mark) numbers += 1;
  return numbers;
}

/** Into so many equal shares the times of holding are cut. */
const CUTS = 50;
const HOLDS = Array.from({ length: CUTS }, (_, i) => -Math.log(1 - (i + 0.5) / CUTS));

/** Calls that come when their number was shown to somebody else: it rests for `restMs` after a hold of `holdMs` on average, exponential. */
function wrongAfterRest(restMs: number, holdMs: number): number {
  return HOLDS.reduce((sum, hold) => sum + shareLaterThan(restMs + hold * holdMs), 0) / CUTS;
}

/** The share of calls whose number was shown to somebody else before they came, by the delays of calls and the reuse window. */
export function wrongHolderShare(numbers: number, load: Load): number {
  if (load.perMs === 0) return 0;
  // Those who got no number let the others' rest.
  const served = { ...load, perMs: load.perMs * (1 - erlangB(offeredLoad(load), numbers)) };
  return wrongAfterRest(Math.max(0, reuseWindow(numbers, served) - load.holdMs), load.holdMs);
}

function numbersForWrongHolder(load: Load, mark: number): number {
  let [low, high] = [0, 1];
  while (wrongHolderShare(high, load) > mark) high *= 2;
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if (wrongHolderShare(middle, load) > mark) low = middle;
    else high = middle;
  }
  return load.perMs === 0 ? 0 : high;
}

export type Mark = keyof typeof MARKS;

export interface Warning {
  readonly what: Mark;
  readonly value: number;
  readonly mark: number;
}

export interface Proposal {
  /** How many numbers the pool should have, and how many that is more. */
  readonly numbers: number;
  readonly add: number;
  /** What asks for the most of them. */
  readonly why: Mark | 'blocking';
}

/** Pool arithmetic for one pool. Shares are from 0 to 1, times in ms; null where there was no traffic to tell. */
export interface Sizing {
  readonly numbers: number;
  readonly busy: number;
  /** The busiest hour of the last day: hours since the epoch. What follows is for its traffic and the present numbers. */
  readonly hour: number | null;
  readonly arrivalsPerHour: number;
  readonly meanHoldMs: number | null;
  /** A, erlangs. */
  readonly offered: number;
  readonly utilisation: number;
  readonly withoutNumber: { readonly measured: number | null; readonly erlangB: number };
  /** W, the mean time from showing a number to showing it to the next. */
  readonly reuseWindowMs: number | null;
  /** Of the last day: how long numbers rested between two visitors. */
  readonly gapMs: { readonly p5: number; readonly p50: number; readonly p95: number } | null;
  /** Calls that come when somebody else has seen their number since: by the reuse window, and by the gaps of the last day. */
  readonly wrongHolder: { readonly expected: number; readonly byGaps: number | null };
  readonly needed: {
    /** For the target of `target`. */
    readonly forBlocking: number;
    readonly forReuse: number;
    readonly forUtilisation: number;
    readonly forWrongHolder: number;
    readonly numbers: number;
  };
  readonly warnings: readonly Warning[];
  /** Present where numbers are to be added. */
  readonly proposal?: Proposal;
}

/** What is aimed at: at most `target` of the visitors without a number, and no number shown again within `reuseMs`. */
export interface SizingAim {
  readonly target: number;
  readonly reuseMs: number;
}

export const DEFAULT_AIM: SizingAim = { target: 0.01, reuseMs: MARKS.reuseMs };

/** Fewer gaps than this tell nothing about a share. */
const FEWEST_GAPS = 100;
/** The hour that is not over counts once so much of it is. */
const ENOUGH_OF_AN_HOUR_MS = 15 * 60_000;
const DAY_HOURS = 24;

/** The sizing of a pool from its own traffic of the last day. */
export function sizePool(traffic: PoolTraffic, aim: SizingAim = DEFAULT_AIM): Sizing {
  const { numbers, busy } = traffic;
  const day = lastDay(traffic);
  const busiest = busiestHour(day, traffic.now);
  const all = sumOfHours(day);
  // A link is counted when the next one follows. Before the first does, Little's law tells by how many are held.
  const perMs = (busiest?.perHour ?? 0) / HOUR_MS;
  const meanHoldMs = all.held > 0 ? all.heldMs / all.held : perMs > 0 ? busy / perMs : null;
  const load: Load = { perMs, holdMs: meanHoldMs ?? 0 };
  const offered = offeredLoad(load);
  const window = reuseWindow(numbers, load);
  const wrong = { expected: wrongHolderShare(numbers, load), byGaps: wrongByGaps(all.gaps, load.holdMs) };
  const needed = {
    forBlocking: numbersForBlocking(offered, aim.target),
    forReuse: numbersForWindow(load, aim.reuseMs),
    forUtilisation: numbersForUtilisation(load, MARKS.utilisation),
    forWrongHolder: numbersForWrongHolder(load, MARKS.wrongHolder),
  };
  const used = utilisation(offered, numbers);
  const warnings = warningsOf(used, window, wrong.expected, load.perMs > 0);
  const proposal = proposalOf(numbers, needed, warnings, numbersForWindow(load, MARKS.reuseMs));
  const p = (share: number): number => gapPercentile(all.gaps, share) ?? 0;
  return {
    numbers,
    busy,
    hour: busiest?.hour ?? null,
    arrivalsPerHour: busiest?.perHour ?? 0,
    meanHoldMs: meanHoldMs === null ? null : Math.round(meanHoldMs),
    offered,
    utilisation: used,
    withoutNumber: { measured: busiest?.withoutNumber ?? null, erlangB: erlangB(offered, numbers) },
    reuseWindowMs: Number.isFinite(window) ? Math.round(window) : null,
    gapMs: all.gaps.some((count) => count > 0) ? { p5: p(0.05), p50: p(0.5), p95: p(0.95) } : null,
    wrongHolder: wrong,
    needed: { ...needed, numbers: Math.max(...Object.values(needed)) },
    warnings,
    ...(proposal !== undefined && { proposal }),
  };
}

/** The hours that began within the last day, the present one included. */
function lastDay({ hours, now }: PoolTraffic): readonly HourTraffic[] {
  const present = Math.floor(now / HOUR_MS);
  return hours.filter(({ hour }) => hour > present - DAY_HOURS && hour <= present);
}

interface Busiest {
  readonly hour: number;
  readonly perHour: number;
  readonly withoutNumber: number;
}

function busiestHour(hours: readonly HourTraffic[], now: number): Busiest | undefined {
  let busiest: Busiest | undefined;
  for (const { hour, fresh, none } of hours) {
    const passed = Math.min(HOUR_MS, now - hour * HOUR_MS);
    const arrivals = fresh + none;
    if (passed < ENOUGH_OF_AN_HOUR_MS || arrivals === 0) continue;
    const perHour = (arrivals * HOUR_MS) / passed;
    if (busiest === undefined || perHour > busiest.perHour) {
      busiest = { hour, perHour, withoutNumber: none / arrivals };
    }
  }
  return busiest;
}

/** Likewise, by how long numbers rested. */
function wrongByGaps(gaps: readonly number[], holdMs: number): number | null {
  const all = gaps.reduce((sum, count) => sum + count, 0);
  if (all < FEWEST_GAPS) return null;
  const late = gaps.reduce((sum, count, bin) => {
    const { fromMs, toMs } = gapRange(bin);
    return count === 0 ? sum : sum + count * wrongAfterRest((fromMs + toMs) / 2, holdMs);
  }, 0);
  return late / all;
}

function warningsOf(used: number, window: number, wrong: number, asked: boolean): readonly Warning[] {
  if (!asked) return [];
  const warnings: Warning[] = [];
  const { utilisation: most, reuseMs, wrongHolder } = MARKS;
  if (used > most) warnings.push({ what: 'utilisation', value: used, mark: most });
  if (window < reuseMs) warnings.push({ what: 'reuseMs', value: Math.round(window), mark: reuseMs });
  if (wrong > wrongHolder) warnings.push({ what: 'wrongHolder', value: wrong, mark: wrongHolder });
  return warnings;
}

/** The numbers that end all warnings and keep the aim; without a warning the aim alone may ask for more. */
function proposalOf(
  numbers: number,
  needed: Omit<Sizing['needed'], 'numbers'>,
  warnings: readonly Warning[],
  forReuseMark: number,
): Proposal | undefined {
  const warned = new Set(warnings.map(({ what }) => what));
  const asks: readonly (readonly [Proposal['why'], number])[] = [
    ['blocking', needed.forBlocking],
    ['reuseMs', warned.has('reuseMs') ? Math.max(needed.forReuse, forReuseMark) : needed.forReuse],
    ...(warned.has('utilisation') ? ([['utilisation', needed.forUtilisation]] as const) : []),
    ...(warned.has('wrongHolder') ? ([['wrongHolder', needed.forWrongHolder]] as const) : []),
  ];
  const [why, most] = asks.reduce((best, ask) => (ask[1] > best[1] ? ask : best));
  return most > numbers ? { numbers: most, add: most - numbers, why } : undefined;
}
