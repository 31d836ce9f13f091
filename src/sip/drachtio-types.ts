import type { Socket } from 'node:net';

/**
 * What we use of drachtio-srf 5.0.29, as it behaves. Its own declarations lie in places (promises typed void, options
 * and methods missing), so the adapter casts to these and nothing else imports the package.
 */
export interface SrfMessage {
  readonly status?: number;
}

export interface SrfRequest {
  readonly method: string;
  readonly uri: string;
  readonly raw?: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  /** drachtio-server's id of the transaction. */
  readonly stackTxnId: string;
  get(header: string): string | undefined;
  on(event: 'cancel', listener: () => void): unknown;
  on(event: 'response', listener: (response: SrfMessage) => void): unknown;
  readonly agent: SrfAgent;
}

/** What stands behind the request's own `proxy`, which makes an object of every header of every answer. */
export interface SrfAgent {
  proxy(
    request: SrfRequest,
    order: {
      stackTxnId: string;
      destination: string[];
      remainInDialog: boolean;
      fullResponse: boolean;
      followRedirects: boolean;
      provisionalTimeout: string;
      finalTimeout: string;
      headers: Record<string, string>;
    },
    /** Called for each answer: `[OK, done]` for the last, `[NOK, text]` where there is none to come, else with a response. */
    answer: (token: readonly string[], response?: string) => void,
  ): void;
}

export interface SrfResponse {
  send(
    status: number,
    options: { headers?: Record<string, string> },
    callback: (error?: Error | null) => void,
  ): void;
}

export interface SrfInstance {
  connect(options: {
    host: string;
    port: number;
    secret: string;
    enablePing: boolean;
    pingInterval: number;
    reconnect: { retryMaxDelay: number };
  }): unknown;
  disconnect(socket: Socket): void;
  /** Throws for a verb that was not asked for. */
  unregisterForMessages(verb: string): void;
  use(method: string, handler: (request: SrfRequest, response: SrfResponse) => void): unknown;
  on(event: 'connect', listener: (error: Error | null, hostports?: string) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close' | 'reconnecting', listener: () => void): unknown;
  request(
    uri: string,
    options: { method: string; headers?: Record<string, string> },
    callback: (error: Error | null, request?: SrfRequest) => void,
  ): unknown;
}

/** The part of the package's wire protocol that the adapter guards. */
export interface WireProtocolPrototype {
  _onData(this: WireProtocolInstance, socket: Socket, data: Buffer): void;
  installListeners(this: WireProtocolInstance, socket: Socket): void;
  send(this: WireProtocolInstance, socket: Socket, message: string): string;
  emit(this: WireProtocolInstance, event: string | symbol, ...values: unknown[]): boolean;
}

export interface WireProtocolInstance {
  send(socket: Socket, message: string): string;
  host?: string;
  port?: number;
}
