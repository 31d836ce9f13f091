import { headerKey } from '../sip/header-names.js';
import type { SipHeader } from '../sip/message.js';
import { ParseError } from '../sip/parse-error.js';
import { parseParts } from '../sip/parse.js';
import { OrderError } from './proxy-order.js';

/** SIP as an application writes it: a start line, some headers, perhaps a body. The server completes it. */
export type ApplicationText =
  | { readonly kind: 'response'; readonly status: number; readonly reason: string; readonly rest: TextRest }
  | { readonly kind: 'request'; readonly method: string; readonly uri: string; readonly rest: TextRest };

export interface TextRest {
  readonly headers: readonly SipHeader[];
  readonly body: Buffer;
  /** Given with the body, `application/sdp` where that is plain to see, undefined without a body. */
  readonly contentType: string | undefined;
}

/** What an application may not set (drachtio-protocol, section 5): dropped without a word. */
const ours = new Set(['via', 'route', 'record-route', 'rseq', 'content-length', 'content-type']);
/** Where `@localhost` means this server. */
const localized = new Set(['from', 'to', 'contact', 'p-asserted-identity']);

/**
 * Reads the SIP part of an application's `sip` frame.
 * @param here `host:port` that stands for `@localhost`
 * @throws OrderError with the text for the application
 */
export function readApplicationText(sip: Buffer, here: string): ApplicationText {
  const parts = parsed(sip);
  const given = parts.headers.find((h) => headerKey(h.name) === 'content-type')?.value;
  const isSdp = parts.body.subarray(0, 3).toString('latin1') === 'v=0';
  if (parts.body.length > 0 && given === undefined && !isSdp) throw new OrderError('missing content-type');
  const rest = {
    headers: parts.headers
      .filter((h) => !ours.has(headerKey(h.name)))
      .map((h) => (localized.has(headerKey(h.name)) ? { ...h, value: localize(h.value, here) } : h)),
    body: parts.body,
    contentType: parts.body.length === 0 ? undefined : (given ?? 'application/sdp'),
  };
  const status = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/.exec(parts.startLine);
  if (status !== null) return { kind: 'response', status: Number(status[1]), reason: status[2] ?? '', rest };
  const request = /^([A-Z]{1,32}) (\S+) SIP\/2\.0$/.exec(parts.startLine);
  if (request?.[1] === undefined || request[2] === undefined) throw new OrderError('malformed start line');
  return { kind: 'request', method: request[1], uri: request[2], rest };
}

/** The value of the first header of that name. */
export function textHeader(rest: TextRest, name: string): string | undefined {
  return rest.headers.find((h) => headerKey(h.name) === headerKey(name))?.value;
}

function localize(value: string, here: string): string {
  return value.replace(/@localhost(?=[;>?\s]|$)/i, `@${here}`);
}

function parsed(sip: Buffer): ReturnType<typeof parseParts> {
  try {
    return parseParts(sip);
  } catch (error) {
    if (error instanceof ParseError) throw new OrderError(`malformed message: ${error.message}`);
    throw error;
  }
}
