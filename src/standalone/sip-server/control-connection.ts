import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  encodeFrame,
  FrameDecoder,
  FrameError,
  formatFrame,
  parseFrame,
  wireTime,
  type Frame,
} from './control-frame.js';

/** What a control connection asks of the server. */
export interface ControlRequests {
  /** @returns the reply's fields after the request's id, and the SIP text that goes with it */
  onSip(from: ControlConnection, id: string, frame: Frame): void;
  onProxy(from: ControlConnection, id: string, frame: Frame): void;
  onClose(connection: ControlConnection): void;
  /** The `hostports` of the reply to authenticate. */
  hostPorts(): string;
}

/** The version we claim: drachtio-srf pings what is 0.8.2 or later, and expects 0.9's frames. */
export const announcedVersion = 'v0.9.10-standalone';

const authenticateMs = 10_000;
/** Bytes that may wait for an application that does not read. */
const maxUnsent = 16 << 20;

/** One application on the control port: its secret, its verbs, its frames. */
export class ControlConnection {
  /** Lower-case verbs that this application takes (`invite`, `cdr:start`, ...). */
  readonly verbs = new Set<string>();
  readonly #socket: Socket;
  readonly #secret: string;
  readonly #requests: ControlRequests;
  readonly #decoder = new FrameDecoder();
  readonly #patience: NodeJS.Timeout;
  #closed = false;

  constructor(socket: Socket, secret: string, requests: ControlRequests) {
    this.#socket = socket;
    this.#secret = secret;
    this.#requests = requests;
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    this.#patience = setTimeout(() => {
      if (!this.authenticated) this.close();
    }, authenticateMs);
    socket.on('data', (bytes) => this.#data(bytes));
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
  }

  get authenticated(): boolean {
    return this.#decoder.trusted;
  }

  /** Answers one request of the application. */
  reply(requestId: string, fields: readonly (string | number)[], sip?: Buffer): void {
    this.#write(formatFrame([randomUUID(), 'response', requestId, ...fields], sip));
  }

  /** Sends a frame of our own (`sip`, `cdr:start`, ...). */
  tell(fields: readonly (string | number)[], sip: Buffer): void {
    this.#write(formatFrame([randomUUID(), ...fields], sip));
  }

  /** Ends the connection; what was written still goes out. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#patience);
    this.#socket.destroySoon();
    this.#requests.onClose(this);
  }

  #write(payload: Buffer): void {
    if (this.#closed) return;
    if (this.#socket.writableLength > maxUnsent) this.close();
    else this.#socket.write(encodeFrame(payload));
  }

  #data(bytes: Buffer): void {
    try {
      for (const payload of this.#decoder.push(bytes)) {
        if (this.#closed) return;
        this.#handle(parseFrame(payload));
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.close();
    }
  }

  #handle(frame: Frame): void {
    const [id = '', kind = '', verb = ''] = frame.fields;
    if (kind === 'authenticate') {
      this.#authenticate(id, verb);
      return;
    }
    // The real server does not ask for the secret here; we do.
    if (!this.authenticated) {
      this.#refuse(id, 'not authenticated');
      return;
    }
    switch (kind) {
      case 'ping':
        this.reply(id, ['OK', 'pong']);
        return;
      case 'route':
        if (verb !== '') this.verbs.add(verb);
        this.reply(id, verb === '' ? ['NO', 'no verb'] : ['OK']);
        return;
      case 'remove_route':
        this.verbs.delete(verb);
        this.reply(id, ['OK']);
        return;
      case 'sip':
        this.#requests.onSip(this, id, frame);
        return;
      case 'proxy':
        this.#requests.onProxy(this, id, frame);
        return;
      default:
        this.#refuse(id, 'unknown message type');
    }
  }

  #authenticate(id: string, secret: string): void {
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
    if (!timingSafeEqual(digest(secret), digest(this.#secret))) {
      this.#refuse(id, 'incorrect secret');
      return;
    }
    this.#decoder.trusted = true;
    clearTimeout(this.#patience);
    const hostPorts = this.#requests.hostPorts();
    this.reply(id, ['OK', hostPorts, announcedVersion, hostPorts]);
  }

  /** An error of the administrative kind, after which the real server hangs up too. */
  #refuse(id: string, why: string): void {
    this.reply(id, ['NO', why]);
    this.close();
  }
}

/** The tokens of a reply that describe a message: `source|bytes|proto|address|port|time`. */
export function describe(
  source: 'network' | 'application',
  bytes: number,
  proto: string,
  address: string,
  port: number,
): (string | number)[] {
  return [source, bytes, proto, address, port, wireTime()];
}
