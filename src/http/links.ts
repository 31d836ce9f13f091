import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Site } from '../directory/model.js';
import { poolOfLink } from '../numbers/links.js';
import { sitesOfAsker } from './access.js';
import type { HttpParts } from './ports.js';
import { Problem } from './problems.js';
import { Heartbeat, renewLink } from './renewing.js';
import { askerOf, type Http } from './server-type.js';
import type { StoreWatch } from './store-watch.js';
import { validated } from './validated.js';

type LinkRequest = FastifyRequest<{ Params: { link: string } }>;

/** A page that was left may be open in another tab, or be loaded again: both are heard of within a heartbeat and this. */
const LEAVE_MARGIN_MS = 5_000;

/**
 * What a page does with its link:
 * - `PUT /v1/links/{link}`: it is still there; the link gets its full hold. Who was not heard before and is now is known
 *   by the pass that he gets.
 * - `POST /v1/links/{link}/tap`: the visitor tapped the number. A beacon too.
 * - `POST /v1/links/{link}/leave`: it is being left. A beacon, since that is all a page can send then, and a beacon is a
 *   POST. The link ends a heartbeat later, unless another tab or the next page of the visit says that it is there.
 * - `DELETE /v1/links/{link}`: the link ends at once.
 */
export function linkRoutes(http: Http, parts: HttpParts, store: StoreWatch): void {
  const find = (request: LinkRequest) => {
    const directory = parts.directory();
    const { link } = request.params;
    const pool = poolOfLink(link);
    const account = pool === undefined ? undefined : directory.accountOfPool(pool);
    const sites = sitesOfAsker(directory, askerOf(request), account);
    if (account === undefined || sites.length === 0) throw new Problem('linkNotFound');
    return { link, account: account.id, sites, ids: sites.map((site) => site.id) };
  };
  const ask = <T>(question: Promise<T>): Promise<T> =>
    store.ask(question, () => {
      parts.metrics.links.count('storeDown');
    });

  http.put<{ Params: { link: string } }>('/v1/links/:link', async (request) => {
    const { link, account, sites } = find(request);
    const renewed = await ask(renewLink(parts, account, link, sites, heartbeat(request)));
    // Link ids are minted with the pool in them: one that Redis has forgotten lost its number to another page since.
    if (renewed === undefined) throw new Problem('linkEnded');
    const { number, until, holdMs, heartbeatMs, pass } = renewed;
    return { link, number, until, holdMs, heartbeatMs, ...(pass && { pass }) };
  });

  http.post<{ Params: { link: string } }>('/v1/links/:link/tap', async (request, reply) => {
    const { link, account, ids } = find(request);
    const known = await ask(parts.links.tap(account, link, ids));
    parts.metrics.links.count(known ? 'tapped' : 'gone');
    // Nobody waits for what a beacon brings.
    return reply.code(204).send();
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

/** @throws Problem badValue; most heartbeats say nothing, and are heard all the same */
function heartbeat(request: FastifyRequest): Heartbeat {
  return request.body === undefined ? {} : validated(request, Heartbeat, request.body);
}
