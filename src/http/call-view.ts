import type { CallEvent } from '../calls/events.js';
import type { CallRecord } from '../calls/record.js';

/** Opens a sealed caller; null for one that cannot be opened any more. */
export type OpenCaller = (sealed: string) => string | null;

/** A call record as the account reads it: times in ISO 8601, the caller in E.164, the touch as an object. */
export function callView(record: CallRecord, open: OpenCaller) {
  return {
    id: record.id,
    number: record.number,
    caller: record.caller === null ? null : open(record.caller),
    diverting: record.diverting === null ? null : open(record.diverting),
    attestation: record.attestation,
    attestationWhy: record.attestationWhy,
    trunk: record.trunk,
    account: record.account,
    endpoint: record.endpoint,
    site: record.site,
    session: record.session,
    visitor: record.visitor,
    link: record.link,
    level: record.level,
    startedAt: iso(record.startedAt),
    ringingAt: iso(record.ringingAt),
    answeredAt: iso(record.answeredAt),
    endedAt: iso(record.endedAt),
    ringMs: record.ringMs,
    talkMs: record.talkMs,
    result: record.result,
    reason: record.reason,
    fault: record.fault,
    destination: record.destination,
    route: record.route,
    mediaNode: record.mediaNode,
    media: record.media,
    late: record.late,
    why: record.why,
    touch: jsonView(record.touch),
    bucket: record.bucket,
    parameters: jsonView(record.parameters),
    person: record.person,
    probability: record.probability,
    ambiguous: record.ambiguous,
    redial: record.redial,
    candidates: record.candidates,
    test: record.test,
  };
}
export type CallView = ReturnType<typeof callView>;

/** A step of a call as the account reads it. The keyed hash of the caller stays with us. */
export function eventView(event: CallEvent, open: OpenCaller): Record<string, unknown> {
  const view: Record<string, unknown> = { ...event, at: iso(event.at) };
  if (event.kind === 'received') {
    delete view['callerHash'];
    view['caller'] = event.caller === undefined ? null : open(event.caller);
    if (event.diverting !== undefined) view['diverting'] = open(event.diverting);
    view['touch'] = jsonView(event.touch ?? null);
  }
  if (event.kind === 'attributed') view['touch'] = jsonView(event.touch ?? null);
  if (event.kind === 'ended') {
    view['startedAt'] = iso(event.startedAt ?? null);
    view['ringingAt'] = iso(event.ringingAt ?? null);
    view['answeredAt'] = iso(event.answeredAt ?? null);
  }
  return view;
}

function iso(at: number): string;
function iso(at: number | null): string | null;
function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** Touch and parameters were JSON when they came in by our door; another writer's text is shown as it is. */
function jsonView(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
