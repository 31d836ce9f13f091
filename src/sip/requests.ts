/** A request that drachtio-server handed to us, as the rest of the room sees it. */
export interface IncomingRequest {
  readonly method: string;
  /** The request URI as it came. */
  readonly uri: string;
  /** The message as it came off the wire. */
  readonly raw: string;
  readonly callId: string;
  /** Where it came from. */
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly transport: string;
  /** First header of that name; undefined where there is none. */
  header(name: string): string | undefined;
  /**
   * Calls `listener` once the caller gave up; at once when he already has. After `proxy` only where his CANCEL met
   * drachtio-server before our order did: the request goes out all the same, and nobody but us can call it back.
   */
  onCancel(listener: () => void): void;
  readonly cancelled: boolean;
  /** Answers it. A second answer, or one to a caller who gave up, does nothing. */
  respond(status: number, headers?: Readonly<Record<string, string>>): void;
  /** Calls `listener` once the request is answered, handed on, or cancelled by its sender. */
  onSettled(listener: () => void): void;
  /** Hands it on to one target and stays in the dialog by Record-Route. */
  proxy(target: string, options: ProxyOptions): Promise<ProxyResult>;
}

export interface ProxyOptions {
  /** Added to the request; a proxy can neither replace nor remove what is there. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a redirection is followed, to wherever it says; else the caller gets it. */
  readonly followRedirects?: boolean;
  /** How long the target may stay silent before the caller gets 408. */
  readonly silenceMs: number;
  /** Our own deadline on the whole: by then the connection to drachtio-server has lost the answer. */
  readonly deadlineMs: number;
}

export interface ProxyResult {
  /** The final status that the caller got. */
  readonly status: number;
  /** Reason header of the final response (RFC 3326). */
  readonly reason: string | undefined;
}

export type LostReason = 'connectionLost' | 'deadline' | 'refused' | 'gone';

/**
 * Nothing is known of a proxied request: the connection went, drachtio-server refused, or did not answer in time; or its
 * sender had given up before it left (`gone`).
 */
export class ProxyLost extends Error {
  readonly code: LostReason;
  constructor(code: LostReason) {
    super(`proxied request lost: ${code}`);
    this.code = code;
  }
}

/** What drachtio-server tells of a proxied dialog's end and answer (its cdr frames). */
export interface DialogEvent {
  readonly kind: 'start' | 'stop';
  readonly callId: string;
  /** Its reason for `stop`: normal-release, call-canceled, ... */
  readonly reason: string | undefined;
  /** The final status, for `stop` by a response. */
  readonly status: number | undefined;
}
