import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Asker } from './access.js';

/** The fastify instance that routes are added to. */
export type Http = FastifyInstance;

/** Who asks. */
export function askerOf(request: FastifyRequest): Asker {
  const { origin, authorization } = request.headers;
  return { origin, authorization, address: request.ip };
}
