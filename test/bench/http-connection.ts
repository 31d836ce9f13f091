import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One kept-alive HTTP/1.1 connection with one request under way at most. Much cheaper than `node:http`, so that the
 * figures are the server's: it knows answers with a Content-Length, and nothing else.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #head: string;
  #received = '';
  #waiting: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, head: string) {
    this.#socket = socket;
    this.#head = head;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#take(text);
    });
    const gone = (error?: unknown): void => {
      this.#waiting?.reject(error instanceof Error ? error : new Error('the connection was closed'));
      this.#waiting = undefined;
    };
    socket.on('error', gone);
    socket.on('close', gone);
  }

  /** For POSTs of JSON to one path. */
  static async open(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<HttpConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const lines = Object.entries({
      Host: `127.0.0.1:${port}`,
      'Content-Type': 'application/json',
      ...headers,
    });
    return new HttpConnection(
      socket,
      `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`,
    );
  }

  /** @param json ASCII */
  post(json: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${this.#head}Content-Length: ${json.length}\r\n\r\n${json}`, 'latin1');
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(this.#received.slice(0, end + 2))?.[1];
    const waiting = this.#waiting;
    if (length === undefined || waiting === undefined) {
      this.#socket.destroy(new Error('an answer without a Content-Length, or without a request'));
      return;
    }
    const bodyEnd = end + 4 + Number(length);
    if (this.#received.length < bodyEnd) return;
    const answer = {
      status: Number(this.#received.slice(9, 12)),
      body: this.#received.slice(end + 4, bodyEnd),
    };
    this.#received = this.#received.slice(bodyEnd);
    this.#waiting = undefined;
    waiting.resolve(answer);
  }
}
