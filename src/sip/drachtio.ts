import type { Socket } from 'node:net';
import Srf from 'drachtio-srf';
import type { Logger } from '../observe/logger.js';
import { CrossingCancels } from './crossing-cancels.js';
import { dialogRecord, isDialogRecord } from './dialog-record.js';
import type { SrfInstance, SrfRequest, SrfResponse } from './drachtio-types.js';
import { Names } from './names.js';
import { PendingProxies } from './pending-proxies.js';
import type { DialogEvent, IncomingRequest } from './requests.js';
import { oddFrame } from './sip-frame.js';
import { WrappedRequest } from './wrapped-request.js';
import { guardWireProtocol } from './wire-guard.js';
import { safeValue } from './safe.js';

export interface DrachtioAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

export interface DrachtioHandlers {
  readonly invite: (request: IncomingRequest) => void;
  /** Any other request outside a dialog. */
  readonly other: (request: IncomingRequest) => void;
  readonly dialog: (event: DialogEvent) => void;
}

type State = 'idle' | 'connecting' | 'up' | 'down' | 'closed';
const NEXT: Record<State, readonly State[]> = {
  idle: ['connecting', 'closed'],
  connecting: ['up', 'down', 'closed'],
  up: ['down', 'closed'],
  down: ['up', 'closed'],
  closed: [],
};

/** Requests that we answer besides INVITE; all others are refused in one place. */
const OTHER_METHODS = [
  'options',
  'register',
  'subscribe',
  'message',
  'publish',
  'notify',
  'info',
  'refer',
  'update',
];
/** Eight of them a bridged call, of which the media node tells more. */
const DIALOG_RECORDS = ['cdr:start', 'cdr:stop'];
const PING_MS = 5000;
/** Silent for three pings: the server or the way to it is gone though the connection looks open. */
const SILENT_PINGS = 3;

/**
 * The connection to drachtio-server's control port: the one place that knows drachtio-srf. It reconnects by itself, within
 * a second of the server's return; every promise that it gave is settled when the connection goes.
 */
export class DrachtioConnection {
  readonly #srf: SrfInstance;
  readonly #log: Logger;
  readonly #names: Pick<Names, 'lead'>;
  readonly #pending = new PendingProxies();
  readonly #crossing = new CrossingCancels();
  readonly #unguard: () => void;
  readonly #watchdog: NodeJS.Timeout;
  #state: State = 'idle';
  #socket: Socket | undefined;
  #send: (frame: string) => void = () => undefined;
  /** Whether drachtio-server is asked for its records of dialogs. */
  #followsDialogs = false;
  #seenBytes = 0;
  #silentPings = 0;
  #addresses: readonly string[] = [];
  /** What drachtio-server was asked for. */
  readonly #verbs: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(
    address: DrachtioAddress,
    handlers: DrachtioHandlers,
    log: Logger,
    names: Pick<Names, 'lead'> = new Names(),
  ) {
    this.#names = names;
    this.#log = log;
    this.#unguard = guardWireProtocol(address.host, address.port, {
      socketOpened: (socket, send) => {
        if (this.#state === 'closed') {
          // Closed between two attempts: the library has one more, and would keep what it gets.
          this.#unguard();
          socket.destroy();
          return;
        }
        this.#socket = socket;
        this.#send = send;
        this.#seenBytes = 0;
        this.#silentPings = 0;
      },
      frame: (frame, send) => {
        const odd = oddFrame(frame);
        if (odd?.kind === 'shortened') return odd.frame;
        if (odd !== undefined) {
          log.warn({ bytes: frame.length }, 'a message that cannot be read was refused');
          if (odd.transaction !== undefined)
            send(`sip|${odd.transaction}|\r\nSIP/2.0 400 Bad Request\r\n\r\n`);
          return undefined;
        }
        if (!isDialogRecord(frame)) {
          this.#crossing.see(frame);
          return frame;
        }
        const record = dialogRecord(frame);
        if (record !== undefined) handlers.dialog(record);
        return undefined;
      },
      malformedFrame: (error) => {
        // The library's message quotes what came: a caller's number may stand in it.
        log.error({ reason: error.name }, 'drachtio-server sent a malformed frame');
      },
    });
    this.#srf = new (Srf as unknown as new () => SrfInstance)();
    this.#srf.on('connect', (error, hostports) => {
      this.#onConnect(error, hostports);
    });
    this.#srf.on('error', (error) => {
      this.#lost(error.message);
    });
    this.#srf.on('close', () => {
      this.#lost('closed');
    });
    this.#route('invite', handlers.invite);
    for (const method of OTHER_METHODS) this.#route(method, handlers.other);
    this.#enter('connecting');
    this.#srf.connect({
      ...address,
      enablePing: true,
      pingInterval: PING_MS,
      // Without it the waits grow without a bound: `undefined` compares as no limit.
      reconnect: { retryMaxDelay: 1000 },
    });
    this.#watchdog = setInterval(() => {
      this.#watch();
    }, PING_MS);
    this.#watchdog.unref();
  }

  get up(): boolean {
    return this.#state === 'up';
  }

  /** Where drachtio-server listens for SIP, as it announced itself: `udp/127.0.0.1:5060`. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Resolves once the connection is up; rejects after `deadlineMs`. */
  async ready(deadlineMs: number): Promise<void> {
    if (this.up) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(done);
        reject(new Error('drachtio-server: no connection in time'));
      }, deadlineMs);
      this.#waiting.add(done);
    });
  }

  /**
   * Sends OPTIONS to `uri`: whether anything but 408 and 503 answered within `deadlineMs` (RFC 3261, 11); undefined without
   * drachtio-server, whose absence says nothing of others.
   */
  async probe(uri: string, deadlineMs: number): Promise<boolean | undefined> {
    if (!this.up) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve(false);
      }, deadlineMs);
      const settle = (alive: boolean): void => {
        clearTimeout(timer);
        resolve(alive);
      };
      this.#srf.request(safeValue('uri', uri), { method: 'OPTIONS' }, (error, request) => {
        if (error !== null || request === undefined) {
          settle(false);
          return;
        }
        request.on('response', (response) => {
          if ((response.status ?? 0) >= 200) settle(response.status !== 408 && response.status !== 503);
        });
      });
    });
  }

  /**
   * Asks for drachtio-server's records of dialogs (`dialog` of the handlers), on this connection and all after it. Not by the
   * library, which would parse each as a SIP message and register everything else a second time; and for good, as
   * drachtio-server understands an end of it as the end of everything.
   */
  followDialogs(): void {
    if (this.#followsDialogs) return;
    this.#followsDialogs = true;
    if (this.up) this.#askForDialogs();
  }

  #askForDialogs(): void {
    for (const kind of DIALOG_RECORDS) this.#send(`route|${kind}`);
  }

  /**
   * Asks for no more requests: drachtio-server gives them to the other applications, or answers 503 itself. Those that are
   * on their way to us, and what comes of them, still come.
   */
  retire(): void {
    if (!this.up) return;
    for (const verb of this.#verbs.splice(0)) this.#srf.unregisterForMessages(verb);
    if (this.#followsDialogs) for (const kind of DIALOG_RECORDS) this.#send(`remove_route|${kind}`);
  }

  /** Ends the connection; calls that are up go on without us. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#enter('closed');
    clearInterval(this.#watchdog);
    this.#pending.lose('connectionLost');
    if (this.#socket !== undefined && !this.#socket.destroyed) this.#unguard();
    // Named, though it has but one: left to find it, it throws while the server is away, and goes on trying.
    if (this.#socket !== undefined) this.#srf.disconnect(this.#socket);
    this.#socket?.destroy();
  }

  #route(method: string, handler: (request: IncomingRequest) => void): void {
    this.#verbs.push(method);
    this.#srf.use(method, (request: SrfRequest, response: SrfResponse) => {
      try {
        handler(
          new WrappedRequest(request, response, {
            pending: this.#pending,
            crossing: this.#crossing,
            names: this.#names,
            log: this.#log,
          }),
        );
      } catch (error) {
        // One odd message must cost no more than itself.
        this.#log.error({ reason: reasonOf(error), method }, 'a request could not be taken in');
        response.send(400, {}, () => undefined);
      }
    });
  }

  #onConnect(error: Error | null, hostports: string | undefined): void {
    if (this.#state === 'closed') return;
    if (error !== null) {
      this.#log.error({ reason: error.message }, 'drachtio-server refused us');
      this.#lost('refused');
      return;
    }
    this.#addresses = (hostports ?? '').split(',').filter((address) => address !== '');
    if (this.#state !== 'up') this.#enter('up');
    if (this.#followsDialogs) this.#askForDialogs();
    this.#log.info({ addresses: this.#addresses }, 'connected with drachtio-server');
    for (const done of [...this.#waiting]) done();
  }

  #lost(reason: string): void {
    this.#pending.lose('connectionLost');
    if (this.#state !== 'up' && this.#state !== 'connecting') return;
    this.#enter('down');
    this.#log.warn({ reason }, 'no connection with drachtio-server');
  }

  #watch(): void {
    const socket = this.#socket;
    if (this.#state !== 'up' || socket === undefined || socket.destroyed) return;
    this.#silentPings = socket.bytesRead === this.#seenBytes ? this.#silentPings + 1 : 0;
    this.#seenBytes = socket.bytesRead;
    if (this.#silentPings < SILENT_PINGS) return;
    this.#log.warn({ pings: SILENT_PINGS }, 'drachtio-server is silent: connecting anew');
    this.#silentPings = 0;
    socket.destroy();
  }

  #enter(next: State): void {
    if (!NEXT[this.#state].includes(next)) throw new Error(`drachtio connection: ${this.#state} to ${next}`);
    this.#state = next;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
