import type { EventFields } from '../channel/event.js';

/** A command block: the first line, and the header lines after it. */
export interface Command {
  readonly line: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** A block longer than this has no end in sight. */
export const longestBlock = 65_536;

export class BlockTooLong extends Error {
  readonly code = 'blockTooLong';
}

/** Cuts what comes from a client into blocks at blank lines, however the bytes were cut on the way. */
export class CommandReader {
  #held = '';
  readonly #decoder = new TextDecoder();

  /** The blocks that are complete with these bytes. Throws `BlockTooLong`. */
  read(bytes: Uint8Array): Command[] {
    this.#held = (this.#held + this.#decoder.decode(bytes, { stream: true })).replaceAll('\r\n', '\n');
    const commands: Command[] = [];
    for (;;) {
      this.#held = this.#held.replace(/^\n+/, '');
      const end = this.#held.indexOf('\n\n');
      if (end < 0) break;
      commands.push(readBlock(this.#held.slice(0, end)));
      this.#held = this.#held.slice(end + 2);
    }
    if (this.#held.length > longestBlock) throw new BlockTooLong('a command has no end');
    return commands;
  }
}

function readBlock(block: string): Command {
  const [line = '', ...rest] = block.split('\n');
  const headers = new Map<string, string>();
  for (const header of rest) {
    const [name = '', value = ''] = header.split(/:\s*(.*)/s);
    headers.set(name.toLowerCase(), value);
  }
  return { line: line.trim(), headers };
}

/** A reply to a command; `extra` are header lines of their own. */
export function commandReply(text: string, extra: readonly string[] = []): string {
  return `${['Content-Type: command/reply', `Reply-Text: ${text}`, ...extra].join('\n')}\n\n`;
}

/** The answer to an `api` command. */
export function apiResponse(body: string): string {
  // An empty body would never be told apart from none by clients that wait for one.
  const text = body === '' ? '-ERR no reply\n' : body;
  return `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(text)}\n\n${text}`;
}

/** How a client wants its events. */
export const eventFormats = ['json', 'plain'] as const;
export type EventFormat = (typeof eventFormats)[number];

/** An event as one message: an object, or a line for each field, values URL-encoded. */
export function eventMessage(format: EventFormat, event: EventFields): string {
  const text = format === 'json' ? JSON.stringify(event) : eventLines(event);
  return `Content-Length: ${Buffer.byteLength(text)}\nContent-Type: text/event-${format}\n\n${text}`;
}

function eventLines({ _body: body, ...fields }: EventFields): string {
  const lines = Object.entries(fields).map(
    ([name, value]) => `${name}: ${value === '' ? '_undef_' : encodeURIComponent(value)}\n`,
  );
  return `${lines.join('')}\n${body ?? ''}`;
}

/** The last words before a connection is closed by this side. */
export function disconnectNotice(): string {
  const body = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n';
  return `Content-Type: text/disconnect-notice\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`;
}
