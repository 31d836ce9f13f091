import { Seq } from '../calls/events.js';
import type { Received } from '../calls/events.js';
import { Code, UnexpectedReply } from './codes.js';
import type { Resolution, ResolutionRequest } from './types.js';

/** What the event `received` says before the number was looked up. */
export type ReceivedBase = Omit<Received, 'level' | 'late' | 'why' | 'endpoint'>;

/** The event `received` as far as it is known before the number is looked up; the script `resolve` adds the rest. */
export function receivedEvent(request: Omit<ResolutionRequest, 'pool'>): ReceivedBase {
  const { account, call, at, number, trunk, caller, callerHash, test } = request;
  return {
    v: 1,
    kind: 'received',
    account,
    call,
    seq: Seq.received,
    at,
    number,
    trunk,
    test,
    ...(caller !== undefined && { caller }),
    ...(callerHash !== undefined && { callerHash }),
  };
}

/** Redis did not answer: the pool's default endpoint out of the cached directory, and the event for the spool. */
export function resolutionWithoutStore(request: ResolutionRequest): {
  resolution: Resolution;
  event: Received;
} {
  const resolution: Resolution = {
    level: 'none',
    late: false,
    why: 'storeDown',
    ...(request.defaultEndpoint !== undefined && { endpoint: request.defaultEndpoint }),
  };
  return { resolution, event: { ...receivedEvent(request), ...resolution } };
}

/** The endpoint of a resolution is no longer declared: the visit stays known, the call goes to the default, or to nobody. */
export function withoutItsEndpoint(
  found: Resolution,
  defaultEndpoint: string | undefined,
  exists: (endpoint: string) => boolean,
): Resolution {
  const visit: { -readonly [K in keyof Resolution]: Resolution[K] } = { ...found };
  delete visit.endpoint;
  return defaultEndpoint !== undefined && exists(defaultEndpoint)
    ? { ...visit, endpoint: defaultEndpoint, why: 'poolDefault' }
    : { ...visit, why: 'unknownNumber' };
}

/** What the script `resolve` returned. Throws `UnexpectedReply`. */
export function readResolution(reply: unknown, defaultEndpoint: string | undefined): Resolution {
  if (!Array.isArray(reply)) throw new UnexpectedReply('resolve');
  const [code, ...fields] = reply as readonly unknown[];
  switch (code) {
    case Code.linked:
    case Code.lastHolder: {
      const [endpoint, site, session, visitor, link, touch] = fields.map((field) =>
        typeof field === 'string' ? field : undefined,
      );
      if (endpoint === undefined || site === undefined || session === undefined || link === undefined) {
        throw new UnexpectedReply('resolve');
      }
      const late = code === Code.lastHolder;
      return {
        endpoint,
        site,
        session,
        link,
        level: 'session',
        late,
        why: late ? 'lastHolder' : 'linked',
        ...(visitor !== undefined && { visitor }),
        ...(touch !== undefined && { touch }),
      };
    }
    case Code.poolDefault:
      if (defaultEndpoint === undefined) throw new UnexpectedReply('resolve');
      return { endpoint: defaultEndpoint, level: 'none', late: false, why: 'poolDefault' };
    case Code.unknownNumber:
      return { level: 'none', late: false, why: 'unknownNumber' };
    default:
      throw new UnexpectedReply('resolve');
  }
}
