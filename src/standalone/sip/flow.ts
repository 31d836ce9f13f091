import type { SipRequest, SipResponse } from './message.js';
import type { ParseError } from './parse-error.js';

export type Proto = 'udp' | 'tcp' | 'tls';

/** PEM texts of one end of TLS: its key, its certificate, and who signs for those that it believes. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** Where a message is to go. A name is looked up (A/AAAA; no SRV, no NAPTR). */
export interface Target {
  readonly proto: Proto;
  readonly host: string;
  readonly port: number;
}

/** Where a message came from. `connection` is the TCP connection's id, so that an answer finds its way back. */
export interface Flow extends Target {
  readonly connection?: number;
}

export interface TransportHandlers {
  onMessage(message: SipRequest | SipResponse, flow: Flow): void;
  onMalformed(error: ParseError, flow: Flow): void;
}
