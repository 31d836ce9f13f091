import type { RankedCandidate, Why } from '../calls/events.js';
import type { CallerNote } from './caller-notes.js';
import { LOG_LENGTH } from './holder-log.js';
import type { Holding } from './holder-log.js';
import { rank } from './ranking.js';
import type { Evidence, Ranking } from './ranking.js';
import type { Resolution, ResolutionRequest } from './types.js';

/** What Redis knew of a number and its caller when the call came. */
export interface Lookup {
  /** ms since the epoch, by Redis's clock. */
  readonly now: number;
  /** Newest first; empty for a number that nobody ever held. */
  readonly log: readonly Holding[];
  /** What the caller reached before, without what is too old for a redial. */
  readonly notes: readonly CallerNote[];
}

/**
 * Whose call it was and where it goes. The caller's redial goes where it went before, also after the number was given to
 * another, unless the one who holds it now is known as this caller himself; else the call goes to the endpoint of whoever
 * most likely made it, else to the pool's default. `exists`: whether an endpoint is still declared.
 */
export function attribute(
  lookup: Lookup,
  request: Pick<ResolutionRequest, 'number' | 'defaultEndpoint' | 'callerNumber'>,
  exists: (endpoint: string) => boolean,
): Resolution {
  const { now, log, notes } = lookup;
  const before = notes.find(({ number }) => number === request.number);
  const evidence = evidenceOf(lookup, before, request.callerNumber);
  const ranking = rank(evidence, { now });
  const chosen = ranking.chosen === undefined ? undefined : evidence[ranking.chosen];

  const holdsItNow = chosen?.calledBefore !== undefined && chosen.until > now;
  const redial = before !== undefined && !holdsItNow && exists(before.endpoint) ? before : undefined;
  const held = heldEndpoint(evidence, chosen, request.defaultEndpoint, now);
  const [endpoint, why] = firstThatExists(
    [
      [redial?.endpoint === held?.[0] ? undefined : redial?.endpoint, 'redial'],
      held ?? [undefined, 'linked'],
      [request.defaultEndpoint, 'poolDefault'],
    ],
    exists,
  );
  const note = redial ?? noteOf(chosen, request.number, endpoint);
  const noted = before ?? (log[0]?.ambiguous === true ? undefined : log[0]);
  const isNoted = note?.link === noted?.link && note?.endpoint === noted?.endpoint;
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(chosen !== undefined && visitOf(chosen)),
    level: ranking.level,
    late: latest(chosen, evidence) <= now,
    why,
    ...certainty(evidence, ranking),
    ...(redial !== undefined && { redial: true }),
    ...(!isNoted && { note: note ?? null }),
  };
}

/** Where the call may go, the best first: the first endpoint that is still declared, and why it goes there. */
function firstThatExists(
  ways: readonly (readonly [string | undefined, Why])[],
  exists: (endpoint: string) => boolean,
): readonly [string | undefined, Why] {
  return ways.find(([id]) => id !== undefined && exists(id)) ?? [undefined, 'unknownNumber'];
}

/** How sure it is, where there was anybody to rank. */
function certainty(evidence: readonly Evidence[], ranking: Ranking) {
  if (evidence.length === 0) return {};
  const chosen = ranking.candidates.find(({ index }) => index === ranking.chosen);
  return {
    candidates: candidatesOf(evidence, ranking),
    ...(chosen !== undefined && { probability: rounded(chosen.probability) }),
    ...(ranking.ambiguous && { ambiguous: true }),
  };
}

/** The end of the link that the call is taken for; of an ambiguous number its newest. Never over without any link. */
function latest(chosen: Evidence | undefined, evidence: readonly Evidence[]): number {
  return (chosen ?? evidence[0])?.until ?? Infinity;
}

/**
 * The holder log as evidence. A caller whose former visit the log has forgotten stands at its end: what he reached then
 * says who he is.
 */
function evidenceOf(
  { log, notes }: Lookup,
  before: CallerNote | undefined,
  callerNumber: string | undefined,
): readonly Evidence[] {
  const evidence = log.map((entry): Evidence => {
    const calls = notes.filter((note) => isSame(note, entry)).map(({ at }) => at);
    const areaIsKnown = entry.area !== undefined && callerNumber?.startsWith('+') === true;
    return {
      ...entry,
      ...(calls.length > 0 && { calledBefore: Math.max(...calls) }),
      ...(areaIsKnown && { areaMatch: callerNumber.startsWith(entry.area) }),
    };
  });
  if (before === undefined || log.some((entry) => isSame(before, entry))) return evidence;
  const { at } = before;
  return [...evidence, { ...before, startedAt: at, until: at, seenAt: at, calledBefore: at }];
}

function isSame(note: CallerNote, entry: Holding): boolean {
  return (
    note.link === entry.link ||
    (note.session !== undefined &&
      (note.session === entry.session || entry.also?.includes(note.session) === true)) ||
    (note.visitor !== undefined && note.visitor === entry.visitor)
  );
}

/** The endpoint that the number was held for; of a doubly held one the endpoint that all of them share, else the default. */
function heldEndpoint(
  evidence: readonly Evidence[],
  chosen: Evidence | undefined,
  defaultEndpoint: string | undefined,
  now: number,
): readonly [string, Why] | undefined {
  if (chosen !== undefined) return [chosen.endpoint, chosen.until > now ? 'linked' : 'lastHolder'];
  const [newest] = evidence;
  if (newest === undefined) return undefined;
  const shared = evidence.every(({ endpoint }) => endpoint === newest.endpoint);
  return [shared ? newest.endpoint : (defaultEndpoint ?? newest.endpoint), 'ambiguous'];
}

/** What the record tells of the visit. */
function visitOf(chosen: Evidence) {
  const { site, link, session, visitor, touch, bucket, parameters, person } = chosen;
  return {
    site,
    link,
    ...(session !== undefined && { session }),
    ...(visitor !== undefined && { visitor }),
    ...(touch !== undefined && { touch }),
    ...(bucket !== undefined && { bucket }),
    ...(parameters !== undefined && { parameters }),
    ...(person !== undefined && { person }),
  };
}

/** What the caller's redial is to go by: nothing, where nobody held the number or nobody was reached. */
function noteOf(
  chosen: Evidence | undefined,
  number: string,
  endpoint: string | undefined,
): Omit<CallerNote, 'at'> | undefined {
  if (chosen === undefined || endpoint === undefined) return undefined;
  const { level, site, link, session, visitor } = chosen;
  return {
    number,
    endpoint,
    level,
    site,
    link,
    ...(session !== undefined && { session }),
    ...(visitor !== undefined && { visitor }),
  };
}

function candidatesOf(evidence: readonly Evidence[], ranking: Ranking): readonly RankedCandidate[] {
  return ranking.candidates.slice(0, LOG_LENGTH).flatMap(({ index, probability, because }) => {
    const one = evidence[index];
    if (one === undefined) return [];
    const { link, endpoint, session, visitor, bucket } = one;
    return {
      link,
      endpoint,
      ...(session !== undefined && { session }),
      ...(visitor !== undefined && { visitor }),
      ...(bucket !== undefined && { bucket }),
      probability: rounded(probability),
      because: because.map(({ what, factor }) => ({ what, factor: Number(factor.toPrecision(4)) })),
    };
  });
}

/** Six digits: enough to add up, and short in the event. */
function rounded(probability: number): number {
  return Number(probability.toFixed(6));
}
