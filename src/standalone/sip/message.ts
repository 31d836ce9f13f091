/**
 * SIP messages (RFC 3261 section 7): an immutable start line, an ordered list of header lines and a body.
 * Every `with...` returns a new message; what is not touched keeps its spelling and its place.
 *
 * @example
 * const invite = SipRequest.create('INVITE', 'sip:agent@127.0.0.1:5070', {
 *   headers: [['From', '<sip:+12025550101@127.0.0.1>;tag=a'], ['To', '<sip:agent@127.0.0.1>'],
 *     ['Call-ID', 'x1'], ['CSeq', '1 INVITE'], ['Contact', '<sip:127.0.0.1:5060>'], ['Max-Forwards', '70']],
 *   body: sdp, contentType: 'application/sdp' });
 * invite.get('call-id');                      // 'x1' (any case, compact forms too)
 * invite.withAdded('X-Note', '1').toBuffer(); // Content-Length is always made on the way out
 * SipResponse.to(invite, 486, { toTag: 'b' }) // Via, From, To, Call-ID, CSeq copied (section 8.2.6)
 */
import { headerKey, isListHeader } from './header-names.js';
import { NameAddr } from './name-addr.js';
import { splitOutside } from './params.js';
import { ParseError, type SipHeader } from './parse-error.js';
import { reasonPhrase } from './reason-phrases.js';
import { SipUri } from './uri.js';
import { Via } from './via.js';

export type { SipHeader } from './parse-error.js';

/** Header lines as pairs, which is the short way to write them. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

interface Content {
  readonly headers: readonly SipHeader[];
  readonly body: Buffer;
  /** The bytes as they came off the wire; absent from messages that were made or changed here. */
  readonly raw?: Buffer | undefined;
  /** How the header text was read; a peer's stray Latin-1 goes out as it came. */
  readonly encoding?: 'utf8' | 'latin1' | undefined;
}

abstract class SipMessage {
  readonly headers: readonly SipHeader[];
  readonly body: Buffer;
  readonly raw: Buffer | undefined;
  readonly encoding: 'utf8' | 'latin1';

  constructor(content: Content) {
    this.headers = content.headers;
    this.body = content.body;
    this.raw = content.raw;
    this.encoding = content.encoding ?? 'utf8';
  }

  abstract get startLine(): string;
  protected abstract rebuilt(headers: readonly SipHeader[], body: Buffer): this;

  /** The first line of that name, uncut (a list header may hold more than one value: see getAll). */
  get(name: string): string | undefined {
    const key = headerKey(name);
    return this.headers.find((h) => headerKey(h.name) === key)?.value;
  }

  /** Every value of that name in order; the lines of list headers (Via, Route, Contact, ...) are cut at commas. */
  getAll(name: string): string[] {
    const key = headerKey(name);
    const lines = this.headers.filter((h) => headerKey(h.name) === key).map((h) => h.value);
    if (!isListHeader(key)) return lines;
    return lines.flatMap((line) => splitOutside(line, ',')).filter((value) => value !== '');
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  get callId(): string {
    return this.required('Call-ID');
  }

  get cseq(): { readonly number: number; readonly method: string } {
    const found = /^(\d{1,10})\s+(\S+)$/.exec(this.required('CSeq'));
    if (found?.[1] === undefined || found[2] === undefined) throw new ParseError(400, 'Bad CSeq');
    return { number: Number(found[1]), method: found[2] };
  }

  get from(): NameAddr {
    return NameAddr.parse(this.required('From'));
  }

  get to(): NameAddr {
    return NameAddr.parse(this.required('To'));
  }

  get fromTag(): string | undefined {
    return this.from.param('tag');
  }

  get toTag(): string | undefined {
    return this.to.param('tag');
  }

  get topVia(): Via {
    const first = this.getAll('Via')[0];
    if (first === undefined) throw new ParseError(400, 'Missing Via');
    return Via.parse(first);
  }

  /** The first Contact's URI as text, undefined when there is none or it is `*`. */
  get contactUri(): string | undefined {
    const first = this.getAll('Contact')[0];
    return first === undefined || first === '*' ? undefined : NameAddr.parse(first).uri;
  }

  /** One line of that name in place of all there were (where the first stood, else last). */
  withHeader(name: string, value: string): this {
    const key = headerKey(name);
    const at = this.headers.findIndex((h) => headerKey(h.name) === key);
    if (at < 0) return this.withAdded(name, value);
    const kept = this.headers.filter((h, i) => i === at || headerKey(h.name) !== key);
    return this.rebuilt(
      kept.map((h) => (headerKey(h.name) === key ? line(name, value) : h)),
      this.body,
    );
  }

  /** One more line, last. */
  withAdded(name: string, value: string): this {
    return this.rebuilt([...this.headers, line(name, value)], this.body);
  }

  /** One more value before all others of that name (Via, Record-Route, Route). */
  withFirst(name: string, value: string): this {
    const key = headerKey(name);
    const at = this.headers.findIndex((h) => headerKey(h.name) === key);
    const place = at < 0 ? this.#placeOfFirst(key) : at;
    return this.rebuilt(
      [...this.headers.slice(0, place), line(name, value), ...this.headers.slice(place)],
      this.body,
    );
  }

  /** Without the first value of that name; the other values of the same line stay. */
  withoutFirst(name: string): this {
    const key = headerKey(name);
    const at = this.headers.findIndex((h) => headerKey(h.name) === key);
    const first = this.headers[at];
    if (first === undefined) return this;
    const rest = isListHeader(key) ? splitOutside(first.value, ',').slice(1) : [];
    const kept = rest.length === 0 ? [] : [line(first.name, rest.join(', '))];
    return this.rebuilt([...this.headers.slice(0, at), ...kept, ...this.headers.slice(at + 1)], this.body);
  }

  /** Without any line of that name. */
  without(name: string): this {
    const key = headerKey(name);
    return this.rebuilt(
      this.headers.filter((h) => headerKey(h.name) !== key),
      this.body,
    );
  }

  /** With another body; an empty one takes Content-Type away. */
  withBody(body: Buffer | string, contentType?: string): this {
    const bytes = Buffer.from(body);
    const bare = bytes.length === 0 ? this.without('Content-Type') : this;
    const typed = contentType === undefined ? bare : bare.withHeader('Content-Type', contentType);
    return typed.rebuilt(typed.headers, bytes);
  }

  /** The message for the wire; Content-Length is counted afresh and written last. */
  toBuffer(): Buffer {
    const lines = this.headers
      .filter((h) => headerKey(h.name) !== 'content-length')
      .map((h) => `${h.name}: ${h.value}\r\n`);
    const head = `${this.startLine}\r\n${lines.join('')}Content-Length: ${this.body.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head, this.encoding), this.body]);
  }

  toString(): string {
    return this.toBuffer().toString();
  }

  /** Headers for proxies stand before the others, where those that skim a message find them (section 7.3.1). */
  #placeOfFirst(key: string): number {
    if (key === 'via') return 0;
    if (key !== 'record-route' && key !== 'route') return this.headers.length;
    const afterVia = this.headers.findLastIndex((h) => headerKey(h.name) === 'via');
    return afterVia + 1;
  }

  private required(name: string): string {
    const value = this.get(name);
    if (value === undefined) throw new ParseError(400, `Missing ${name}`);
    return value;
  }
}

/** A SIP request. */
export class SipRequest extends SipMessage {
  readonly kind = 'request';
  readonly method: string;
  /** The Request-URI as text. */
  readonly uri: string;

  constructor(method: string, uri: string, content: Content) {
    super(content);
    this.method = method;
    this.uri = uri;
  }

  /** @param options.body needs a `contentType` */
  static create(
    method: string,
    uri: string,
    options: { headers: HeaderPairs; body?: Buffer | string; contentType?: string },
  ): SipRequest {
    const headers = options.headers.map(([name, value]) => line(name, value));
    const request = new SipRequest(method, clean(uri), { headers, body: Buffer.alloc(0) });
    return options.body === undefined ? request : request.withBody(options.body, options.contentType);
  }

  get startLine(): string {
    return `${this.method} ${this.uri} SIP/2.0`;
  }

  /** @throws ParseError 416 when the Request-URI has another scheme than sip or sips, 400 when it is bad. */
  sipUri(): SipUri {
    return SipUri.parse(this.uri);
  }

  /** Hops left: 70 when the header is absent (RFC 3261 section 16.6). */
  get maxForwards(): number {
    const text = this.get('Max-Forwards');
    return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : 70;
  }

  withUri(uri: string): SipRequest {
    return new SipRequest(this.method, clean(uri), this);
  }

  protected override rebuilt(headers: readonly SipHeader[], body: Buffer): this {
    return new SipRequest(this.method, this.uri, { headers, body, encoding: this.encoding }) as this;
  }
}

/** A SIP response. */
export class SipResponse extends SipMessage {
  readonly kind = 'response';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, content: Content) {
    super(content);
    this.status = status;
    this.reason = reason;
  }

  /**
   * The response to a request by RFC 3261 section 8.2.6: Via, From, To, Call-ID and CSeq are copied; `toTag` is
   * put into To unless the request has a To tag; Record-Route is copied into what can make a dialog.
   */
  static to(
    request: SipRequest,
    status: number,
    options: {
      reason?: string;
      toTag?: string;
      headers?: HeaderPairs;
      body?: Buffer | string;
      contentType?: string;
    } = {},
  ): SipResponse {
    const copied = (name: string): SipHeader[] =>
      request.headers.filter((h) => headerKey(h.name) === headerKey(name)).map((h) => line(name, h.value));
    const to = copied('To').map((h) =>
      options.toTag === undefined || request.toTag !== undefined
        ? h
        : line('To', NameAddr.parse(h.value).withParam('tag', options.toTag).toString()),
    );
    const opensDialog = ['INVITE', 'SUBSCRIBE'].includes(request.method) && status > 100 && status < 300;
    const headers = [
      ...copied('Via'),
      ...(opensDialog ? copied('Record-Route') : []),
      ...copied('From'),
      ...to,
      ...copied('Call-ID'),
      ...copied('CSeq'),
      ...(options.headers ?? []).map(([name, value]) => line(name, value)),
    ];
    const response = new SipResponse(status, clean(options.reason ?? reasonPhrase(status)), {
      headers,
      body: Buffer.alloc(0),
      encoding: request.encoding,
    });
    return options.body === undefined ? response : response.withBody(options.body, options.contentType);
  }

  get startLine(): string {
    return `SIP/2.0 ${this.status} ${this.reason}`;
  }

  protected override rebuilt(headers: readonly SipHeader[], body: Buffer): this {
    return new SipResponse(this.status, this.reason, { headers, body, encoding: this.encoding }) as this;
  }
}

/** The one place where text becomes a header line: no value can open a line of its own. */
function line(name: string, value: string): SipHeader {
  return { name, value: clean(value) };
}

function clean(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new ParseError(400, 'CR, LF or NUL in a value');
  return text;
}
