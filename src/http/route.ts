import { Type, type Static } from 'typebox';
import type { Account, Endpoint, Trunk } from '../directory/model.js';
import { rangeOf } from '../directory/ranges.js';
import { ATTESTATIONS, type Attestation } from '../routing/attestation.js';
import { planCall, type Plan } from '../routing/plan.js';
import { overflowOf, routeCall, type Route } from '../routing/route.js';
import { waysOut } from '../routing/trunk-choice.js';
import { E164 } from './ids.js';
import { accountOfKey } from './access.js';
import { parseTime, TIME_WORDS } from './call-query.js';
import type { HttpParts } from './ports.js';
import { badValue, Problem } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import type { StoreWatch } from './store-watch.js';
import { validated } from './validated.js';

const Query = Type.Object(
  {
    number: Type.String({ pattern: E164, description: 'the number that is called, E.164' }),
    caller: Type.Optional(Type.String({ pattern: E164, description: 'the number of the caller, E.164' })),
    at: Type.Optional(Type.String({ maxLength: 40, description: TIME_WORDS })),
    attestation: Type.Optional(
      Type.Enum([...ATTESTATIONS], { description: `one of ${ATTESTATIONS.join(', ')}` }),
    ),
  },
  { additionalProperties: false, description: 'number, and caller, at, attestation where they matter' },
);
type Query = Static<typeof Query>;

/** Whom the number stands for, and why. */
interface StandsFor {
  readonly endpoint: Endpoint;
  readonly why: 'linked' | 'lastHolder' | 'poolDefault';
}

/**
 * `GET /v1/route`: what would be done with a call, without one. Nothing is counted or noted by it: a caller's redial and
 * the candidates of a number that changed hands are left out, and no cap counts as reached.
 */
export function routeRoutes(http: Http, parts: HttpParts, store: StoreWatch): void {
  const standsFor = async (account: Account, number: string): Promise<StandsFor | undefined> => {
    const pool = account.pools.find(({ numbers }) => rangeOf(numbers, number) !== undefined);
    const state = parts.directory().numberState(number, parts.now());
    if (pool === undefined || state === undefined || state === 'retired') throw new Problem('numberNotFound');
    const { now, newest } = await store.ask(parts.numberFacts.number(account.id, number));
    const byId = (id: string | undefined) => account.endpoints.find((endpoint) => endpoint.id === id);
    const holder = newest?.ambiguous === true ? undefined : byId(newest?.endpoint);
    if (holder !== undefined && newest !== undefined)
      return { endpoint: holder, why: newest.until > now ? 'linked' : 'lastHolder' };
    const fallback = byId(pool.defaultEndpoint);
    return fallback && { endpoint: fallback, why: 'poolDefault' };
  };

  http.get<{ Querystring: Record<string, unknown> }>('/v1/route', async (request) => {
    const account = accountOfKey(parts.directory(), askerOf(request));
    const query: Query = validated(request, Query, request.query);
    const at = query.at === undefined ? parts.now() : timeOf(query.at);
    const attestation: Attestation = query.attestation ?? 'none';
    const found = await standsFor(account, query.number);
    if (found === undefined) return { number: query.number, at: iso(at), standsFor: null, ...NOWHERE };
    const { endpoint, why } = found;
    const route = routeCall(account, endpoint, { at, caller: query.caller, attestation });
    return {
      number: query.number,
      at: iso(at),
      standsFor: { endpoint: endpoint.id, name: endpoint.name, why },
      ...wayView(account, route, at),
    };
  });
}

const NOWHERE = { steps: [], turnedAway: 'unknownNumber', plan: null } as const;

function wayView(account: Account, route: Route, at: number) {
  const nameOf = (id: string): string => account.endpoints.find((one) => one.id === id)?.name ?? id;
  const steps = route.steps.map(({ endpoint, because }) => ({ endpoint, name: nameOf(endpoint), because }));
  if ('turnedAway' in route) return { steps, turnedAway: route.turnedAway, plan: null };
  const overflow = overflowOf(account, route.endpoint, at);
  const plan = planCall(
    route.endpoint,
    waysOut(account, String(at), () => true),
    { seed: String(at), overflow },
  );
  const nobody = plan.rounds.length === 0;
  return { steps, turnedAway: nobody ? 'noWayOut' : null, plan: nobody ? null : planView(account, plan) };
}

function planView(account: Account, { rounds, whisper, maxCallMs }: Plan) {
  const trunkOf = (serial: number): Trunk | undefined =>
    account.trunks.find((trunk) => trunk.serial === serial);
  return {
    rounds: rounds.map((groups) =>
      groups.map(({ legs, ringMs }) => ({
        ringMs,
        legs: legs.map(({ destination, trunk }) => ({
          to: destination.to,
          trunk: trunkOf(trunk)?.name ?? null,
        })),
      })),
    ),
    whisper: whisper ?? null,
    maxCallMs: maxCallMs ?? null,
  };
}

function timeOf(text: string): number {
  const at = parseTime(text);
  if (at === undefined) throw badValue([{ field: 'at', expected: TIME_WORDS }]);
  return at;
}

const iso = (at: number): string => new Date(at).toISOString();

export type RouteView = Readonly<{
  number: string;
  at: string;
  standsFor: { readonly endpoint: string; readonly name: string; readonly why: string } | null;
  steps: readonly { readonly name: string; readonly because: string }[];
  turnedAway: string | null;
  plan: ReturnType<typeof planView> | null;
}>;
