import { Type, type Static } from 'typebox';
import { accountOfKey } from './access.js';
import type { Allocating } from './allocating.js';
import { AllocationBody, AllocationReply } from './allocation-body.js';
import { asProblem, countProblem } from './errors.js';
import type { HttpParts } from './ports.js';
import { problemBody } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import { validated } from './validated.js';

const MOST_ROWS = 100;
const MOST_BYTES = 262_144;

const BulkBody = Type.Object(
  {
    items: Type.Array(Type.Unknown(), {
      minItems: 1,
      maxItems: MOST_ROWS,
      description: `1 to ${MOST_ROWS} bodies of POST /v1/allocations`,
    }),
  },
  { additionalProperties: false, description: 'an object with items' },
);
type BulkBody = Static<typeof BulkBody>;

/**
 * `POST /v1/allocations`: a page view gets a number. 201 for a new link, 200 for one that already lived, 200 with another
 * number where there is none to give.
 */
export function allocationRoutes(http: Http, parts: HttpParts, allocating: Allocating): void {
  http.post<{ Body: AllocationBody; Reply: AllocationReply }>(
    '/v1/allocations',
    { schema: { body: AllocationBody, response: { 200: AllocationReply, 201: AllocationReply } } },
    async (request, reply) => {
      const allocated = await allocating.answer(
        askerOf(request),
        request.headers['user-agent'],
        request.body,
      );
      reply.code(allocated.status);
      return allocated.reply;
    },
  );
  bulkRoute(http, parts, allocating);
}

/**
 * `POST /v1/allocations/bulk`: a server asks for many at once. Each row is answered by itself, in its place, as if it had
 * come alone; all of them leave for Redis in one write.
 */
function bulkRoute(http: Http, parts: HttpParts, allocating: Allocating): void {
  http.post<{ Body: BulkBody }>(
    '/v1/allocations/bulk',
    { schema: { body: BulkBody }, bodyLimit: MOST_BYTES },
    async (request) => {
      // By its key alone, whatever the origin.
      const asker = { ...askerOf(request), origin: undefined };
      accountOfKey(parts.directory(), asker);
      const answer = async (row: unknown): Promise<Record<string, unknown>> => {
        try {
          const body = validated(request, AllocationBody, row);
          const { status, reply } = await allocating.answer(asker, undefined, body);
          return { status, ...reply };
        } catch (error) {
          const problem = asProblem(error);
          countProblem(parts, problem, request, error);
          return problemBody(problem.code, request.id, problem.extra);
        }
      };
      return { items: await Promise.all(request.body.items.map(answer)) };
    },
  );
}
