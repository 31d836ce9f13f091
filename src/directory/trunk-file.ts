import { readAll } from './account-parts.js';
import type { PrefixRule } from './model.js';
import * as values from './values.js';
import type { Fields } from './yaml-source.js';

/** How a trunk writes numbers: rules for those that it brings and for those that leave by it. */
export function readNumberFormats(fields: Fields): {
  incoming: readonly PrefixRule[] | undefined;
  outgoing: readonly PrefixRule[] | undefined;
  techPrefix: string | undefined;
} {
  return {
    incoming: readRules(fields, 'incoming'),
    outgoing: readRules(fields, 'outgoing'),
    techPrefix: fields.optional('techPrefix', parseTechPrefix),
  };
}

/** What operators would declare for digest authentication. */
export const DIGEST_FIELDS = ['digest', 'username', 'password', 'realm'] as const;

/** Decision 0005: a declared password must not seem to work. */
export function refuseDigest(fields: Fields): void {
  for (const name of DIGEST_FIELDS)
    fields
      .get(name)
      ?.fault(
        'digest authentication is not supported: the carrier has to know this switch by its address (leave this out)',
      );
}

function readRules(fields: Fields, name: 'incoming' | 'outgoing'): PrefixRule[] | undefined {
  if (fields.get(name) === undefined) return undefined;
  return readAll(fields.list(name, 'rules', 1), (one) => {
    const rule = one.map(['prefix', 'becomes']);
    const prefix = rule.required('prefix', parsePrefixOf);
    const becomes = rule.required('becomes', parseBecomes);
    return prefix === undefined || becomes === undefined ? undefined : { prefix, becomes };
  });
}

function parsePrefixOf(text: string): values.Parsed<string> {
  return /^(?:\+|[0-9*#]{1,15}|\+[0-9]{1,15}|)$/.test(text)
    ? { value: text }
    : { expected: 'what a number begins with: "+", digits, "*" and "#", at most 15; "" fits every number' };
}

function parseBecomes(text: string): values.Parsed<string> {
  return /^\+?[0-9]{0,15}$/.test(text)
    ? { value: text }
    : { expected: 'what stands in its place: "+" and digits, at most 15; "" for nothing' };
}

function parseTechPrefix(text: string): values.Parsed<string> {
  return /^[0-9*#]{1,15}$/.test(text) ? { value: text } : { expected: 'up to 15 digits, "*" and "#"' };
}
