/**
 * From bytes to messages (RFC 3261 sections 7, 18.3 and 25). Strict on framing: lines end with CRLF, no bare CR,
 * LF or NUL in the head, lengths must hold. Tolerant on content: unknown methods, headers and parameters pass,
 * blanks before a colon and folded lines too.
 *
 * @example
 * const message = parseMessage(datagram);                 // throws ParseError {status: 400 | 505 | 513}
 * if (message?.kind === 'request') use(message.method);   // undefined: a keepalive
 */
import { headerKey } from './header-names.js';
import { SipRequest, SipResponse } from './message.js';
import { NameAddr } from './name-addr.js';
import { tokenPattern } from './params.js';
import { ParseError, type SipHeader } from './parse-error.js';

/** Bounds of one message, in bytes or pieces. */
export const parseLimits = { message: 65_535, head: 32_768, headers: 256 };

const headEnd = Buffer.from('\r\n\r\n');
/** Headers that every message has, and exactly once; Via may come more often. */
const singles = ['from', 'to', 'call-id', 'cseq'];

/** The head of a message: what a stream must know before it has the body. */
export interface Head {
  /** Bytes of the head with its empty line. */
  readonly length: number;
  /** Undefined when there is no Content-Length. */
  readonly contentLength: number | undefined;
}

/**
 * Reads a whole message, a datagram for instance. Bytes beyond Content-Length are dropped (section 18.3).
 * @returns undefined for a keepalive (nothing but CR, LF, blanks and NULs).
 * @throws ParseError
 */
export function parseMessage(bytes: Buffer): SipRequest | SipResponse | undefined {
  const start = leadingBlank(bytes);
  if (start === bytes.length) return undefined;
  const text = start === 0 ? bytes : bytes.subarray(start);
  if (text.length > parseLimits.message) throw new ParseError(513, 'Message too large');
  const end = text.indexOf(headEnd);
  if (end < 0) throw new ParseError(400, 'Head without end', ...salvage(text));
  if (end > parseLimits.head) throw new ParseError(513, 'Head too large', ...salvage(text));
  const { encoding, lines } = headLines(text.subarray(0, end));
  const firstLine = lines[0] ?? '';
  const read: SipHeader[] = [];
  const method = /^([^\s]+) /.exec(firstLine)?.[1];
  const fail = (status: 400 | 505, why: string): never => {
    throw new ParseError(status, why, method === 'SIP/2.0' ? undefined : method, read);
  };
  readHeaders(lines.slice(1), read, (why) => fail(400, why));
  const isResponse = /^SIP\//i.test(firstLine);
  const startLine = isResponse ? statusLine(firstLine, fail) : requestLine(firstLine, fail);
  const length = contentLength(read, (why) => fail(400, why));
  const available = text.length - end - headEnd.length;
  if (length !== undefined && length > available) fail(400, 'Body shorter than Content-Length');
  const bodyStart = end + headEnd.length;
  const body = Buffer.from(text.subarray(bodyStart, bodyStart + (length ?? available)));
  const raw = Buffer.from(text.subarray(0, bodyStart + body.length));
  const content = { headers: read, body, raw, encoding };
  const message =
    'status' in startLine
      ? new SipResponse(startLine.status, startLine.reason, content)
      : new SipRequest(startLine.method, startLine.uri, content);
  checkMandatory(message, (why) => fail(400, why));
  return message;
}

/** Start line, headers and body of a text that need not be a whole message. */
export interface MessageParts {
  readonly startLine: string;
  readonly headers: readonly SipHeader[];
  readonly body: Buffer;
}

/**
 * Cuts a text into its parts without asking for mandatory headers or lengths: what an application hands over to be
 * completed. The body is everything after the empty line.
 * @throws ParseError 400 when a line is no header
 */
export function parseParts(bytes: Buffer): MessageParts {
  const end = bytes.indexOf(headEnd);
  const head = end < 0 ? bytes : bytes.subarray(0, end);
  const body = end < 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(end + headEnd.length));
  const { lines } = headLines(head);
  const headers: SipHeader[] = [];
  const filled = lines.slice(1).filter((line) => line !== '');
  readHeaders(filled, headers, (why) => {
    throw new ParseError(400, why);
  });
  return { startLine: lines[0] ?? '', headers, body };
}

/**
 * Looks for the end of a head in a stream that starts with a message.
 * @returns undefined while the head is incomplete.
 * @throws ParseError 513 or 400: the stream cannot be followed any further
 */
export function findHead(bytes: Buffer): Head | undefined {
  const end = bytes.subarray(0, parseLimits.head + headEnd.length).indexOf(headEnd);
  if (end < 0) {
    if (bytes.length > parseLimits.head) throw new ParseError(513, 'Head too large');
    return undefined;
  }
  const read: SipHeader[] = [];
  const fail = (why: string): never => {
    throw new ParseError(400, why);
  };
  readHeaders(headLines(bytes.subarray(0, end)).lines.slice(1), read, () => undefined);
  const length = contentLength(read, fail);
  if (length !== undefined && length > parseLimits.message) throw new ParseError(513, 'Message too large');
  return { length: end + headEnd.length, contentLength: length };
}

/** How many bytes of CR, LF, blank or NUL come first (section 7.5; keepalives). */
export function leadingBlank(bytes: Buffer): number {
  let i = 0;
  while (i < bytes.length && [0, 9, 10, 13, 32].includes(bytes[i] ?? -1)) i++;
  return i;
}

function headLines(head: Buffer): { encoding: 'utf8' | 'latin1'; lines: string[] } {
  let encoding: 'utf8' | 'latin1' = 'utf8';
  let text = head.toString('utf8');
  if (text.includes('�') && !Buffer.from(text, 'utf8').equals(head)) {
    encoding = 'latin1';
    text = head.toString('latin1');
  }
  const lines: string[] = [];
  for (const line of text.split('\r\n')) {
    // A folded line goes on where the one before it ended (section 7.3.1), but never the start line.
    if (/^[ \t]/.test(line) && lines.length > 1) lines.push(`${lines.pop() ?? ''} ${line.trim()}`);
    else lines.push(line);
  }
  return { encoding, lines };
}

function readHeaders(lines: readonly string[], into: SipHeader[], fail: (why: string) => void): void {
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    const value = line.slice(colon + 1).trim();
    // What is read before the fault must be fit for a response: nothing with a line end gets in.
    if (!tokenPattern.test(name) || /[\r\n\0]/.test(value)) fail('Malformed header line');
    else if (into.length >= parseLimits.headers) fail('Too many headers');
    else into.push({ name, value });
  }
}

type Fail = (status: 400 | 505, why: string) => never;

function requestLine(line: string, fail: Fail): { method: string; uri: string } {
  const parts = line.split(' ');
  const [method = '', uri = '', version = ''] = parts;
  const looksLikeSip = /^SIP\/\d+\.\d+$/i.test(version);
  if (parts.length !== 3 || !tokenPattern.test(method) || !looksLikeSip) return fail(400, 'Bad request line');
  if (version.toUpperCase() !== 'SIP/2.0') return fail(505, 'Version not supported');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"\0]+$/.test(uri)) return fail(400, 'Bad Request-URI');
  return { method, uri };
}

function statusLine(line: string, fail: Fail): { status: number; reason: string } {
  const found = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\r\n\0]*))?$/i.exec(line);
  if (found?.[1] === undefined) return fail(400, 'Bad status line');
  return { status: Number(found[1]), reason: found[2] ?? '' };
}

function contentLength(headers: readonly SipHeader[], fail: (why: string) => never): number | undefined {
  const values = new Set(headers.filter((h) => headerKey(h.name) === 'content-length').map((h) => h.value));
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.size > 1 || !/^\d{1,9}$/.test(value)) return fail('Bad Content-Length');
  return Number(value);
}

function checkMandatory(message: SipRequest | SipResponse, fail: (why: string) => never): void {
  for (const key of singles) {
    const count = message.headers.filter((h) => headerKey(h.name) === key).length;
    if (count !== 1) fail(count === 0 ? `Missing ${key}` : `More than one ${key}`);
  }
  try {
    const { number, method } = message.cseq;
    if (number > 2 ** 31 - 1) fail('CSeq out of range');
    if (message.kind === 'request') {
      if (method !== message.method) fail('CSeq method does not match');
      checkAddresses(message);
    }
    if (message.callId === '') fail('Empty Call-ID');
    void message.from;
    void message.to;
    void message.topVia;
    for (const name of ['Via', 'Route', 'Record-Route', 'Contact']) void message.getAll(name);
  } catch (error) {
    fail(error instanceof ParseError ? error.message : 'Malformed header');
  }
}

/** Whoever uses a request goes to its Request-URI and answers to its Contact: both must say one thing. @throws ParseError 400 */
function checkAddresses(request: SipRequest): void {
  if (/^sips?:/i.test(request.uri)) request.sipUri();
  for (const contact of request.getAll('Contact')) if (contact !== '*') NameAddr.parse(contact);
}

/** Method and headers of a text that has no proper end, as far as they can be read. */
function salvage(text: Buffer): [string | undefined, SipHeader[]] {
  const { lines } = headLines(text.subarray(0, parseLimits.head));
  const read: SipHeader[] = [];
  readHeaders(lines.slice(1), read, () => undefined);
  return [/^([^\s]+) /.exec(lines[0] ?? '')?.[1], read];
}
