/** The grounds on which a message is refused, each with the SIP status that says so (RFC 3261 section 21). */
export type ParseStatus = 400 | 416 | 505 | 513;

/** A header line as it stands in a message. The name keeps its spelling, the value is unfolded and trimmed. */
export interface SipHeader {
  readonly name: string;
  readonly value: string;
}

/**
 * Text that is no acceptable SIP. `status` is the proper response to it; `headers` and `method` are what could
 * be read before the fault, so that a server can still answer (a response needs Via, From, To, Call-ID, CSeq).
 *
 * @example
 * try { parseMessage(datagram) } catch (error) {
 *   if (error instanceof ParseError) answer(error.status, error.message);
 * }
 */
export class ParseError extends Error {
  readonly status: ParseStatus;
  readonly method: string | undefined;
  readonly headers: readonly SipHeader[];

  constructor(status: ParseStatus, message: string, method?: string, headers: readonly SipHeader[] = []) {
    super(message);
    this.name = 'ParseError';
    this.status = status;
    this.method = method;
    this.headers = headers;
  }
}
