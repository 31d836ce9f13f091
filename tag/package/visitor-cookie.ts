/** The cookie in which the tag finds its visitor again. */
import { cookieOf } from '../../src/visitors/cookie.js';

export interface CookieOptions {
  /** For pages of several hosts: what they have in common, `example.com`. */
  readonly domain?: string | undefined;
  /** False for pages that are sent without TLS. */
  readonly secure?: boolean | undefined;
}

const VISITOR = /^[\w-]{1,128}$/;
const DOMAIN = /^[\w-]+(?:\.[\w-]+)+$/;

/**
 * The value of a header `Set-Cookie`. A cookie that the page's own server sets lives longer than what browsers allow scripts
 * to keep. Not to be set for a visitor who did not agree; without a visitor it is the cookie's end.
 */
export function visitorCookie(visitor: string | undefined, options: CookieOptions = {}): string {
  const { domain, secure = true } = options;
  if (visitor !== undefined && !VISITOR.test(visitor))
    throw new RangeError('a visitor is 1 to 128 characters of A-Z a-z 0-9 _ -');
  if (domain !== undefined && !DOMAIN.test(domain))
    throw new RangeError('a domain is names with dots between them');
  return cookieOf(visitor, secure, domain === undefined ? '' : `; Domain=${domain}`);
}
