import { Type, type Static } from 'typebox';
import type { Allocating } from './allocating.js';
import { OwnId, SessionId } from './ids.js';
import type { HttpParts } from './ports.js';
import { PageIndex } from './page-index.js';
import { Problem } from './problems.js';
import { askerOf, type Http } from './server-type.js';

const AmpQuery = Type.Object(
  {
    site: Type.String({ minLength: 1, maxLength: 128, description: 'the id of a site' }),
    endpoint: Type.String({ minLength: 1, maxLength: 128, description: 'the id of an endpoint' }),
    tag: Type.String({ minLength: 1, maxLength: 64, description: 'the signature that POST /v1/tags gave' }),
    session: Type.Union([SessionId, Type.Literal('')], { description: 'what CLIENT_ID(tsv) became' }),
    visitor: Type.Optional(OwnId),
    page: Type.Optional(Type.String({ maxLength: 2048, description: 'what SOURCE_URL became' })),
    referrer: Type.Optional(Type.String({ maxLength: 2048, description: 'what DOCUMENT_REFERRER became' })),
    __amp_source_origin: Type.Optional(Type.String({ maxLength: 256 })),
  },
  { additionalProperties: false, description: 'site, endpoint, tag, session, page, referrer' },
);
type AmpQuery = Static<typeof AmpQuery>;

/** An AMP page says nothing after it has asked: its number is its own for as long as a visit lasts that nobody hears of. */
const HOLD_MS = 30 * 60_000;
/** Hosts of caches that serve pages of others, each under a name that is made of the page's own (AMP cache URL format). */
const CACHES = ['cdn.ampproject.org', 'www.bing-amp.com'];

/**
 * `GET /v1/amp`: what the AMP component `amp-call-tracking` asks, `{phoneNumber, formattedPhoneNumber}`. The page's own
 * scripts do not run there, so that no heartbeat follows.
 */
export function ampRoute(http: Http, parts: HttpParts, allocating: Allocating): void {
  http.get<{ Querystring: AmpQuery }>(
    '/v1/amp',
    { schema: { querystring: AmpQuery } },
    async (request, reply) => {
      const { site, endpoint, tag, session, visitor, page, referrer } = request.query;
      const asker = askerOf(request);
      const origins = PageIndex.of(parts.directory())
        .sites(site)
        .flatMap((one) => one.site.origins);
      reply.header('vary', 'Origin');
      // A request of the page's own host names no origin.
      const named = asker.origin ?? request.query.__amp_source_origin;
      const origin = named === undefined ? undefined : pageOrigin(named, origins);
      if (origin === undefined) throw new Problem('originNotListed');
      if (asker.origin !== undefined) reply.header('access-control-allow-origin', asker.origin);
      if (request.query.__amp_source_origin !== undefined) {
        reply
          .header('amp-access-control-allow-source-origin', origin)
          .header('access-control-expose-headers', 'AMP-Access-Control-Allow-Source-Origin');
      }
      const url = page !== undefined && URL.canParse(page) ? new URL(page) : undefined;
      const body = {
        ...{ site, endpoint, tag },
        // Global Privacy Control is a no, as it is to the tag.
        ...(session === '' || request.headers['sec-gpc'] === '1'
          ? { consent: 'denied' as const }
          : { session }),
        ...(visitor !== undefined && { visitor }),
        touch: {
          ...(url !== undefined && { landingPage: (url.origin + url.pathname).slice(0, 1024) }),
          ...(url !== undefined && { query: Object.fromEntries([...url.searchParams].slice(0, 16)) }),
          ...(referrer !== undefined && referrer !== '' && { referrer: referrer.split(/[?#]/, 1)[0] ?? '' }),
        },
      };
      const { reply: given } = await allocating.answer(
        { ...asker, origin },
        request.headers['user-agent'],
        body,
        HOLD_MS,
      );
      return reply
        .header('cache-control', 'no-store')
        .send({ phoneNumber: given.number, formattedPhoneNumber: given.display });
    },
  );
}

/** The origin of the page itself, of those that the site lists, where a browser names that of a cache which serves it. */
export function pageOrigin(origin: string, listed: readonly string[]): string | undefined {
  if (listed.includes(origin)) return origin;
  const { hostname, protocol } = URL.canParse(origin) ? new URL(origin) : { hostname: '', protocol: '' };
  const dot = hostname.indexOf('.');
  if (protocol !== 'https:' || !CACHES.includes(hostname.slice(dot + 1))) return undefined;
  const name = hostname.slice(0, dot);
  return listed.find((one) => new URL(one).hostname.replace(/-/g, '--').replace(/\./g, '-') === name);
}
