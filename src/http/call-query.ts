import type { CallFilter } from '../calls/ports.js';
import type { Fault } from './problems.js';

/** What names in a filter may mean, within the asker's account. */
export interface NameLookup {
  site(idOrName: string): { readonly id: string } | undefined;
  endpoint(idOrName: string): { readonly id: string } | undefined;
}

export const MAX_CALLS = 500;
const DEFAULT_CALLS = 50;
const KNOWN = ['number', 'site', 'endpoint', 'from', 'to', 'limit', 'cursor'] as const;
export const TIME_WORDS = 'a time in ISO 8601, such as 2026-01-31 or 2026-01-31T09:00:00Z';
const TIME = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+ -]\d\d:\d\d))?$/;

/** The query of `GET /v1/calls` as a filter, or every fault in it. */
export function parseCallQuery(
  query: Readonly<Record<string, unknown>>,
  names: NameLookup,
): CallFilter | Fault[] {
  const faults: Fault[] = [];
  const fault = (field: string, expected: string) => void faults.push({ field, expected });
  for (const name of Object.keys(query)) {
    if (!(KNOWN as readonly string[]).includes(name)) fault(name.slice(0, 64), `one of ${KNOWN.join(', ')}`);
  }
  const text = (name: (typeof KNOWN)[number]): string | undefined => {
    const value = query[name];
    if (value === undefined || typeof value === 'string') return value;
    fault(name, 'to be given once');
    return undefined;
  };
  /** An id that the directory no longer has still finds its calls. */
  const named = (name: 'site' | 'endpoint', id: RegExp): string | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const found = names[name](value)?.id ?? (id.test(value) ? value : undefined);
    if (found === undefined)
      fault(name, `the id or name of ${name === 'site' ? 'a site' : 'an endpoint'} of this account`);
    return found;
  };
  const time = (name: 'from' | 'to'): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const at = parseTime(value);
    if (at === undefined) fault(name, TIME_WORDS);
    return at;
  };

  const rawNumber = text('number');
  // A plus sign that was not escaped arrives as a blank.
  const number = rawNumber?.replace(/^ /, '+');
  if (number !== undefined && !/^\+[1-9]\d{6,14}$/.test(number))
    fault('number', 'a number in E.164, such as +12025550100');
  const site = named('site', /^site_[0-9a-z]{1,60}$/);
  const endpoint = named('endpoint', /^end_[0-9a-z]{1,60}$/);
  const from = time('from');
  const to = time('to');
  if (from !== undefined && to !== undefined && from >= to) fault('to', 'a time after from');
  const limit = text('limit');
  const count = limit === undefined ? DEFAULT_CALLS : /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > MAX_CALLS) fault('limit', `a whole number from 1 to ${MAX_CALLS}`);
  const cursor = text('cursor');
  if (cursor !== undefined && (cursor === '' || cursor.length > 512))
    fault('cursor', 'what an earlier page gave as next');

  if (faults.length > 0) return faults;
  return {
    limit: count,
    ...(number !== undefined && { number }),
    ...(site !== undefined && { site }),
    ...(endpoint !== undefined && { endpoint }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(cursor !== undefined && { cursor }),
  };
}

/** ms since the epoch; a day alone begins at midnight UTC. undefined for a day or hour that does not exist. */
export function parseTime(text: string): number | undefined {
  const [, day, clock, zone] = TIME.exec(text) ?? [];
  if (day === undefined) return undefined;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // Date.parse takes the 31st of February for the 3rd of March in some engines, and not in others.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return undefined;
  if (clock === undefined || zone === undefined) return midnight;
  const at = Date.parse(`${day}T${clock}${zone.replace(' ', '+')}`);
  return Number.isNaN(at) ? undefined : at;
}
