import type { FastifyReply, FastifyRequest } from 'fastify';
import { StoreUnavailable } from '../numbers/ports.js';
import { reachOfAsker } from './access.js';
import type { HttpParts, LinkState } from './ports.js';
import { Problem } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import type { StoreWatch } from './store-watch.js';

interface LinkParams {
  link: string;
}
type LinkRequest = FastifyRequest<{ Params: LinkParams }>;

const LINK_ID = /^lnk_[0-9a-z]{8,64}$/;

/**
 * `PUT /v1/links/{link}` keeps a link alive, `DELETE` ends it. A page that is being left can send only a beacon, which
 * is a POST: `POST /v1/links/{link}/end` does what `DELETE` does.
 */
export function linkRoutes(http: Http, parts: HttpParts, store: StoreWatch): void {
  const apply = async (request: LinkRequest, action: 'renew' | 'end'): Promise<LinkState> => {
    const reach = reachOfAsker(parts.directory(), askerOf(request));
    const { link } = request.params;
    if (!LINK_ID.test(link)) return { state: 'unknown' };
    try {
      // One origin is listed by one account, but for an agency that declares a page twice.
      for (const [account, sites] of reach) {
        const found = await parts.links[action](account, link, sites);
        if (found.state !== 'unknown') return found;
      }
      store.answered();
      return { state: 'unknown' };
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      store.failed();
      parts.metrics.links.count('storeDown');
      throw new Problem('storeDown');
    }
  };

  http.put<{ Params: LinkParams }>('/v1/links/:link', async (request) => {
    const { link } = request.params;
    const now = await apply(request, 'renew');
    parts.metrics.links.count(now.state === 'live' ? 'renewed' : 'gone');
    if (now.state === 'unknown') throw new Problem('linkNotFound');
    if (now.state === 'ended') throw new Problem('linkEnded');
    return { link, until: new Date(now.until).toISOString(), holdMs: now.holdMs, heartbeatMs: now.heartbeatMs };
  });

  const end = async (request: LinkRequest, reply: FastifyReply) => {
    const before = await apply(request, 'end');
    parts.metrics.links.count(before.state === 'live' ? 'ended' : 'gone');
    if (before.state === 'unknown') throw new Problem('linkNotFound');
    // Ending what has ended is no fault: a page says it twice when it is left twice.
    return reply.code(204).send();
  };
  http.delete<{ Params: LinkParams }>('/v1/links/:link', end);
  http.post<{ Params: LinkParams }>('/v1/links/:link/end', end);
}
