import esl from 'modesl';
import type { Logger } from '../observe/logger.js';
import { headerText } from './event-header.js';
import { eventReader, type NodeEvent } from './event-reader.js';

export interface EventSocketAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

export interface EventSocketListener {
  /** The connection is up and authenticated; nothing is subscribed yet. */
  readonly up: () => void;
  readonly down: (reason: string) => void;
  /** Which headers of an event are wanted; it has no others. */
  readonly headers: readonly string[];
  readonly event: (event: NodeEvent) => void;
}

export type CommandFault = 'notConnected' | 'deadline' | 'refused' | 'unsafe';

export class CommandError extends Error {
  readonly code: CommandFault;
  constructor(code: CommandFault) {
    super(`event socket command: ${code}`);
    this.code = code;
  }
}

type State = 'idle' | 'connecting' | 'up' | 'waiting' | 'closed';
const NEXT: Record<State, readonly State[]> = {
  idle: ['connecting', 'closed'],
  connecting: ['up', 'waiting', 'closed'],
  up: ['waiting', 'closed'],
  waiting: ['connecting', 'closed'],
  closed: [],
};

const CONNECT_MS = 2000;
const COMMAND_MS = 2000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;

type Command = { readonly resolve: (body: string) => void; readonly reject: (error: CommandError) => void };

/**
 * The event socket of one media node: the one place that knows modesl. It guards what modesl gets wrong:
 * - its header decoder throws out of the socket's data handler on a stray `%` (process down): replaced;
 * - it writes a command in pieces without TCP_NODELAY (44 ms each instead of 0.1 ms): set at once;
 * - its reply queues survive a lost connection and then answer the wrong caller: a new Connection each time, and every
 *   command has its own deadline, after which the connection is given up rather than trusted with a shifted queue;
 * - it makes an object of a call's three hundred headers twice before it hands an event on: events go past that, and those
 *   that are wanted are read alone, in lines: as JSON an event costs FreeSWITCH twice as much;
 * - it never reconnects and says `connected` after a reset: one state table here;
 * - it writes arguments raw, so that a line break is a second command: refused before it gets there.
 */
export class EventSocket {
  readonly #address: EventSocketAddress;
  readonly #listener: EventSocketListener;
  readonly #log: Logger;
  readonly #read: (text: string) => NodeEvent | undefined;
  #state: State = 'idle';
  #connection: InstanceType<typeof esl.Connection> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waitMs = FIRST_WAIT_MS;
  readonly #commands = new Set<Command>();

  constructor(address: EventSocketAddress, listener: EventSocketListener, log: Logger) {
    this.#address = address;
    this.#listener = listener;
    this.#log = log;
    this.#read = eventReader(listener.headers);
  }

  get up(): boolean {
    return this.#state === 'up';
  }

  start(): void {
    this.#connect();
  }

  /** `api COMMAND`: resolves with the answer's text. Rejects with CommandError. */
  async api(command: string): Promise<string> {
    return this.#send(`api ${command}`, (reply) => reply.getBody());
  }

  /** Subscribes in place of whatever was subscribed: `names` of events, and of those only what `filters` let through. */
  async subscribe(names: readonly string[], filters: readonly (readonly [string, string])[]): Promise<void> {
    const text = (reply: { getHeader(name: string): string | null }): string =>
      reply.getHeader('Reply-Text') ?? '';
    await this.#send('noevents', text);
    await this.#send('filter delete all', text);
    for (const [header, value] of filters) await this.#send(`filter ${header} ${value}`, text);
    const answer = await this.#send(`event plain ${names.join(' ')}`, text);
    if (!answer.startsWith('+OK')) throw new CommandError('refused');
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#enter('closed');
    clearTimeout(this.#timer);
    this.#drop();
  }

  async #send(
    command: string,
    textOf: (reply: { getHeader(name: string): string | null; getBody(): string }) => string,
  ): Promise<string> {
    if (/[\r\n\0]/.test(command)) throw new CommandError('unsafe');
    const connection = this.#connection;
    if (this.#state !== 'up' || connection === undefined) throw new CommandError('notConnected');
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#commands.delete(entry);
        reject(new CommandError('deadline'));
        this.#lost(connection, 'a command got no answer');
      }, COMMAND_MS);
      const entry: Command = {
        resolve: (body) => {
          clearTimeout(timer);
          this.#commands.delete(entry);
          resolve(body);
        },
        reject: (error) => {
          clearTimeout(timer);
          this.#commands.delete(entry);
          reject(error);
        },
      };
      this.#commands.add(entry);
      const answered = (reply: { getHeader(name: string): string | null; getBody(): string }): void => {
        entry.resolve(textOf(reply));
      };
      if (command.startsWith('api ')) connection.api(command.slice(4), answered);
      else connection.sendRecv(command, answered);
    });
  }

  #connect(): void {
    this.#enter('connecting');
    const { host, port, secret } = this.#address;
    const connection = new esl.Connection(host, port, secret);
    this.#connection = connection;
    // What it subscribes by itself after login would be every executed application of every call.
    connection.reqEvents = ['HEARTBEAT'];
    this.#timer = setTimeout(() => {
      this.#lost(connection, 'no login in time');
    }, CONNECT_MS);
    connection.on('error', (error: Error & { code?: string }) => {
      this.#lost(connection, error.code ?? error.name);
    });
    connection.on('esl::end', () => {
      this.#lost(connection, 'ended');
    });
    connection.on('esl::connect', () => {
      const socket = connection.socket;
      socket?.setNoDelay(true);
      socket?.on('close', () => {
        this.#lost(connection, 'closed');
      });
      const { parser } = connection;
      parser._parseHeaderText = headerText;
      const parseEvent = parser._parseEvent.bind(parser);
      parser._parseEvent = (headers, body) => {
        if (headers['Content-Type'] === 'text/event-plain' && body !== undefined)
          this.#take(connection, body);
        else parseEvent(headers, body);
      };
      parser.on('esl::event', (_event: unknown, headers: Record<string, unknown>) => {
        if (headers['Content-Type'] === 'text/disconnect-notice') this.#lost(connection, 'disconnected');
        if (headers['Content-Type'] === 'text/rude-rejection') this.#lost(connection, 'address refused');
      });
    });
    connection.on('esl::event::auth::success', () => {
      if (this.#connection !== connection || this.#state !== 'connecting') return;
      clearTimeout(this.#timer);
      this.#waitMs = FIRST_WAIT_MS;
      this.#enter('up');
      this.#listener.up();
    });
    connection.on('esl::event::auth::fail', () => {
      this.#lost(connection, 'password refused');
    });
  }

  #take(connection: unknown, body: string): void {
    if (this.#connection !== connection) return;
    const event = this.#read(body);
    if (event === undefined) {
      this.#log.warn({ bytes: body.length }, 'an event of the media node has no end');
      return;
    }
    this.#listener.event(event);
  }

  #lost(connection: unknown, reason: string): void {
    if (this.#connection !== connection) return;
    const wasUp = this.#state === 'up';
    if (this.#state !== 'up' && this.#state !== 'connecting') return;
    clearTimeout(this.#timer);
    this.#enter('waiting');
    this.#drop();
    this.#timer = setTimeout(() => {
      this.#connect();
    }, this.#waitMs);
    if (wasUp || this.#waitMs === FIRST_WAIT_MS)
      this.#log.warn({ reason }, 'no connection with the media node');
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
    if (wasUp) this.#listener.down(reason);
  }

  /** Forgets the connection: its queues, its listeners and its socket go with it. */
  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    for (const command of [...this.#commands]) command.reject(new CommandError('notConnected'));
    connection?.socket?.destroy();
  }

  #enter(next: State): void {
    if (!NEXT[this.#state].includes(next)) throw new Error(`event socket: ${this.#state} to ${next}`);
    this.#state = next;
  }
}
