import { changeParam, findParam, formatParams, parseHostPort, parseParams, type Param } from './params.js';
import { ParseError } from './parse-error.js';

/**
 * A `sip:` or `sips:` URI (RFC 3261 section 19.1). Immutable; user and parameters keep their escapes.
 *
 * @example
 * const uri = SipUri.parse('sip:+12025550100@192.0.2.7:5070;transport=tcp');
 * uri.user;                                   // '+12025550100'
 * uri.param('transport');                     // 'tcp'
 * uri.withParam('lr', '').toString();         // 'sip:+12025550100@192.0.2.7:5070;transport=tcp;lr'
 */
export class SipUri {
  readonly scheme: 'sip' | 'sips';
  /** Undefined when the URI has no `@`. A password (`user:password@`) stays in it, as it does for routing. */
  readonly user: string | undefined;
  /** IPv6 in brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: readonly Param[];
  /** What follows `?`, uncut. */
  readonly headers: string | undefined;

  constructor(parts: {
    scheme?: 'sip' | 'sips';
    user?: string | undefined;
    host: string;
    port?: number | undefined;
    params?: readonly Param[];
    headers?: string | undefined;
  }) {
    this.scheme = parts.scheme ?? 'sip';
    this.user = parts.user;
    this.host = parts.host;
    this.port = parts.port;
    this.params = parts.params ?? [];
    this.headers = parts.headers;
  }

  /** @throws ParseError 416 for another scheme, 400 for a malformed URI. */
  static parse(text: string): SipUri {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
    if (scheme === undefined) throw new ParseError(400, 'Bad URI');
    const lower = scheme.toLowerCase();
    if (lower !== 'sip' && lower !== 'sips') throw new ParseError(416, 'Unsupported URI scheme');
    if (/[\s<>"]/.test(text)) throw new ParseError(400, 'Bad URI');
    const rest = text.slice(scheme.length + 1);
    // A user may hold `;` and `?`, but no unescaped `@`: the last one ends it.
    const at = rest.lastIndexOf('@');
    const user = at < 0 ? undefined : rest.slice(0, at);
    if (user === '') throw new ParseError(400, 'Empty user in URI');
    const found = /^([^;?]*)(?:;([^?]*))?(?:\?(.*))?$/.exec(rest.slice(at + 1));
    if (found?.[1] === undefined) throw new ParseError(400, 'Bad URI');
    const params = found[2] === undefined ? [] : parseParams(found[2]);
    return new SipUri({ scheme: lower, user, ...parseHostPort(found[1]), params, headers: found[3] });
  }

  /** A parameter's value; '' when it has none (`;lr`), undefined when it is absent. */
  param(name: string): string | undefined {
    return findParam(this.params, name);
  }

  /** With a parameter set; an empty value writes a flag (`;lr`). */
  withParam(name: string, value: string): SipUri {
    const params = changeParam(this.params, name, value);
    return new SipUri({
      ...this.parts(),
      params: params.map((p) => ({ ...p, value: p.value || undefined })),
    });
  }

  withoutParam(name: string): SipUri {
    return new SipUri({ ...this.parts(), params: changeParam(this.params, name, null) });
  }

  toString(): string {
    const user = this.user === undefined ? '' : `${this.user}@`;
    const port = this.port === undefined ? '' : `:${this.port}`;
    const headers = this.headers === undefined ? '' : `?${this.headers}`;
    return `${this.scheme}:${user}${this.host}${port}${formatParams(this.params)}${headers}`;
  }

  private parts() {
    const { scheme, user, host, port, params, headers } = this;
    return { scheme, user, host, port, params, headers };
  }
}
