import { randomUUID, timingSafeEqual, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { eventHead, type EventFields, type EventOrigin } from '../channel/event.js';
import type { Log } from '../log.js';
import type { Api } from './api.js';
import {
  apiResponse,
  CommandReader,
  commandReply,
  disconnectNotice,
  type Command,
  eventFormats,
  eventMessage,
  type EventFormat,
} from './framing.js';
import { Subscription } from './subscription.js';

/** How much may wait for a client that does not read: then he is cut off, as FreeSWITCH cuts one off. */
export const mostWaiting = 8 << 20;

type State = 'new' | 'accepted' | 'closed';

export interface ConnectionSettings {
  readonly password: string;
  readonly api: Api;
  readonly origin: EventOrigin;
  readonly log: Log;
}

/** One client of the event socket. */
export class Connection {
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  readonly #reader = new CommandReader();
  readonly #subscription = new Subscription();
  #format: EventFormat | undefined;
  #state: State = 'new';

  constructor(socket: Socket, settings: ConnectionSettings, onClose: () => void) {
    this.#socket = socket;
    this.#settings = settings;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => undefined); // 'close' follows and says it all
    socket.on('close', () => {
      this.#state = 'closed';
      onClose();
    });
    socket.write('Content-Type: auth/request\n\n');
  }

  /** Whether an event of this name and with these fields (and more) need be made for this client. */
  mayWant(name: string, known: EventFields): boolean {
    return (
      this.#state === 'accepted' && this.#format !== undefined && this.#subscription.mayWant(name, known)
    );
  }

  /** Sends an event if this client wants it. */
  tell(event: EventFields): void {
    if (this.#state !== 'accepted' || this.#format === undefined || !this.#subscription.wants(event)) return;
    if (this.#socket.writableLength > mostWaiting) {
      this.#settings.log('warning', 'event socket client reads too slowly and is cut off', {
        waiting: this.#socket.writableLength,
      });
      this.#socket.destroy();
      return;
    }
    this.#socket.write(eventMessage(this.#format, event));
  }

  /** Says goodbye and closes. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#socket.end(disconnectNotice());
    this.#socket.unref();
  }

  #take(bytes: Buffer): void {
    if (this.#state === 'closed') return;
    let commands: Command[];
    try {
      commands = this.#reader.read(bytes);
    } catch {
      this.#settings.log('warning', 'event socket client sent a command without an end and is cut off');
      this.#socket.destroy();
      return;
    }
    for (const command of commands) {
      if (this.#closed()) return;
      this.#socket.write(this.#state === 'new' ? this.#authenticate(command) : this.#answer(command));
      if (this.#leaving) this.close();
    }
  }

  #leaving = false;

  #closed(): boolean {
    return this.#state === 'closed';
  }

  #authenticate({ line }: Command): string {
    const given = /^auth (.*)$/i.exec(line)?.[1];
    if (given === undefined) {
      if (/^exit\b/i.test(line)) return this.#bye();
      return commandReply('-ERR command not found');
    }
    if (this.#settings.password !== '' && timingSafeEqual(digest(given), digest(this.#settings.password))) {
      this.#state = 'accepted';
      return commandReply('+OK accepted');
    }
    this.#leaving = true;
    return commandReply('-ERR invalid');
  }

  #answer({ line, headers }: Command): string {
    const [word = '', rest = ''] = line.split(/ +(.*)/s);
    switch (word.toLowerCase()) {
      case 'api':
        return apiResponse(this.#settings.api(rest));
      case 'bgapi':
        return this.#background(rest, headers.get('job-uuid') ?? randomUUID());
      case 'event':
        return commandReply(this.#subscribe(rest.split(/ +/).filter((part) => part !== '')));
      case 'nixevent':
        return commandReply(
          this.#subscription.remove(rest.split(/ +/)) > 0 && rest !== ''
            ? '+OK events nixed'
            : '-ERR no keywords supplied',
        );
      case 'noevents':
        if (this.#subscription.empty) return commandReply('-ERR not listening for events');
        this.#subscription.clear();
        return commandReply('+OK no longer listening for events');
      case 'filter':
        return commandReply(this.#filter(rest));
      case 'exit':
      case '...':
        return this.#bye();
      default:
        return commandReply('-ERR command not found');
    }
  }

  #bye(): string {
    this.#leaving = true;
    return commandReply('+OK bye');
  }

  #subscribe(words: readonly string[]): string {
    const [word = '', ...names] = words;
    const format = eventFormats.find((one) => one === word.toLowerCase());
    if (format === undefined) return '-ERR only events as json and plain are given';
    if (names.length === 0) return '-ERR no keywords supplied';
    this.#format = format;
    this.#subscription.add(names);
    return `+OK event listener enabled ${format}`;
  }

  #filter(text: string): string {
    const [first = '', second, ...third] = text.split(/ +/);
    if (first === 'delete' && second !== undefined) {
      const value = third.length > 0 ? third.join(' ') : undefined;
      this.#subscription.removeFilters(second === 'all' ? undefined : second, value);
      return `+OK filter deleted. [${second}][${value ?? ''}]`;
    }
    const [name, value] =
      first === 'add' ? [second, third.join(' ')] : [first, [second, ...third].join(' ').trim()];
    if (name === undefined || name === '' || value === '') return '-ERR invalid syntax';
    this.#subscription.addFilter(name, value);
    return `+OK filter added. [${name}]=[${value}]`;
  }

  #background(line: string, job: string): string {
    const { api, origin } = this.#settings;
    setImmediate(() => {
      const [command = '', argument] = line.split(/ +(.*)/s);
      const body = api(line);
      const event: EventFields = {
        ...eventHead(origin, 'BACKGROUND_JOB'),
        'Job-UUID': job,
        'Job-Command': command,
        ...(argument === undefined || argument === '' ? {} : { 'Job-Command-Arg': argument }),
        'Content-Length': String(Buffer.byteLength(body)),
        _body: body,
      };
      this.tell(event);
    });
    return commandReply(`+OK Job-UUID: ${job}`, [`Job-UUID: ${job}`]);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
