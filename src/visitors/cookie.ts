/** What the tag reads the visitor's id from. */
export const VISITOR_COOKIE = 'tsv';
/** 13 months: what the data protection authorities of the EU take for the most, and browsers for little less. */
const SECONDS = 395 * 86_400;

/**
 * The value of a header `Set-Cookie` (RFC 6265, 4.1) with the visitor's id; without a visitor it is the cookie's end.
 * @param scope its attribute Domain, `; Domain=example.com`; '' for the host that sets it
 */
export function cookieOf(visitor: string | undefined, secure: boolean, scope: string): string {
  const life = visitor === undefined ? 0 : SECONDS;
  return `${VISITOR_COOKIE}=${visitor ?? ''}; Path=/; Max-Age=${life}; SameSite=Lax${secure ? '; Secure' : ''}${scope}`;
}
