/**
 * How a media node stands: `new` was never met; `in` may be chosen; `out` was lost or fell silent; `proving` answered once
 * since, and is chosen after the next good answer.
 */
export type Standing = 'new' | 'in' | 'out' | 'proving';

/** met: it told who it is; lost: its event socket ended; good: it answered OPTIONS; silent: it did not, twice in a row. */
export type Sign = 'met' | 'lost' | 'good' | 'silent';

/** A node of which nothing bad is known is used as soon as it is met; one that was gone has to prove itself. */
const NEXT: Readonly<Record<Standing, Readonly<Partial<Record<Sign, Standing>>>>> = {
  new: { met: 'in' },
  in: { lost: 'out', silent: 'out' },
  out: { good: 'proving' },
  proving: { good: 'in', lost: 'out', silent: 'out' },
};

export function standingAfter(standing: Standing, sign: Sign): Standing {
  return NEXT[standing][sign] ?? standing;
}
