import type { HttpParts } from './ports.js';
import { Problem } from './problems.js';
import type { Http } from './server-type.js';

/**
 * `/healthz`: the process is up. `/readyz`: a call would succeed now; if not, which parts are missing. `/metrics`: what
 * Prometheus reads.
 */
export function healthRoutes(http: Http, parts: HttpParts): void {
  http.get('/healthz', () => ({ ok: true }));
  http.get('/readyz', async (_request, reply) => {
    const readiness = await parts.readiness();
    if (!readiness.ok) throw new Problem('notReady', { parts: readiness.parts });
    return reply.header('cache-control', 'no-store').send(readiness);
  });
  http.get('/metrics', async (_request, reply) => {
    const { body, type } = await parts.metrics.text();
    return reply.header('content-type', type).send(body);
  });
}
