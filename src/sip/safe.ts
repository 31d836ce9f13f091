/** A value that would write more than itself into a SIP message. */
export class UnsafeValue extends Error {
  readonly code = 'unsafeValue';
}

const BREAKS_OUT = /[\r\n\0]/;
/** RFC 3261, 25.1 `token`. */
const HEADER_NAME = /^[A-Za-z0-9.!%*_+`'~-]+$/;

/**
 * The one gate for everything that we put into a SIP message: drachtio-srf writes names, values and URIs through as they
 * are, so that a line break in one would become a header of its own. @throws UnsafeValue, which names the field only
 */
export function safeValue(field: string, value: string): string {
  if (BREAKS_OUT.test(value)) throw new UnsafeValue(`${field}: expected no CR, LF or NUL`);
  return value;
}

/** `headers` with every name and value through the gate. */
export function safeHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const safe: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) throw new UnsafeValue('header name: expected a token');
    safe[name] = safeValue(name, value);
  }
  return safe;
}
