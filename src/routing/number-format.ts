import type { PrefixRule } from '../directory/model.js';

/**
 * A number as a trunk's rules write it: the first rule whose prefix fits replaces that prefix, and no other is tried. A number
 * that none fits stays as it is.
 */
export function rewritten(number: string, rules: readonly PrefixRule[] | undefined): string {
  const rule = rules?.find(({ prefix }) => number.startsWith(prefix));
  return rule === undefined ? number : rule.becomes + number.slice(rule.prefix.length);
}
