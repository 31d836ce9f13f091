/**
 * What a pool did, by the hour, as the script `allocate` counts it in the hash `traffic:POOL`: fields `HOUR:WHAT`, where
 * HOUR counts from the epoch.
 */
export const HOUR_MS = 3_600_000;

/** How many classes of reuse gaps there are; the last has no upper end. */
export const GAP_BINS = 16;

export interface HourTraffic {
  /** Hours since the epoch. */
  readonly hour: number;
  /** Links made: of numbers that nobody had held, and of those in `gaps`. */
  readonly fresh: number;
  /** Asked and got no number of their own here. */
  readonly none: number;
  /** Of every 32nd link: how many, and how long they took their number all in all, ms, margin included. */
  readonly held: number;
  readonly heldMs: number;
  /** How often a number had rested so long between two links: class i is floor(log2(seconds + 1)) = i. */
  readonly gaps: readonly number[];
}

/** The traffic of a pool, as far as it is remembered, and what is in it now. */
export interface PoolTraffic {
  /** By Redis's clock, ms since the epoch. */
  readonly now: number;
  /** Numbers that may be shown. */
  readonly numbers: number;
  /** Numbers of these that cannot be given now: a link lives, or ended a moment ago. */
  readonly busy: number;
  /** Oldest first; hours without any traffic are not there. */
  readonly hours: readonly HourTraffic[];
}

/** The hash `traffic:POOL`. Fields of kinds that are not known here are passed over: a newer version may have written them. */
export function readTraffic(fields: Readonly<Record<string, string>>): readonly HourTraffic[] {
  const hours = new Map<number, Map<string, number>>();
  for (const [field, text] of Object.entries(fields)) {
    const [, hour, what] = /^(\d{1,9}):([a-zA-Z0-9]+)$/.exec(field) ?? [];
    const value = Number(text);
    if (hour === undefined || what === undefined || !Number.isFinite(value)) continue;
    const counts = hours.get(Number(hour)) ?? new Map<string, number>();
    hours.set(Number(hour), counts.set(what, value));
  }
  return [...hours]
    .sort(([one], [other]) => one - other)
    .map(([hour, counts]) => {
      const count = (what: string): number => counts.get(what) ?? 0;
      const gaps = Array.from({ length: GAP_BINS }, (_, bin) => count(`gap${String(bin)}`));
      return {
        hour,
        fresh: count('first') + gaps.reduce((sum, gap) => sum + gap, 0),
        none: count('none'),
        held: count('held'),
        heldMs: count('heldMs'),
        gaps,
      };
    });
}

/** The shortest and the longest rest that class `bin` counts, ms; the longest of the last one is twice its shortest. */
export function gapRange(bin: number): { readonly fromMs: number; readonly toMs: number } {
  return { fromMs: (2 ** bin - 1) * 1000, toMs: (2 ** (bin + 1) - 1) * 1000 };
}

/** The sum of some hours; undefined of none. */
export function sumOfHours(hours: readonly HourTraffic[]): Omit<HourTraffic, 'hour'> {
  const sum = { fresh: 0, none: 0, held: 0, heldMs: 0, gaps: new Array<number>(GAP_BINS).fill(0) };
  for (const { fresh, none, held, heldMs, gaps } of hours) {
    sum.fresh += fresh;
    sum.none += none;
    sum.held += held;
    sum.heldMs += heldMs;
    gaps.forEach((count, bin) => {
      sum.gaps[bin] = (sum.gaps[bin] ?? 0) + count;
    });
  }
  return sum;
}

/**
 * The rest that `share` of the gaps do not reach, ms, evenly spread within a class; undefined where there are none.
 */
export function gapPercentile(gaps: readonly number[], share: number): number | undefined {
  const all = gaps.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  let left = share * all;
  for (const [bin, count] of gaps.entries()) {
    if (count > 0 && left <= count) {
      const { fromMs, toMs } = gapRange(bin);
      return Math.round(fromMs + (left / count) * (toMs - fromMs));
    }
    left -= count;
  }
  return gapRange(gaps.length - 1).toMs;
}
