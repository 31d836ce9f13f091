import { findHead, leadingBlank, parseLimits, parseMessage } from './parse.js';
import { ParseError } from './parse-error.js';
import type { SipRequest, SipResponse } from './message.js';

/** What a piece of a stream held. `ping` is a keepalive that wants a CRLF back (RFC 5626 section 4.4.1). */
export type StreamItem =
  | { readonly kind: 'message'; readonly message: SipRequest | SipResponse }
  | { readonly kind: 'malformed'; readonly error: ParseError }
  | { readonly kind: 'ping' };

/**
 * Cuts a TCP stream into messages by Content-Length (RFC 3261 section 18.3), however the segments fall.
 * A message that is bad inside but whose length is known is reported and skipped; when the length itself cannot
 * be known, `push` throws and the connection must be closed. Keeps at most one unfinished message.
 *
 * @example
 * const framer = new StreamFramer();
 * socket.on('data', (bytes) => { for (const item of framer.push(bytes)) handle(item); });
 */
export class StreamFramer {
  #pieces: Buffer[] = [];
  #size = 0;
  /** Bytes that must be there before it is worth looking again. */
  #wanted = 1;

  /** True while part of a message waits for the rest (a lone CRLF is none). */
  get unfinished(): boolean {
    return this.#pieces.some((piece) => leadingBlank(piece) < piece.length);
  }

  /**
   * What is whole with these bytes; to be gone through to its end.
   * @throws ParseError when the stream cannot be followed any further, after what came before that
   */
  *push(bytes: Buffer): Generator<StreamItem, void> {
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    if (this.#size < this.#wanted) return;
    let rest = Buffer.concat(this.#pieces);
    let wanted = 1;
    for (;;) {
      const blank = leadingBlank(rest);
      if (blank > 0) {
        // A lone CRLF after a message is noise; a double one asks for a sign of life.
        if (rest.subarray(0, blank).includes('\r\n\r\n')) yield { kind: 'ping' };
        // One CRLF may be the first half of a ping: it waits only when nothing follows.
        const keep = blank === rest.length && blank < 4 && !rest.subarray(0, blank).includes('\r\n\r\n');
        if (keep) {
          wanted = blank + 1;
          break;
        }
        rest = rest.subarray(blank);
      }
      if (rest.length === 0) break;
      const head = findHead(rest);
      if (head === undefined) break;
      if (head.contentLength === undefined) throw new ParseError(400, 'No Content-Length in a stream');
      const total = head.length + head.contentLength;
      if (total > parseLimits.message) throw new ParseError(513, 'Message too large');
      if (rest.length < total) {
        wanted = total;
        break;
      }
      const item = read(rest.subarray(0, total));
      if (item !== undefined) yield item;
      rest = rest.subarray(total);
    }
    this.#pieces = rest.length === 0 ? [] : [Buffer.from(rest)];
    this.#size = rest.length;
    this.#wanted = wanted;
  }
}

function read(bytes: Buffer): StreamItem | undefined {
  try {
    const message = parseMessage(bytes);
    return message === undefined ? undefined : { kind: 'message', message };
  } catch (error) {
    if (error instanceof ParseError) return { kind: 'malformed', error };
    throw error;
  }
}
