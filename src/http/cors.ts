import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpParts } from './ports.js';
import { PageIndex } from './page-index.js';
import { Problem } from './problems.js';
import type { Http } from './server-type.js';

/** The addresses that pages of other origins ask, with the methods they may use. */
const browserRoutes: Readonly<Record<string, string>> = {
  '/v1/allocations': 'POST',
  '/v1/links/:link': 'PUT, DELETE',
  '/v1/links/:link/leave': 'POST',
  '/v1/links/:link/tap': 'POST',
};

/**
 * CORS for the routes of pages: an origin is echoed when some site lists it, and never with credentials, so that caches
 * and browsers give one site's answers to no other. Which site it may ask for is decided by the route.
 */
export function allowOrigins(http: Http, parts: HttpParts): void {
  const listed = (origin: string | undefined) =>
    origin !== undefined && PageIndex.of(parts.directory()).lists(origin);

  http.addHook('onRoute', (route) => {
    if (!(route.url in browserRoutes) || route.method === 'OPTIONS') return;
    route.onRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      reply.header('vary', 'Origin');
      const { origin } = request.headers;
      if (listed(origin)) reply.header('access-control-allow-origin', origin);
      done();
    };
  });

  for (const [url, methods] of Object.entries(browserRoutes)) {
    http.options(url, async (request, reply) => {
      const { origin } = request.headers;
      reply.header('vary', 'Origin').header('allow', `${methods}, OPTIONS`);
      if (origin !== undefined) {
        if (!listed(origin)) throw new Problem('originNotListed');
        reply
          .header('access-control-allow-origin', origin)
          .header('access-control-allow-methods', methods)
          .header('access-control-allow-headers', 'content-type')
          .header('access-control-max-age', '7200');
      }
      return reply.code(204).send();
    });
  }
}
