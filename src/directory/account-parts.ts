import type { Names } from './file-checks.js';
import { Limits } from './declaration.js';
import * as values from './values.js';
import type { Field, Fields } from './yaml-source.js';

/** What the parts of one account refer to. Faults are reported where they stand; undefined follows one of them. */
export interface AccountNames {
  readonly trunks: Names;
  /** Trunks by which calls leave. */
  readonly gateways: Set<string>;
  /** Groups of such trunks, with how many each has. */
  readonly groups: Map<string, number>;
  /** What numbers that are destinations may begin with; undefined: anything. */
  readonly prefixes: readonly string[] | undefined;
  /** Whether they may be numbers that cost more than a call does. */
  readonly costly: boolean;
  readonly endpoints: Names;
  readonly sites: Names;
  /** How many legs each endpoint rings. */
  readonly legs: Map<string, number>;
  /** Endpoints that endpoints name, some of which stand further down. */
  readonly references: {
    readonly as: 'route' | 'overflow';
    readonly name: string | undefined;
    readonly owner: string | undefined;
    readonly field: Field;
  }[];
  /** Numbers that callees are to see, which one of the account's pools has to hold. */
  readonly shown: { readonly number: string; readonly field: Field }[];
}

type Optional<T> = { [K in keyof T]?: T[K] | undefined };

/** `part` without the fields that are undefined: `exactOptionalPropertyTypes` tells absent from undefined. */
export function given<T extends object>(part: Optional<T>): T {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as T;
}

/** What `read` makes of each field, without those that had a fault. */
export function readAll<T>(fields: readonly Field[], read: (field: Field) => T | undefined): T[] {
  return fields.map(read).filter((item) => item !== undefined);
}

/** The name of a part, which no other of its kind has. */
export function named(fields: Fields, owner: Field, names: Names): string | undefined {
  const name = fields.required('name', values.parseName);
  names.add(name, fields.get('name') ?? owner);
  return name;
}

/** How many calls at once, and new ones a second: of an account, a trunk or an endpoint. */
export function readCaps(fields: Fields): {
  concurrentCalls: number | undefined;
  callsPerSecond: number | undefined;
} {
  const parse = (what: string) => values.parseInteger(1, Limits.calls, what);
  return {
    concurrentCalls: fields.optional('concurrentCalls', parse('calls at once')),
    callsPerSecond: fields.optional('callsPerSecond', parse('calls a second')),
  };
}
