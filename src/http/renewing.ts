import { Type, type Static } from 'typebox';
import type { Site } from '../directory/model.js';
import type { Claim, Renewal } from '../numbers/types.js';
import { makePass, PASS_MS } from '../visitors/pass.js';
import { E164, OwnId, SessionId } from './ids.js';
import type { HttpParts } from './ports.js';

/** What a page says that it was told. */
export const Told = {
  number: Type.Optional(Type.String({ pattern: E164, description: 'the number that is shown, E.164' })),
  until: Type.Optional(
    Type.String({
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?Z$',
      description: 'the end of the link as an answer told it',
    }),
  ),
};

/** What a page may say with its heartbeat: who it is, and what it was told. */
export const Heartbeat = Type.Object(
  { session: Type.Optional(SessionId), visitor: Type.Optional(OwnId), ...Told },
  { additionalProperties: false, description: 'an object with session, visitor, number, until' },
);
export type Heartbeat = Static<typeof Heartbeat>;

/** A link that lives on. */
export interface Renewed {
  readonly number: string;
  readonly endpoint: string;
  readonly level: 'session' | 'bucket';
  readonly until: string;
  readonly holdMs: number;
  readonly heartbeatMs: number;
  /** For who was not heard before and is now. */
  readonly pass?: string;
}

/**
 * A page with a link is still there: the link gets its full hold. undefined when it is over, or not of these sites.
 * @param sites those whose links may be touched @throws StoreUnavailable
 */
export async function renewLink(
  parts: HttpParts,
  account: string,
  link: string,
  sites: readonly Site[],
  beat: Heartbeat,
): Promise<Renewed | undefined> {
  const ids = sites.map(({ id }) => id);
  const renewal: Renewal = await parts.links.renew(account, link, ids, claimOf(beat, sites));
  const site = renewal.state === 'renewed' ? sites.find(({ id }) => id === renewal.site) : undefined;
  const confirmed = renewal.state === 'renewed' && renewal.confirmed === true;
  parts.metrics.links.count(site === undefined ? 'gone' : confirmed ? 'confirmed' : 'renewed');
  if (renewal.state !== 'renewed' || site === undefined) return undefined;
  const { number, endpoint, level = 'session', holdMs } = renewal;
  const pass =
    confirmed && beat.visitor !== undefined
      ? makePass(parts.passKey, { site: site.id, visitor: beat.visitor }, parts.now() + PASS_MS)
      : undefined;
  const until = new Date(renewal.until).toISOString();
  return { number, endpoint, level, until, holdMs, heartbeatMs: site.heartbeatMs, ...(pass && { pass }) };
}

function claimOf({ session, number, until }: Heartbeat, sites: readonly Site[]): Claim {
  const at = until === undefined ? NaN : Date.parse(until);
  const counting = sites.filter(({ bucket }) => bucket !== undefined).map(({ id }) => id);
  return {
    ...(counting.length > 0 && { counting }),
    ...(session !== undefined && { session }),
    ...(number !== undefined && { number }),
    ...(!Number.isNaN(at) && { until: at }),
  };
}
