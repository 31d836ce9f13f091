import { ATTESTATIONS } from '../routing/attestation.js';
import { MOST_ROUNDS } from '../routing/plan.js';
import { given, named, readAll, readCaps, type AccountNames } from './account-parts.js';
import { costly } from './costly-numbers.js';
import {
  Defaults,
  Limits,
  type DeclaredDestination,
  type DeclaredEndpoint,
  type DeclaredRingGroup,
  type DeclaredRoute,
} from './declaration.js';
import type { FileChecks } from './file-checks.js';
import { readHours } from './hours-file.js';
import * as values from './values.js';
import type { Field, Fields } from './yaml-source.js';

export function readEndpoint(
  field: Field,
  names: AccountNames,
  checks: FileChecks,
): DeclaredEndpoint | undefined {
  const fields = field.map([
    'name',
    'destinations',
    'ring',
    'ringMs',
    'rings',
    'whisper',
    'hours',
    'routes',
    'overflow',
    'concurrentCalls',
    'callsPerSecond',
    'maxCallMs',
    'callerShown',
  ]);
  const name = named(fields, field, names.endpoints);
  const groups = fields.get('ring');
  if ((fields.get('destinations') === undefined) === (groups === undefined)) {
    field.fault('expected either "destinations" (all ring together) or "ring" (groups, one after the other)');
  }
  if (groups !== undefined)
    for (const own of ['ringMs', 'rings'])
      fields.get(own)?.fault(`expected "${own}" in each group of "ring", not beside it`);
  const ring =
    groups === undefined
      ? [readGroup(fields, names, checks)]
      : readAll(fields.list('ring', 'ring groups', 1), (one) =>
          readGroup(one.map(['ringMs', 'rings', 'destinations']), names, checks),
        );
  const whole = ring.reduce((sum, { ringMs }) => sum + ringMs, 0);
  if (whole > Limits.ringMsInAll) {
    (fields.get('ringMs') ?? groups ?? field).fault(
      `expected ringing of at most ${Limits.ringMsInAll} ms in all groups together, found ${whole}`,
    );
  }
  const legs = ring.flatMap(({ destinations }) =>
    destinations.map(({ trunks, group }) =>
      Math.min(MOST_ROUNDS, Math.max(1, names.groups.get(group ?? '') ?? trunks.length)),
    ),
  );
  const legCount = legs.reduce((sum, count) => sum + count, 0);
  if (legCount > Limits.legs) {
    field.fault(`expected at most ${Limits.legs} legs (destinations, times their trunks), found ${legCount}`);
  }
  if (name !== undefined) names.legs.set(name, legCount);
  const whisper = fields.optional('whisper', values.parseWhisper);
  const hours = fields.get('hours');
  const routes = fields.get('routes') === undefined ? undefined : fields.list('routes', 'routes');
  const overflow = fields.optional('overflow', values.parseName);
  const refer =
    (as: 'route' | 'overflow') =>
    (to: string | undefined, at: Field | undefined): void => {
      if (at !== undefined) names.references.push({ as, name: to, owner: name, field: at });
    };
  refer('overflow')(overflow, fields.get('overflow'));
  const callerShown = readCallerShown(fields, names);
  const declared = {
    ring,
    callerShown,
    whisper,
    hours: hours === undefined ? undefined : readHours(hours),
    routes: routes && readAll(routes, (one) => readRoute(one, refer('route'))),
    overflow,
    ...readCaps(fields),
    maxCallMs: fields.optional('maxCallMs', values.parseInteger(1000, Limits.callMs, 'milliseconds')),
  };
  return name === undefined ? undefined : given<DeclaredEndpoint>({ name, ...declared });
}

function readCallerShown(fields: Fields, names: AccountNames): DeclaredEndpoint['callerShown'] {
  const shown = fields.optional('callerShown', values.parseCallerShown);
  const at = fields.get('callerShown');
  if (shown === 'caller') return undefined;
  if (at !== undefined && shown?.startsWith('+') === true) names.shown.push({ number: shown, field: at });
  return shown;
}

/** Once all endpoints are read: the names that they call each other by, and what rings one after the other. */
export function checkReferences({ endpoints, legs, references }: AccountNames): void {
  for (const { as, name, owner, field } of references) {
    endpoints.refer(name, field);
    if (name !== undefined && name === owner) field.fault('expected another endpoint than this one');
    else if (as === 'overflow') {
      const together = (legs.get(owner ?? '') ?? 0) + (legs.get(name ?? '') ?? 0);
      if (together > Limits.legs)
        field.fault(
          `expected at most ${Limits.legs} legs here and there together, as both ring when nobody answers, found ${together}`,
        );
    }
  }
}

function readRoute(
  field: Field,
  refer: (name: string | undefined, at: Field | undefined) => void,
): DeclaredRoute | undefined {
  const fields = field.map(['areas', 'attestations', 'endpoint']);
  const some = <T>(of: string, parse: (text: string) => values.Parsed<T>): T[] | undefined =>
    fields.get(of) === undefined ? undefined : readAll(fields.list(of, of, 1), (one) => one.take(parse));
  const areas = some('areas', values.parsePrefix);
  const attestations = some('attestations', values.parseOneOf(ATTESTATIONS));
  const endpoint = fields.required('endpoint', values.parseName);
  refer(endpoint, fields.get('endpoint'));
  if (fields.get('areas') === undefined && fields.get('attestations') === undefined)
    field.fault('expected "areas" (prefixes of callers), "attestations", or both');
  return endpoint === undefined ? undefined : given<DeclaredRoute>({ areas, attestations, endpoint });
}

function readGroup(fields: Fields, names: AccountNames, checks: FileChecks): DeclaredRingGroup {
  const parseRing = values.parseInteger(1000, Limits.ringMsInAll, 'milliseconds');
  const seen = new Set<string>();
  const destinations = readAll(fields.list('destinations', 'destinations', 1), (one) => {
    const destination = readDestination(one, names, checks);
    if (destination === undefined) return undefined;
    if (seen.has(destination.to))
      one.fault(`expected each destination of a group once, "${destination.to}" is there twice`);
    seen.add(destination.to);
    return destination;
  });
  const ringMs = fields.optional('ringMs', parseRing) ?? Defaults.ringMs;
  const rings = fields.optional('rings', values.parseOneOf(['together', 'one']));
  const weighed = destinations.some(({ weight }) => weight !== undefined);
  if (weighed && rings !== 'one')
    (fields.get('rings') ?? fields.get('destinations'))?.fault(
      'expected "rings: one" where destinations have a "weight": those that ring together need none',
    );
  return { ringMs, destinations, ...(rings === 'one' ? { rings } : {}) };
}

function readDestination(
  field: Field,
  names: AccountNames,
  checks: FileChecks,
): DeclaredDestination | undefined {
  const fields = field.isMap ? field.map(['to', 'trunks', 'group', 'weight']) : undefined;
  const to =
    fields === undefined
      ? field.take(values.parseDestination)
      : fields.required('to', values.parseDestination);
  const place = fields?.get('to') ?? field;
  const weight = fields?.optional('weight', values.parseInteger(1, Limits.weight, 'weight'));
  const weighed = weight === undefined ? {} : { weight };
  const trunks = readAll(fields?.list('trunks', 'trunk names') ?? [], (one) => {
    const trunk = one.take(values.parseName);
    names.trunks.refer(trunk, one);
    return trunk === undefined ? undefined : { trunk, one };
  });
  const group = fields?.optional('group', values.parseName);
  if (to === undefined) return undefined;
  if (to.kind === 'sip') {
    for (const ways of ['trunks', 'group'])
      fields?.get(ways)?.fault('expected no trunks for a SIP address: it is called directly');
    checks.transport(to.transport, place);
    return { to: to.to, trunks: [], ...weighed };
  }
  if ((trunks.length === 0) === (group === undefined))
    place.fault(`"${to.to}": expected {to, trunks} or {to, group}: a number leaves over trunks`);
  if (group !== undefined && !names.groups.has(group)) {
    const known = [...names.groups.keys()].join(', ') || 'none';
    fields
      ?.get('group')
      ?.fault(`expected the name of one of the account's trunk groups (${known}), not "${group}"`);
  }
  mayBeCalled(to.to, place, names);
  for (const { trunk, one } of trunks) {
    if (!names.gateways.has(trunk))
      one.fault(`expected a trunk with a "gateway": no call can leave by "${trunk}"`);
  }
  checks.untracked(to.to, place, 'the call would come back to us');
  return {
    to: to.to,
    trunks: [...new Set(trunks.map(({ trunk }) => trunk))],
    ...(group === undefined ? {} : { group }),
    ...weighed,
  };
}

/** A number that somebody put here by mistake, or on purpose, may cost more in a night than all calls of a year. */
function mayBeCalled(number: string, place: Field, { prefixes, costly: allowed }: AccountNames): void {
  if (prefixes !== undefined && !prefixes.some((prefix) => number.startsWith(prefix)))
    place.fault(
      `"${number}": expected a number of the account's "destinationPrefixes" (${prefixes.join(', ')})`,
    );
  const why = allowed ? undefined : costly(number);
  if (why !== undefined)
    place.fault(
      `"${number}": expected a number that costs what a call costs: ${why} ("costlyDestinations: true" allows it)`,
    );
}
