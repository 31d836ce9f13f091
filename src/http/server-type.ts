import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Asker } from './access.js';

/** The fastify instance that routes are added to. */
export type Http = FastifyInstance;

/** Who asks. */
export function askerOf(request: FastifyRequest): Asker {
  const { origin, authorization } = request.headers;
  return { origin, authorization, address: request.ip };
}

/**
 * Whether a page of this server itself sent the request, by what no page can write: `Sec-Fetch-Site` (W3C Fetch Metadata), or
 * `Origin` where a browser does not send the former, as it does over TLS and to this machine alone.
 */
export function fromOwnPage(request: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (site !== undefined) return site === 'same-origin';
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === request.host;
}
