import { withFields, type Logger } from '../observe/logger.js';
import { readLegToken } from '../routing/leg-token.js';
import { targetUri } from '../routing/targets.js';
import type { LegAdmission } from './leg-admission.js';
import type { CallDirectory } from './ports.js';
import { ProxyLost, type IncomingRequest } from './requests.js';
import type { TrunkHealth } from './trunk-health.js';

/** How long a trunk or destination may stay silent before the leg counts as failed and the next trunk is tried. */
const SILENCE_MS = 6000;
const PROXY_DEADLINE_MS = 200_000;

export interface OutboundParts {
  readonly directory: () => CallDirectory;
  readonly legKey: Uint8Array;
  readonly admission: Pick<LegAdmission, 'mayRing'>;
  readonly trunkHealth: Pick<TrunkHealth, 'heard'>;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * A leg that FreeSWITCH sends out: its token says where it goes, so that any process can act on it without memory
 * (design, rule 3). The plan named the one trunk; a 503 makes FreeSWITCH go on to the next.
 */
export class OutboundLegs {
  readonly #parts: OutboundParts;

  constructor(parts: OutboundParts) {
    this.#parts = parts;
  }

  /** Sends the leg on. Never rejects: the media node always gets a final response. */
  async take(request: IncomingRequest, token: string): Promise<void> {
    const { directory, legKey, trunkHealth, now, log } = this.#parts;
    const claims = readLegToken(token, legKey, Math.floor(now() / 1000));
    if (typeof claims === 'string') {
      log.warn({ why: claims }, 'a leg with a token that is not ours was refused');
      request.respond(403);
      return;
    }
    const leg = withFields(log, { call: claims.call, leg: claims.leg });
    const owner = directory().destinationBySerial(claims.destination);
    const trunk = claims.trunk === 0 ? undefined : directory().trunkBySerial(claims.trunk)?.trunk;
    const target = owner === undefined ? undefined : targetUri(owner.destination, trunk);
    if (owner === undefined || target === undefined) {
      // Declared otherwise since the plan was made: this way is gone, another may be left.
      leg.warn({}, 'the destination or trunk of a leg is no longer declared');
      request.respond(503);
      return;
    }
    if (!(await this.#parts.admission.mayRing(claims.call, owner, leg))) {
      // Busy, and not out of order: over another trunk it would be as full.
      request.respond(486);
      return;
    }
    try {
      const result = await request.proxy(target, {
        silenceMs: SILENCE_MS,
        deadlineMs: PROXY_DEADLINE_MS,
        ...(trunk?.followRedirects === true ? { followRedirects: true } : {}),
      });
      if (claims.trunk !== 0) trunkHealth.heard(claims.trunk, result.status < 200 ? 0 : result.status);
      leg.debug({ status: result.status }, 'a leg was settled');
    } catch (error) {
      if (!(error instanceof ProxyLost)) throw error;
      // Nobody can be reached by it: no such transport here, no such name in DNS.
      if (error.code === 'refused' && claims.trunk !== 0 && !request.cancelled)
        trunkHealth.heard(claims.trunk, 0);
      leg.warn({ reason: error.code }, 'the outcome of a leg is not known here');
      request.respond(503);
    }
  }
}
