import { createHash } from 'node:crypto';
import type { Bucketing, Criterion } from '../directory/model.js';
import { base32 } from '../ids.js';

/** A class of sessions, and what of a touch is common to all of them. */
export interface Bucket {
  readonly id: string;
  /** The touch of the class as JSON text: the criteria alone. */
  readonly touch?: string;
}

/**
 * The bucket of a session: the same criteria with the same values make the same id, in every process and browser. What the
 * touch does not tell counts as empty. `own` is an id that the tag computed itself. `touch` is JSON text as the page gave
 * it, `area` where the visitor is (the criterion `location`).
 */
export function bucketOf(
  { criteria }: Pick<Bucketing, 'criteria'>,
  { own, touch, area }: { own?: string | undefined; touch?: string | undefined; area?: string | undefined },
): Bucket {
  const told = touch === undefined ? {} : (JSON.parse(touch) as Readonly<Record<string, unknown>>);
  const values = ORDER.filter((name) => criteria.includes(name)).map((name): [Criterion, string] => {
    const value = name === 'location' ? area : told[name];
    return [name, typeof value === 'string' ? value.trim().toLowerCase() : ''];
  });
  const common = Object.fromEntries(values.filter(([name, value]) => name !== 'location' && value !== ''));
  return {
    id: own ?? shortHash(JSON.stringify(values)),
    ...(Object.keys(common).length > 0 && { touch: JSON.stringify(common) }),
  };
}

const ORDER = ['source', 'medium', 'campaign', 'keyword', 'location'] as const satisfies readonly Criterion[];

/** The bucket of a set of parameter values, which is canonical JSON text: the same set has the same number. */
export function parameterBucket(parameters: string): string {
  return `p.${shortHash(parameters)}`;
}

function shortHash(text: string): string {
  return base32(createHash('sha256').update(text).digest().subarray(0, 10));
}
