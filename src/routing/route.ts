import type { RouteStep } from '../calls/events.js';
import type { Account, Endpoint } from '../directory/model.js';
import type { Attestation } from './attestation.js';
import { isOpen } from './schedule.js';

/** What a call's way is decided by. */
export interface Circumstances {
  /** ms since the epoch */
  readonly at: number;
  /** E.164; undefined for an anonymous caller. */
  readonly caller: string | undefined;
  readonly attestation: Attestation;
}

/** Where a call goes: to `endpoint`, or to nobody: the last endpoint of `steps` is `closed` or `full` and has no overflow. */
export type Route =
  | { readonly steps: readonly RouteStep[]; readonly endpoint: Endpoint }
  | { readonly steps: readonly RouteStep[]; readonly turnedAway: 'closed' | 'full' };

/**
 * The way of a call from the endpoint that its number stands for. Rules come first (the first one that fits), then the
 * hours, then whether the endpoint has as many calls as it may; a closed or full endpoint passes the call to its overflow.
 * Pure. No endpoint is come to twice: a circle ends where it would close.
 *
 * @param full endpoints of which is known that they have as many calls as they may
 */
export function routeCall(
  account: Account,
  start: Endpoint,
  circumstances: Circumstances,
  full: ReadonlySet<Endpoint['id']> = new Set(),
): Route {
  const byId = (id: Endpoint['id'] | undefined) =>
    id === undefined ? undefined : account.endpoints.find((endpoint) => endpoint.id === id);
  const steps: RouteStep[] = [];
  const been = new Set<Endpoint['id']>();
  let endpoint = start;
  let because: RouteStep['because'] = 'number';
  for (;;) {
    steps.push({ endpoint: endpoint.id, because });
    been.add(endpoint.id);
    const rule = endpoint.routes?.find((one) => fits(one, circumstances) && !been.has(one.endpoint));
    const elsewhere = byId(rule?.endpoint);
    if (rule !== undefined && elsewhere !== undefined) {
      because = rule.areas === undefined ? 'attestation' : 'area';
      endpoint = elsewhere;
      continue;
    }
    const shut = shutBecause(account, endpoint, circumstances.at, full);
    if (shut === undefined) return { steps, endpoint };
    const overflow = byId(endpoint.overflow);
    if (overflow === undefined || been.has(overflow.id)) return { steps, turnedAway: shut };
    because = shut;
    endpoint = overflow;
  }
}

/**
 * Who is rung when everybody at `endpoint` was rung in vain: its overflow or, where that is closed or full, the overflow of
 * that one.
 */
export function overflowOf(
  account: Account,
  endpoint: Endpoint,
  at: number,
  full: ReadonlySet<Endpoint['id']> = new Set(),
): Endpoint | undefined {
  const been = new Set([endpoint.id]);
  let next = endpoint.overflow;
  while (next !== undefined && !been.has(next)) {
    been.add(next);
    const overflow = account.endpoints.find(({ id }) => id === next);
    if (overflow === undefined) return undefined;
    if (shutBecause(account, overflow, at, full) === undefined) return overflow;
    next = overflow.overflow;
  }
  return undefined;
}

function fits(
  rule: NonNullable<Endpoint['routes']>[number],
  { caller, attestation }: Circumstances,
): boolean {
  const { areas, attestations } = rule;
  if (areas !== undefined && !areas.some((area) => caller?.startsWith(area) === true)) return false;
  return attestations === undefined || attestations.includes(attestation);
}

function shutBecause(
  account: Account,
  { id, hours }: Endpoint,
  at: number,
  full: ReadonlySet<Endpoint['id']>,
): 'closed' | 'full' | undefined {
  if (hours !== undefined && !isOpen(hours, at, hours.timeZone ?? account.timeZone)) return 'closed';
  return full.has(id) ? 'full' : undefined;
}
