import { changeParam, findParam, formatParams, parseHostPort, parseParams, type Param } from './params.js';
import { ParseError } from './parse-error.js';

/** What every branch of an RFC 3261 transaction begins with (section 8.1.1.7). */
export const magicCookie = 'z9hG4bK';

/**
 * One Via value (RFC 3261 section 20.42). Immutable.
 *
 * @example
 * const via = Via.parse('SIP/2.0/UDP 192.0.2.7:5080;branch=z9hG4bKabc;rport');
 * via.withSource('198.51.100.4', 32000).toString();
 * // 'SIP/2.0/UDP 192.0.2.7:5080;branch=z9hG4bKabc;rport=32000;received=198.51.100.4'
 */
export class Via {
  /** Upper case: UDP, TCP, ... */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: readonly Param[];

  constructor(transport: string, host: string, port: number | undefined, params: readonly Param[] = []) {
    this.transport = transport;
    this.host = host;
    this.port = port;
    this.params = params;
  }

  /** @throws ParseError 400 */
  static parse(text: string): Via {
    const found = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]+)\s+([^\s;][^;]*)(?:;(.*))?$/is.exec(text.trim());
    if (found?.[1] === undefined || found[2] === undefined) throw new ParseError(400, 'Bad Via');
    const { host, port } = parseHostPort(found[2].trimEnd());
    return new Via(found[1].toUpperCase(), host, port, parseParams(found[3] ?? ''));
  }

  get branch(): string | undefined {
    return this.param('branch');
  }

  /** Host in lower case and the port with its default: what transactions compare. */
  get sentBy(): string {
    return `${this.host.toLowerCase()}:${this.port ?? 5060}`;
  }

  param(name: string): string | undefined {
    return findParam(this.params, name);
  }

  /** Notes where a request really came from (RFC 3261 section 18.2.1, RFC 3581 section 4). */
  withSource(address: string, port: number): Via {
    let params: readonly Param[] = this.params;
    const asked = this.param('rport') !== undefined;
    if (asked) params = changeParam(params, 'rport', String(port));
    const literal = this.host.replace(/^\[|\]$/g, '');
    if (asked || literal.toLowerCase() !== address.toLowerCase()) {
      params = changeParam(params, 'received', address);
    } else params = changeParam(params, 'received', null); // a claim of the sender is worth nothing
    return new Via(this.transport, this.host, this.port, params);
  }

  toString(): string {
    const port = this.port === undefined ? '' : `:${this.port}`;
    return `SIP/2.0/${this.transport} ${this.host}${port}${formatParams(this.params)}`;
  }
}
