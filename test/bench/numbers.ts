/** More numbers than there are fictional ones of area codes that exist: those of the others are nobody's either. */
export const MOST_NUMBERS = 100_000;

/** `count` fictional numbers of E.164's shape: +1, any three digits, 555 01XX. */
export function fictionalNumbers(count: number): string[] {
  if (count > MOST_NUMBERS) throw new RangeError(`there are ${MOST_NUMBERS} such numbers`);
  // Area codes that exist come first.
  return Array.from({ length: count }, (_, i) => {
    const area = (200 + Math.floor(i / 100)) % 1000;
    return `+1${String(area).padStart(3, '0')}55501${String(i % 100).padStart(2, '0')}`;
  });
}
