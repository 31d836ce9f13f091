import type { FastifyRequest } from 'fastify';
import { BadCursor } from '../calls/ports.js';
import { accountOfKey } from './access.js';
import { parseCallQuery } from './call-query.js';
import { callView, eventView, type OpenCaller } from './call-view.js';
import type { HttpParts } from './ports.js';
import { badValue, Problem } from './problems.js';
import { askerOf, type Http } from './server-type.js';

const CALL_ID = /^call_[0-9a-z]{1,60}$/;

/** Callers that were sealed with another key cannot be read; the rest of the record can. */
export function forgivingOpen(parts: HttpParts): OpenCaller {
  return (sealed) => {
    try {
      return parts.openCaller(sealed);
    } catch {
      // The error may hold what was sealed.
      parts.logger.warn({}, 'a caller in the call log cannot be opened with the present key');
      return null;
    }
  };
}

/** `GET /v1/calls`, `/v1/calls/{id}` and `/v1/calls/{id}/events`, for the account of the API key. */
export function callRoutes(http: Http, parts: HttpParts): void {
  const open = forgivingOpen(parts);

  http.get<{ Querystring: Record<string, unknown> }>('/v1/calls', async (request) => {
    const directory = parts.directory();
    const account = accountOfKey(directory, askerOf(request));
    const filter = parseCallQuery(request.query, {
      site: (name) => directory.site(account.id, name),
      endpoint: (name) => directory.endpoint(account.id, name),
    });
    if (Array.isArray(filter)) throw badValue(filter);
    try {
      const page = await parts.callLog.list(account.id, filter);
      return { items: page.items.map((record) => callView(record, open)), next: page.next };
    } catch (error) {
      if (!(error instanceof BadCursor)) throw error;
      throw badValue([{ field: 'cursor', expected: 'what an earlier page gave as next' }]);
    }
  });

  const find = async (request: FastifyRequest<{ Params: { id: string } }>) => {
    const account = accountOfKey(parts.directory(), askerOf(request));
    const { id } = request.params;
    const record = CALL_ID.test(id) ? await parts.callLog.get(account.id, id) : undefined;
    if (record === undefined) throw new Problem('callNotFound');
    return record;
  };
  http.get<{ Params: { id: string } }>('/v1/calls/:id', async (request) =>
    callView(await find(request), open),
  );
  http.get<{ Params: { id: string } }>('/v1/calls/:id/events', async (request) => {
    const record = await find(request);
    const events = await parts.callLog.events(record.account, record.id);
    return { items: events.map((event) => eventView(event, open)) };
  });
}
