import type { CallEvent } from './events.js';

/** An event as it is stored: JSON. The same event always gives the same text, whatever order its fields were set in. */
export function writeEvent(event: CallEvent): string {
  return JSON.stringify(event, Object.keys(flat(event)).sort());
}

/**
 * The event that `text` holds; undefined when it is torn, or lacks what every event has. An event of a later version
 * passes with its unknown kind and fields: it is kept, and `foldCall` takes of it what it knows.
 */
export function readEvent(text: string): CallEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isEvent(value) ? value : undefined;
}

function isEvent(value: unknown): value is CallEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { v, account, call, seq, at, kind } = value as Record<string, unknown>;
  return (
    typeof v === 'number' &&
    v >= 1 &&
    isName(account) &&
    isName(call) &&
    isName(kind) &&
    Number.isSafeInteger(seq) &&
    Number.isSafeInteger(at) &&
    (seq as number) > 0 &&
    (at as number) >= 0
  );
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 100;
}

/** Every field name that stands anywhere in the event: what JSON.stringify's list of names has to let through. */
function flat(value: object, names: Record<string, true> = {}): Record<string, true> {
  for (const [name, inner] of Object.entries(value)) {
    names[name] = true;
    if (typeof inner === 'object' && inner !== null) flat(inner as object, names);
  }
  return names;
}
