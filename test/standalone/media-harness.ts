import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headerText } from '../../src/media/event-header.js';
import { MediaServer } from '../../src/standalone/media-server/server.js';
import type { Log } from '../../src/standalone/media-server/log.js';
import { until } from './media-agent.js';

export const confFolder = join(import.meta.dirname, '../../../test/standalone/fixtures/media-conf');
export const secret = 'a secret of the test';

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A media server in this process, its folder, and what it logged. */
export interface Running {
  readonly server: MediaServer;
  readonly folder: string;
  readonly lines: Line[];
  spool(): string[];
  stop(): Promise<void>;
}

let portBlock = 0;

export async function startServer(
  overrides: Readonly<Record<string, string>> = {},
  heartbeatMs = 60_000,
): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'media-'));
  const lines: Line[] = [];
  const log: Log = (level, message, fields = {}) => void lines.push({ level, message, fields });
  // Test files run side by side: each process has its own ports.
  const first = 20_000 + (process.pid % 100) * 400 + (portBlock++ % 2) * 200;
  const server = await MediaServer.start({
    folder: confFolder,
    environment: { MEDIA_TEST_SECRET: secret },
    overrides: new Map(
      Object.entries({
        test_folder: folder,
        test_first_port: String(first),
        test_last_port: String(first + 199),
        ...overrides,
      }),
    ),
    heartbeatMs,
    log,
  });
  return {
    server,
    folder,
    lines,
    spool: () =>
      readFileSync(join(folder, 'cdr-csv', 'Master.csv'), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Event = Record<string, string>;

/** A plain client of the event socket, without a library between. */
export class EventClient {
  readonly #socket: Socket;
  readonly events: Event[] = [];
  readonly replies: string[] = [];
  readonly bodies: string[] = [];
  readonly notices: string[] = [];
  closed = false;
  #held = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => undefined);
  }

  static async connect(address: string, password = secret): Promise<EventClient> {
    const [host = '', port = ''] = address.split(':');
    const client = new EventClient(createConnection(Number(port), host));
    await until(() => client.notices.includes('auth/request'), 'auth/request');
    if (password !== '') await client.command(`auth ${password}`);
    return client;
  }

  /** Connects and subscribes to everything that tests look at. */
  static async listen(address: string): Promise<EventClient> {
    const client = await EventClient.connect(address);
    await client.command('event json ALL');
    return client;
  }

  write(bytes: string): void {
    this.#socket.write(bytes);
  }

  async command(text: string): Promise<string> {
    const due = this.replies.length;
    this.#socket.write(`${text}\n\n`);
    await until(() => this.replies.length > due || this.closed, `a reply to ${text.split(' ')[0] ?? ''}`);
    return this.replies[due] ?? '';
  }

  async api(text: string): Promise<string> {
    const due = this.bodies.length;
    this.#socket.write(`api ${text}\n\n`);
    await until(() => this.bodies.length > due, `the answer to api ${text}`);
    return this.bodies[due] ?? '';
  }

  /** The channel events so far, as `NAME direction`. */
  story(): string[] {
    return this.events
      .filter((event) => event['Call-Direction'])
      .map((event) => `${event['Event-Name'] ?? ''} ${event['Call-Direction'] ?? ''}`);
  }

  async wait(name: string, direction?: string, count = 1): Promise<Event> {
    const found = (): Event[] =>
      this.events.filter(
        (event) =>
          event['Event-Name'] === name && (direction === undefined || event['Call-Direction'] === direction),
      );
    await until(() => found().length >= count, `${name} ${direction ?? ''}`, 8000);
    return found()[count - 1] ?? {};
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    for (;;) {
      const end = this.#held.indexOf('\n\n');
      if (end < 0) return;
      const head = this.#held.toString('utf8', 0, end);
      const length = Number(/^Content-Length: ([0-9]+)/m.exec(head)?.[1] ?? 0);
      if (this.#held.length < end + 2 + length) return;
      const body = this.#held.toString('utf8', end + 2, end + 2 + length);
      this.#held = this.#held.subarray(end + 2 + length);
      const type = /^Content-Type: (\S+)/m.exec(head)?.[1] ?? '';
      if (type === 'text/event-json') this.events.push(JSON.parse(body) as Event);
      else if (type === 'text/event-plain')
        this.events.push(headerText(body.slice(0, body.indexOf('\n\n'))) as Event);
      else if (type === 'command/reply') this.replies.push(/^Reply-Text: (.*)/m.exec(head)?.[1] ?? '');
      else if (type === 'api/response') this.bodies.push(body);
      else this.notices.push(type);
    }
  }
}
