import { Type, type Static } from 'typebox';
import type { DirectoryIndex, SiteOwner } from '../directory/directory-index.js';
import type { Allocation } from '../numbers/types.js';
import { StoreUnavailable } from '../numbers/ports.js';
import type { AllocationOutcome } from '../observe/metrics.js';
import { siteOfAsker } from './access.js';
import type { AddressBucket } from './address-bucket.js';
import { isKnownBot } from './bots.js';
import type { HttpParts } from './ports.js';
import { badValue, Problem } from './problems.js';
import { askerOf, type Http } from './server-type.js';
import { tagIsOurs } from './tag-signature.js';
import { canonicalTouch, Touch } from './touch.js';
import type { StoreWatch } from './store-watch.js';

const NAME = { minLength: 1, maxLength: 128 };
const OWN_ID = {
  pattern: '^[A-Za-z0-9._~-]{1,128}$',
  description: '1 to 128 characters of A-Z a-z 0-9 . _ ~ -',
};

const AllocationBody = Type.Object(
  {
    endpoint: Type.String({ ...NAME, description: 'the id or name of an endpoint' }),
    site: Type.String({ ...NAME, description: 'the id or name of a site' }),
    session: Type.String(OWN_ID),
    visitor: Type.Optional(Type.String(OWN_ID)),
    touch: Type.Optional(Touch),
    tag: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'the signature that POST /v1/tags gave' }),
    ),
  },
  { additionalProperties: false, description: 'an object with endpoint, site, session' },
);
type AllocationBody = Static<typeof AllocationBody>;

const Nullable = (type: 'string') => Type.Unsafe<string | null>({ type: [type, 'null'] });

/** What a page gets. Without a link: the site's printed number, level `none`. */
const AllocationReply = Type.Object({
  link: Nullable('string'),
  number: Type.String(),
  display: Type.String(),
  level: Type.String(),
  until: Nullable('string'),
  holdMs: Type.Integer(),
  heartbeatMs: Type.Integer(),
});
type AllocationReply = Static<typeof AllocationReply>;

/**
 * `POST /v1/allocations`: a page view gets a number. 201 for a new link, 200 for one that already lived, 200 with the
 * printed number where there is none to give, whatever the reason: the page must never break.
 */
export function allocationRoutes(
  http: Http,
  parts: HttpParts,
  bucket: AddressBucket,
  store: StoreWatch,
): void {
  http.post<{ Body: AllocationBody; Reply: AllocationReply }>(
    '/v1/allocations',
    { schema: { body: AllocationBody, response: { 200: AllocationReply, 201: AllocationReply } } },
    async (request, reply) => {
      const asker = askerOf(request);
      const { body } = request;
      const directory = parts.directory();
      const where = siteOfAsker(directory, asker, body.site);
      const endpoint = endpointOf(parts, directory, where, body);
      // A server that holds a key asks for all its visitors from one address, and answers for them.
      const fromPage = asker.origin !== undefined;
      if (fromPage && isKnownBot(request.headers['user-agent'])) return printed(parts, where, 'bot');
      if (fromPage && !bucket.take(asker.address, parts.now())) return printed(parts, where, 'busyAddress');

      const touch = canonicalTouch(body.touch);
      const started = performance.now();
      let allocation: Allocation;
      try {
        allocation = await parts.links.allocate(
          {
            account: where.account.id,
            site: where.site.id,
            endpoint,
            session: body.session,
            ...(body.visitor !== undefined && { visitor: body.visitor }),
            ...(touch !== undefined && { touch }),
          },
          { pools: directory.poolsFor(where.account.id, where.site.id, endpoint), site: where.site },
        );
        store.answered();
      } catch (error) {
        if (fromPage) bucket.giveBack(asker.address);
        if (!(error instanceof StoreUnavailable)) throw error;
        store.failed();
        return printed(parts, where, 'storeDown');
      } finally {
        parts.metrics.allocationSeconds.observe((performance.now() - started) / 1000);
      }
      const spent = allocation.link !== null && allocation.fresh;
      if (fromPage && !spent) bucket.giveBack(asker.address);
      parts.metrics.allocations.count(allocation.link === null ? 'none' : allocation.fresh ? 'new' : 'kept');
      reply.code(spent ? 201 : 200);
      return {
        link: allocation.link,
        number: allocation.number,
        display: parts.displayForm(allocation.number),
        level: allocation.level,
        until: allocation.until === null ? null : new Date(allocation.until).toISOString(),
        holdMs: allocation.holdMs,
        heartbeatMs: allocation.heartbeatMs,
      };
    },
  );
}

/** The id of the endpoint that the body names. @throws Problem badValue, tagAltered */
function endpointOf(
  parts: HttpParts,
  directory: DirectoryIndex,
  { account, site }: SiteOwner,
  body: AllocationBody,
): string {
  const endpoint = directory.endpoint(account.id, body.endpoint);
  if (endpoint === undefined || !directory.mayName(site, endpoint)) {
    throw badValue([
      { field: 'endpoint', expected: 'the id or name of an endpoint that this site may name' },
    ]);
  }
  if (body.tag !== undefined) {
    const ids = { account: account.id, site: site.id, endpoint: endpoint.id };
    if (!tagIsOurs(parts.tagKey, ids, body.tag)) throw new Problem('tagAltered');
  }
  return endpoint.id;
}

function printed(parts: HttpParts, { site }: SiteOwner, outcome: AllocationOutcome): AllocationReply {
  parts.metrics.allocations.count(outcome);
  return {
    link: null,
    number: site.printedNumber,
    display: parts.displayForm(site.printedNumber),
    level: 'none',
    until: null,
    holdMs: site.holdMs,
    heartbeatMs: site.heartbeatMs,
  };
}
