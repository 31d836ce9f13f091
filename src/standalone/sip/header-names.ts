/** Compact forms (RFC 3261 section 7.3.3 and the IANA registry). */
const compact: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

/** Headers whose value is a comma list: several lines and one line mean the same (RFC 3261 section 7.3.1). */
const lists: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'contact',
  'path',
  'service-route',
  'allow',
  'supported',
  'require',
  'proxy-require',
  'unsupported',
  'accept',
  'p-asserted-identity',
  'diversion',
]);

/** The name by which two spellings of a header are known to be the same one: long form, lower case. */
export function headerKey(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (compact[lower] ?? lower) : lower;
}

/** True when commas separate values of this header. */
export function isListHeader(key: string): boolean {
  return lists.has(key);
}
