import { headerKey } from '../sip/header-names.js';
import type { SipHeader } from '../sip/message.js';
import { ParseError } from '../sip/parse-error.js';
import { parseParts } from '../sip/parse.js';
import { targetOf } from '../sip/target.js';
import type { Target } from '../sip/flow.js';
import { SipUri } from '../sip/uri.js';
import type { Frame } from './control-frame.js';

/** One place to try. */
export interface Destination {
  /** As the application wrote it: it becomes the Request-URI where that was ours. */
  readonly uri: string;
  readonly target: Target;
}

/** What an application asks with a `proxy` frame. */
export interface ProxyOrder {
  readonly transactionId: string;
  readonly recordRoute: boolean;
  /** Replies for every branch, not only for the beginning. */
  readonly fullResponse: boolean;
  /** The Contacts of a redirection are tried next; those that cannot be read are left out. */
  readonly followRedirects: boolean;
  /** Milliseconds to wait for the first response of a destination; undefined: timer B or F. */
  readonly provisionalMs: number | undefined;
  readonly destinations: readonly Destination[];
  /** Header lines that are added, never put in place of others. */
  readonly headers: readonly SipHeader[];
}

/** The order cannot be carried out; the text is what the application reads. */
export class OrderError extends Error {}

/** Redirections count too. */
export const maxDestinations = 10;

/** What an application may not add: it is the server's, or a message has it once. */
const notToBeAdded = new Set([
  'via', 'route', 'record-route', 'rseq', 'content-length', 'content-type', 'max-forwards',
  'from', 'to', 'call-id', 'cseq', 'contact',
]); // prettier-ignore

/**
 * Reads `id|proxy|txnId|remainInDialog|fullResponse|followRedirects|simultaneous or serial|provisional|final|dest...`.
 * @throws OrderError
 */
export function readProxyOrder(frame: Frame): ProxyOrder {
  const [, , transactionId = '', remain, full, redirects, order, provisional = '', , ...uris] = frame.fields;
  const wanted = uris.filter((uri) => uri !== '');
  if (wanted.length === 0) throw new OrderError('no destination');
  if (wanted.length > maxDestinations) throw new OrderError('too many destinations');
  if (order === 'simultaneous') throw new OrderError('parallel forking is not supported');
  return {
    transactionId,
    recordRoute: remain === 'remainInDialog',
    fullResponse: full === 'fullResponse',
    followRedirects: redirects === 'followRedirects',
    provisionalMs: duration(provisional),
    destinations: wanted.map(readDestination),
    headers: addedHeaders(frame.sip),
  };
}

function duration(text: string): number | undefined {
  if (text === '') return undefined;
  const found = /^(\d{1,6})(ms|s)$/.exec(text);
  if (found === null) throw new OrderError('invalid timeout');
  return Number(found[1]) * (found[2] === 's' ? 1000 : 1);
}

/** @throws OrderError */
export function readDestination(uri: string): Destination {
  try {
    const target = targetOf(SipUri.parse(uri));
    if (target === undefined) throw new OrderError('requested protocol/transport not available');
    return { uri, target };
  } catch (error) {
    if (error instanceof ParseError) throw new OrderError('invalid destination');
    throw error;
  }
}

/** As the real server: what is added is cut at this many bytes, without a word. */
const maxAddedBytes = 1023;

function addedHeaders(sip: Buffer): readonly SipHeader[] {
  try {
    const added: SipHeader[] = [];
    let room = maxAddedBytes;
    for (const header of parseParts(sip).headers.filter((h) => !notToBeAdded.has(headerKey(h.name)))) {
      room -= header.name.length + 2;
      if (room <= 0) break;
      added.push({ ...header, value: header.value.slice(0, room) });
      room -= Buffer.byteLength(header.value) + 2;
    }
    return added;
  } catch (error) {
    if (error instanceof ParseError) throw new OrderError('malformed header');
    throw error;
  }
}
