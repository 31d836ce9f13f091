import type { Account, FormerNumbers, Profile, Reuse } from '../directory/model.js';

/** Later than any clock: a number that is never free. Exact as a score in Redis. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/**
 * How like two businesses are, 0 to 1: over all dimensions that either of them has, the mean of the Jaccard index of
 * their words (those that both have, among those that either has), weighted. 0 where neither says anything.
 */
export function likeness(
  a: Profile | undefined,
  b: Profile | undefined,
  weights: Reuse['weights'] = {},
): number {
  let sum = 0;
  let whole = 0;
  for (const dimension of new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])) {
    const weight = Object.hasOwn(weights, dimension) ? (weights[dimension] ?? 1) : 1;
    sum += weight * jaccard(wordsOf(a, dimension), wordsOf(b, dimension));
    whole += weight;
  }
  return whole === 0 ? 0 : sum / whole;
}

function wordsOf(profile: Profile | undefined, dimension: string): ReadonlySet<string> {
  return new Set(profile !== undefined && Object.hasOwn(profile, dimension) ? profile[dimension] : []);
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((word) => b.has(word)).length;
  const either = a.size + b.size - both;
  return either === 0 ? 0 : both / either;
}

/**
 * When a likeness of `value` at `at` that halves every `halfLifeMs` has fallen to the threshold: `at` itself where it is
 * not above, `NEVER` for a threshold of 0. ms since the epoch, whole.
 */
export function likeUntil(
  value: number,
  at: number,
  { likeness: threshold, halfLifeMs }: Pick<Reuse, 'likeness' | 'halfLifeMs'>,
): number {
  if (value <= threshold) return at;
  if (threshold === 0) return NEVER;
  return Math.min(NEVER, Math.ceil(at + halfLifeMs * Math.log2(value / threshold)));
}

/**
 * From when the account may give out a number that others had, ms since the epoch; 0 where nobody else had it. Whoever
 * had it himself gets it back at once.
 */
export function freeAt(
  former: readonly FormerNumbers[],
  taker: Pick<Account, 'id' | 'profile'>,
  reuse: Reuse | undefined,
): number {
  if (reuse === undefined) return 0;
  return Math.max(
    0,
    ...former
      .filter(({ account }) => account !== taker.id)
      .map(({ at, profile }) =>
        Math.max(
          at + reuse.quarantineMs,
          likeUntil(likeness(profile, taker.profile, reuse.weights), at, reuse),
        ),
      ),
  );
}

/** Until when it can matter, to whichever account, that somebody had a number. */
export function mattersUntil({ at, profile }: FormerNumbers, reuse: Reuse): number {
  const most = profile === undefined ? 0 : 1;
  return Math.max(at + reuse.quarantineMs, likeUntil(most, at, reuse));
}
