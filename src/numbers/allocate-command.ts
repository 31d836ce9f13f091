import type { Bucketing, Pool, Site, Step } from '../directory/model.js';
import { bucketOf, parameterBucket } from './bucket.js';
import { LOG_LENGTH } from './holder-log.js';
import { accountKeys } from './keys.js';
import { poolTag } from './links.js';
import type { AllocationRequest } from './types.js';

/**
 * How long a number rests between the end that its page was told and its next page. A page learns of its end by the
 * time the answer took to reach it, a browser wakes the timer of a hidden tab once a second, and a visitor's dialling
 * outlasts the glance at the number: 5 s cover these, and cost a pool of a minute's hold 8 % of its capacity.
 */
export const MARGIN_MS = 5_000;

/** The bucket's number, which the script finds by its holder as it would a session's; else the overflow number. */
const ANONYMOUS_STEPS = 'so';

/** What of a site the script needs. */
export type SiteOfPage = Pick<
  Site,
  'holdMs' | 'degrade' | 'bucket' | 'overflowNumber' | 'provisionalMs' | 'reservedShare'
>;

/**
 * Keys and arguments of `allocate.lua`, whose header lists them. `pools` are the candidates in the order in which they are
 * tried, `tail` of `mintLinkTail`, `now` '' for Redis's own clock.
 */
export function allocateCommand(
  request: AllocationRequest,
  site: SiteOfPage,
  pools: readonly Pick<Pool, 'id'>[],
  tail: string,
  now: number | '',
): { readonly keys: string[]; readonly args: (string | number)[] } {
  const names = accountKeys(request.account);
  const keys = [names.holders, names.links, names.numbers, names.active(request.site), names.modes];
  const known = request.known === true || request.person !== undefined;
  const args = [
    now,
    site.holdMs,
    MARGIN_MS,
    LOG_LENGTH,
    entryText(request, site.bucket),
    tail,
    request.anonymous === true ? ANONYMOUS_STEPS : stepsOf(site.degrade),
    known ? 0 : (site.provisionalMs ?? 0),
    known ? 0 : (site.reservedShare ?? 0),
    ...bucketArguments(request, site.bucket),
    site.overflowNumber ?? '',
  ];
  for (const { id } of pools) {
    keys.push(names.ends(id), names.traffic(id));
    args.push(poolTag(id));
  }
  return { keys, args };
}

/** What the holder log is to say of whoever asks; the script adds what it decides. */
function entryText(request: AllocationRequest, bucketing: Bucketing | undefined): string {
  const { endpoint, site, session, parameters, visitor, touch, area, person } = request;
  if (request.anonymous === true)
    return bucketEntry(request, bucketing ?? { criteria: ['source', 'medium'] });
  return JSON.stringify(
    parameters === undefined
      ? { endpoint, site, level: 'session', session, visitor, touch, area, person }
      : { endpoint, site, level: 'bucket', bucket: parameterBucket(parameters), parameters, touch },
  );
}

/** The letters of the steps, as `allocate.lua` reads them. */
function stepsOf(degrade: readonly Step[] | undefined): string {
  return degrade === undefined ? 's' : degrade.map((step) => step.slice(0, 1)).join('');
}

/** ARGV[10] to ARGV[13] of `allocate.lua`. */
function bucketArguments(request: AllocationRequest, bucketing: Bucketing | undefined): (string | number)[] {
  const isOwn = request.parameters === undefined && request.anonymous !== true;
  if (bucketing === undefined || !isOwn) return ['', 0, '', 0];
  return [bucketEntry(request, bucketing), bucketing.threshold, bucketing.switchAt, bucketing.backAt];
}

function bucketEntry(request: AllocationRequest, bucketing: Pick<Bucketing, 'criteria'>): string {
  const { endpoint, site } = request;
  const { id, touch } = bucketOf(bucketing, {
    own: request.bucket,
    touch: request.touch,
    area: request.area,
  });
  return JSON.stringify({ endpoint, site, level: 'bucket', bucket: id, touch });
}
