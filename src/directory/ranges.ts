import type { NumberRange } from './model.js';

/**
 * Numbers in E.164 have at most 15 digits and never begin with 0: as JavaScript numbers they are exact, and each
 * value is one number.
 */
export const numberValue = (number: string): number => Number(number);
export const numberText = (value: number): string => `+${value}`;

export function rangeSize({ first, last }: NumberRange): number {
  return Number(last) - Number(first) + 1;
}

export function rangesSize(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, range) => sum + rangeSize(range), 0);
}

/** The same numbers in ascending order, with neighbours and overlaps joined: one form for one set of numbers. */
export function mergeRanges(ranges: readonly NumberRange[]): NumberRange[] {
  const merged: { first: string; last: string }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => Number(a.first) - Number(b.first))) {
    const before = merged.at(-1);
    // +99 and +100 are neighbours in value, but of different length: a range has one length.
    if (
      before !== undefined &&
      before.last.length === first.length &&
      Number(first) <= Number(before.last) + 1
    ) {
      if (Number(last) > Number(before.last)) before.last = last;
    } else {
      merged.push({ first, last });
    }
  }
  return merged;
}

/** What is in `ranges` and not in `taken`. Both in any order; the answer is merged. */
export function subtractRanges(ranges: readonly NumberRange[], taken: readonly NumberRange[]): NumberRange[] {
  const holes = mergeRanges(taken);
  const left: NumberRange[] = [];
  let hole = 0;
  for (const { first, last } of mergeRanges(ranges)) {
    let from = Number(first);
    const to = Number(last);
    while (hole < holes.length && Number(holes[hole]?.last) < from) hole++;
    for (let i = hole; from <= to; i++) {
      const next = holes[i];
      const until = next === undefined ? to : Math.min(to, Number(next.first) - 1);
      if (from <= until) left.push({ first: numberText(from), last: numberText(until) });
      from = next === undefined ? to + 1 : Math.max(from, Number(next.last) + 1);
    }
  }
  return left;
}

/** What is in both. Both in any order; the answer is merged. */
export function intersectRanges(a: readonly NumberRange[], b: readonly NumberRange[]): NumberRange[] {
  return b.length === 0 ? [] : subtractRanges(a, subtractRanges(a, b));
}

/** The range that holds the number. */
export function rangeOf(ranges: readonly NumberRange[], number: string): NumberRange | undefined {
  const value = Number(number);
  return ranges.find(({ first, last }) => Number(first) <= value && value <= Number(last));
}

/** All numbers of the ranges, `size` at a time: what one command to Redis takes without holding it up. */
export function* chunks(ranges: readonly NumberRange[], size: number): Generator<string[]> {
  let chunk: string[] = [];
  for (const { first, last } of ranges) {
    for (let value = Number(first); value <= Number(last); value++) {
      chunk.push(numberText(value));
      if (chunk.length === size) {
        yield chunk;
        chunk = [];
      }
    }
  }
  if (chunk.length > 0) yield chunk;
}

/** Single numbers, as values in any order, as ranges. A million of them take a second: they are sorted as what they are. */
export function rangesOfValues(values: readonly number[]): NumberRange[] {
  return mergeRanges(
    Array.from(Float64Array.from(values).sort(), (value) => {
      const number = numberText(value);
      return { first: number, last: number };
    }),
  );
}

/** Single numbers as ranges. */
export function rangesOf(numbers: readonly string[]): NumberRange[] {
  return rangesOfValues(numbers.map(numberValue));
}

/** As `+12025550100`, or `+12025550100-+12025550199`; at most `shown` of them, then a count. */
export function rangesText(ranges: readonly NumberRange[], shown = 10): string {
  const texts = ranges
    .slice(0, shown)
    .map(({ first, last }) => (first === last ? first : `${first}-${last}`));
  if (ranges.length > shown) texts.push(`and ${ranges.length - shown} more`);
  return texts.join(', ');
}
