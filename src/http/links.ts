import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Site } from '../directory/model.js';
import { poolOfLink } from '../numbers/links.js';
import { StoreUnavailable } from '../numbers/ports.js';
import { sitesOfAsker } from './access.js';
import type { HttpParts } from './ports.js';
import { PageIndex } from './page-index.js';
import { Problem } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import type { StoreWatch } from './store-watch.js';

type LinkRequest = FastifyRequest<{ Params: { link: string } }>;

/** A page that was left may be open in another tab, or be loaded again: both are heard of within a heartbeat and this. */
const LEAVE_MARGIN_MS = 5_000;

/**
 * What a page does with its link:
 * - `PUT /v1/links/{link}`: it is still there; the link gets its full hold.
 * - `POST /v1/links/{link}/leave`: it is being left. A beacon, since that is all a page can send then, and a beacon is a
 *   POST. The link ends a heartbeat later, unless another tab or the next page of the visit says that it is there.
 * - `DELETE /v1/links/{link}`: the link ends at once.
 */
export function linkRoutes(http: Http, parts: HttpParts, store: StoreWatch): void {
  const find = (request: LinkRequest) => {
    const directory = parts.directory();
    const { link } = request.params;
    const pool = poolOfLink(link);
    const owner = pool === undefined ? undefined : PageIndex.of(directory).pool(pool);
    const sites = sitesOfAsker(directory, askerOf(request), owner?.account);
    if (owner === undefined || sites.length === 0) throw new Problem('linkNotFound');
    return { link, account: owner.account.id, sites, ids: sites.map((site) => site.id) };
  };
  const ask = async <T>(question: Promise<T>): Promise<T> => {
    try {
      const answer = await question;
      store.answered();
      return answer;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      store.failed();
      parts.metrics.links.count('storeDown');
      throw new Problem('storeDown');
    }
  };

  http.put<{ Params: { link: string } }>('/v1/links/:link', async (request) => {
    const { link, account, sites, ids } = find(request);
    const renewal = await ask(parts.links.renew(account, link, ids));
    const site = renewal.state === 'renewed' ? sites.find(({ id }) => id === renewal.site) : undefined;
    parts.metrics.links.count(site === undefined ? 'gone' : 'renewed');
    // Link ids are minted with the pool in them: one that Redis has forgotten lost its number to another page since.
    if (renewal.state !== 'renewed' || site === undefined) throw new Problem('linkEnded');
    const until = new Date(renewal.until).toISOString();
    return { link, number: renewal.number, until, holdMs: renewal.holdMs, heartbeatMs: site.heartbeatMs };
  });

  const end = async (
    request: LinkRequest,
    reply: FastifyReply,
    grace: (sites: readonly Site[]) => number,
  ) => {
    const { link, account, sites, ids } = find(request);
    const how = await ask(parts.links.end(account, link, ids, grace(sites)));
    parts.metrics.links.count(how === 'done' ? 'ended' : 'gone');
    // Ending what has ended is no fault: a page says it twice when it is left twice.
    return reply.code(204).send();
  };
  http.delete<{ Params: { link: string } }>('/v1/links/:link', (request, reply) =>
    end(request, reply, () => 0),
  );
  http.post<{ Params: { link: string } }>('/v1/links/:link/leave', (request, reply) =>
    end(request, reply, (sites) => Math.max(...sites.map((site) => site.heartbeatMs)) + LEAVE_MARGIN_MS),
  );
}
