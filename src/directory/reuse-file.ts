import { Defaults, Limits } from './declaration.js';
import type { Profile, Reuse } from './model.js';
import * as values from './values.js';
import type { Field } from './yaml-source.js';

const parsePeriod = values.parseInteger(0, Limits.periodMs, 'milliseconds');

/** `reuse`: how numbers pass from one account to another. */
export function readReuse(field: Field): Reuse {
  const fields = field.map(['quarantineMs', 'likeness', 'halfLifeMs', 'weights']);
  const weights: Record<string, number> = {};
  for (const [dimension, weight] of fields.get('weights')?.entries('weights by dimension') ?? []) {
    const value = weight.take(values.parseDecimal(0, 1000, 'a weight'));
    if (value !== undefined) weights[dimension] = value;
  }
  const { reuse } = Defaults;
  return {
    quarantineMs: fields.optional('quarantineMs', parsePeriod) ?? reuse.quarantineMs,
    likeness: fields.optional('likeness', values.parseDecimal(0, 1, 'likeness')) ?? reuse.likeness,
    halfLifeMs:
      fields.optional('halfLifeMs', values.parseInteger(1000, Limits.periodMs, 'milliseconds')) ??
      reuse.halfLifeMs,
    weights: inOrder(weights),
  };
}

/** `profile`: what an account's business is, words by dimension. Words are compared in lower case, in any order. */
export function readProfile(field: Field): Profile {
  const profile: Record<string, readonly string[]> = {};
  for (const [dimension, list] of field.entries('words by dimension')) {
    const words = list
      .list('words', 1)
      .map((one) => one.take(values.parseWord))
      .filter((word) => word !== undefined);
    profile[dimension] = [...new Set(words)].sort();
  }
  return inOrder(profile);
}

/** The same entries in the same order, however the file has them. */
function inOrder<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
