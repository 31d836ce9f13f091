/** Of the shape of fictional numbers: more than there are, but an area code that does not exist is nobody's either. */
export const MOST_NUMBERS = 100_000;
/** With a digit too many, which is nobody's as well. */
const MOST_LONGER = 1_000_000;

/** `count` fictional numbers of E.164's shape: +1, any three digits, 555 01XX; above 100,000 of them 555 01XXX. */
export function fictionalNumbers(count: number): string[] {
  if (count > MOST_LONGER) throw new RangeError(`there are ${MOST_LONGER} such numbers`);
  const digits = count > MOST_NUMBERS ? 3 : 2;
  const each = 10 ** digits;
  // Area codes that exist come first.
  return Array.from({ length: count }, (_, i) => {
    const area = (200 + Math.floor(i / each)) % 1000;
    return `+1${String(area).padStart(3, '0')}55501${String(i % each).padStart(digits, '0')}`;
  });
}
