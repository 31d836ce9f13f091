import { given, named, readAll, type AccountNames } from './account-parts.js';
import { Defaults, Limits, OWN_ORIGIN, type DeclaredPool, type DeclaredSite } from './declaration.js';
import type { FileChecks } from './file-checks.js';
import type { Bucketing, Criterion, Step } from './model.js';
import { rangeOf } from './ranges.js';
import * as values from './values.js';
import { parseVisitorKey } from './visitor-key.js';
import type { Field, Fields } from './yaml-source.js';

const STEPS = ['session', 'bucket', 'overflow'] as const satisfies readonly Step[];
const CRITERIA = [
  'source',
  'medium',
  'campaign',
  'keyword',
  'location',
] as const satisfies readonly Criterion[];

const FIELDS = [
  'name',
  'origins',
  'printedNumber',
  'endpoints',
  'holdMs',
  'heartbeatMs',
  'degrade',
  'bucket',
  'overflowNumber',
  'provisionalMs',
  'reservedShare',
  'newLinksPerSecond',
  'visitorKey',
  'embedded',
];

/** A site, and where its overflow number stands: what that must be is known when the pools are read. */
export interface ReadSite {
  readonly site: DeclaredSite;
  readonly field: Field;
}

export function readSite(field: Field, names: AccountNames, checks: FileChecks): ReadSite | undefined {
  const fields = field.map(FIELDS);
  const name = named(fields, field, names.sites);
  const embedded = fields.optional('embedded', values.parseBoolean) === true;
  // Pages of an embedded tag are of anybody's origin.
  const origins = readAll(fields.list('origins', `origins, or "${OWN_ORIGIN}"`, embedded ? 0 : 1), (one) =>
    one.take<readonly string[]>((text) => {
      if (text === OWN_ORIGIN) return { value: checks.ownOrigins };
      const origin = values.parseOrigin(text);
      return 'value' in origin ? { value: [origin.value] } : origin;
    }),
  ).flat();
  const printedNumber = fields.required('printedNumber', values.parseNumber);
  if (printedNumber !== undefined) {
    const place = fields.get('printedNumber') ?? field;
    checks.untracked(printedNumber, place, 'visitors without a number of their own see it');
  }
  const endpoints = readAll(fields.list('endpoints', 'endpoint names'), (one) => {
    const endpoint = one.take(values.parseName);
    names.endpoints.refer(endpoint, one);
    return endpoint;
  });
  const { heartbeatMs, holdMs } = readTimes(fields, field);
  const parseProvisional = values.parseInteger(0, holdMs, 'milliseconds, not above "holdMs"');
  const provisionalMs = fields.optional('provisionalMs', parseProvisional);
  const reservedShare = fields.optional('reservedShare', values.parseDecimal(0, 0.9, 'the share of a pool'));
  const newLinksPerSecond = fields.optional(
    'newLinksPerSecond',
    values.parseInteger(1, 100_000, 'links a second'),
  );
  const visitorKey = fields.get('visitorKey')?.take(parseVisitorKey, { secret: true });
  const steps = readSteps(fields);
  if (name === undefined || printedNumber === undefined) return undefined;
  const site = given<DeclaredSite>({
    name,
    origins: [...new Set(origins)],
    printedNumber,
    endpoints: [...new Set(endpoints)],
    holdMs,
    heartbeatMs,
    ...steps,
    // What is as if it were not declared is not kept: one form for one meaning.
    provisionalMs: provisionalMs === 0 ? undefined : provisionalMs,
    reservedShare: reservedShare === 0 ? undefined : reservedShare,
    newLinksPerSecond,
    visitorKey,
    embedded: embedded ? true : undefined,
  });
  return { site, field: fields.get('overflowNumber') ?? field };
}

function readTimes(fields: Fields, field: Field): { heartbeatMs: number; holdMs: number } {
  const heartbeatMs =
    fields.optional('heartbeatMs', values.parseInteger(500, 3_600_000, 'milliseconds')) ??
    Defaults.heartbeatMs;
  // A site that beats slowly holds longer without saying so.
  const holdDefault = Math.max(Defaults.holdMs, heartbeatMs * Limits.heartbeatsInHold);
  const holdMs =
    fields.optional('holdMs', values.parseInteger(1000, 86_400_000, 'milliseconds')) ?? holdDefault;
  if (holdMs < heartbeatMs * Limits.heartbeatsInHold) {
    (fields.get('holdMs') ?? field).fault(
      `expected "holdMs" of at least ${Limits.heartbeatsInHold} heartbeats of ${heartbeatMs} ms, found ${holdMs}`,
    );
  }
  return { heartbeatMs, holdMs };
}

interface Degradation {
  readonly degrade: readonly Step[] | undefined;
  readonly bucket: Bucketing | undefined;
  readonly overflowNumber: string | undefined;
}

/** What a page gets where numbers are short. */
function readSteps(fields: Fields): Degradation {
  const bucketField = fields.get('bucket');
  const bucket = bucketField === undefined ? undefined : readBucket(bucketField);
  const overflowNumber = fields.optional('overflowNumber', values.parseNumber);
  const needs = { session: undefined, bucket: 'bucket', overflow: 'overflowNumber' } as const;
  const declared = (step: Step): boolean => {
    const need = needs[step];
    return need === undefined || fields.get(need) !== undefined;
  };
  const seen = new Set<Step>();
  const listed = readAll(fields.get('degrade')?.list('steps', 1) ?? [], (one) => {
    const step = one.take(values.parseOneOf(STEPS));
    if (step === undefined) return undefined;
    if (seen.has(step)) one.fault(`expected each step once, "${step}" is there twice`);
    seen.add(step);
    if (!declared(step)) one.fault(`expected "${needs[step]}" beside the step "${step}"`);
    return step;
  });
  const degrade = fields.get('degrade') === undefined ? STEPS.filter(declared) : listed;
  const sessionAlone = degrade.length === 1 && degrade[0] === 'session';
  return { degrade: sessionAlone ? undefined : degrade, bucket, overflowNumber };
}

function readBucket(field: Field): Bucketing | undefined {
  const fields = field.map(['criteria', 'threshold', 'switchAt', 'backAt']);
  const seen = new Set<Criterion>();
  for (const one of fields.list('criteria', `criteria (${CRITERIA.join(', ')})`, 1)) {
    const criterion = one.take(values.parseOneOf(CRITERIA));
    if (criterion === undefined) continue;
    if (seen.has(criterion)) one.fault(`expected each criterion once, "${criterion}" is there twice`);
    seen.add(criterion);
  }
  const threshold = fields.required('threshold', values.parseInteger(0, Limits.numbers, 'sessions'));
  const switchAt = fields.optional('switchAt', values.parseOneOf(['above', 'atLeast'])) ?? 'above';
  if (threshold === undefined) return undefined;
  const backAt =
    fields.optional('backAt', values.parseInteger(0, threshold, 'sessions, not above "threshold"')) ??
    Math.floor(Defaults.backAtShare * threshold);
  // In the order of our list, so that the same criteria make the same buckets however they are listed.
  return { criteria: CRITERIA.filter((one) => seen.has(one)), threshold, switchAt, backAt };
}

/** The overflow number is one of ours that is never handed out to one visitor alone. */
export function checkOverflow(site: DeclaredSite, pools: readonly DeclaredPool[], field: Field): void {
  const { overflowNumber, endpoints } = site;
  if (overflowNumber === undefined) return;
  const pool = pools.find(({ numbers }) => rangeOf(numbers, overflowNumber) !== undefined);
  if (pool === undefined) {
    field.fault(`"${overflowNumber}": expected a number of one of the account's pools`);
    return;
  }
  const reservedToOther =
    (pool.site !== undefined && pool.site !== site.name) ||
    (pool.reservedEndpoint !== undefined &&
      endpoints.length > 0 &&
      !endpoints.includes(pool.reservedEndpoint));
  if (reservedToOther) {
    field.fault(
      `"${overflowNumber}": expected a number of a pool that this site may use ("${pool.name}" is reserved)`,
    );
  }
  if (rangeOf(pool.paused ?? [], overflowNumber) === undefined) {
    field.fault(
      `"${overflowNumber}": expected a number that "${pool.name}" lists as "paused": it is shared, and handed out to nobody alone`,
    );
  }
}
