import { isIP } from 'node:net';
import { Type, type Static } from 'typebox';
import { cookieOf } from '../visitors/cookie.js';
import { siteOfAsker } from './access.js';
import { OwnId } from './ids.js';
import type { HttpParts } from './ports.js';
import { askerOf, type Http } from './server-type.js';

const CookieBody = Type.Object(
  {
    site: Type.String({ minLength: 1, maxLength: 128, description: 'the id or name of a site' }),
    visitor: Type.Optional(OwnId),
  },
  { additionalProperties: false, description: 'an object with site, visitor' },
);
type CookieBody = Static<typeof CookieBody>;

/**
 * `POST /v1/visitors/cookie`: the visitor's id as a cookie of the site's domain, or its end where no id is named. Set by HTTP
 * and by the site's own domain, so that it lives longer than the week that Safari gives to what a script keeps. A beacon,
 * since that may carry cookies without CORS.
 */
export function visitorCookieRoute(http: Http, parts: HttpParts): void {
  http.post<{ Body: CookieBody }>(
    '/v1/visitors/cookie',
    { schema: { body: CookieBody } },
    async (request, reply) => {
      const { site, visitor } = request.body;
      const asker = askerOf(request);
      siteOfAsker(parts.directory(), asker, site);
      const page =
        asker.origin !== undefined && URL.canParse(asker.origin) ? new URL(asker.origin) : undefined;
      const scope = page === undefined ? undefined : cookieScope(page.hostname, request.hostname);
      if (scope !== undefined) {
        reply.header('set-cookie', cookieOf(visitor, request.protocol === 'https', scope));
      }
      return reply.header('cache-control', 'no-store').code(204).send();
    },
  );
}

/**
 * The attribute Domain (RFC 6265, 4.1.2.3) by which a page of `page` sees a cookie that `own` sets: '' where they are one host;
 * undefined where they have no domain in common. What browsers take for a domain of everybody they refuse by themselves.
 */
export function cookieScope(page: string, own: string): string | undefined {
  if (page === own) return '';
  if (isIP(page) > 0 || isIP(own) > 0) return undefined;
  const [a, b] = [page, own].map((host) => host.toLowerCase().split('.').reverse()) as [string[], string[]];
  const differ = a.findIndex((label, at) => label !== b[at]);
  const common = differ < 0 ? a : a.slice(0, differ);
  return common.length < 2 ? undefined : `; Domain=${common.reverse().join('.')}`;
}
