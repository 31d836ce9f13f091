import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameDecoder } from '../../../src/standalone/sip-server/control-frame.js';
import type { SipServer } from '../../../src/standalone/sip-server/sip-server.js';
import { until } from '../../support/until.js';
import { secret } from './sip-server-process.js';

export { secret };

/** A raw control connection: writes frames, keeps what comes. */
export class Control {
  readonly frames: string[] = [];
  closed = false;
  /** Told of each frame that comes. */
  onFrame: (frame: string) => void = () => undefined;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  #last = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#decoder.trusted = true;
    socket.on('data', (bytes) => {
      for (const frame of [...this.#decoder.push(bytes)].map(String)) {
        this.frames.push(frame);
        this.onFrame(frame);
      }
    });
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => undefined);
  }

  static async open(server: SipServer, said: string | undefined = secret): Promise<Control> {
    const socket = connect(server.controlAddress.port, '127.0.0.1');
    await once(socket, 'connect');
    const control = new Control(socket);
    if (said !== undefined) await control.ask(`authenticate|${said}|`);
    return control;
  }

  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  send(rest: string): string {
    const id = `id-${++this.#last}`;
    this.write(encodeFrame(Buffer.from(`${id}|${rest}`)));
    return id;
  }

  /** Sends a frame and waits for its first reply. @returns the reply's fields from the status on */
  async ask(rest: string): Promise<string[]> {
    const id = this.send(rest);
    return this.reply(id);
  }

  async reply(id: string, status = ''): Promise<string[]> {
    const mine = (): string | undefined =>
      this.frames.find((f) => f.split('|')[1] === 'response' && f.split('|')[2] === id && f.includes(status));
    await until(() => mine() !== undefined || this.closed);
    return (mine() ?? '').split('\r\n')[0]?.split('|').slice(3) ?? [];
  }

  async sip(method: string): Promise<{ head: string[]; text: string }> {
    const found = (): string | undefined =>
      this.frames.find((f) => f.split('|')[1] === 'sip' && f.includes(`\r\n${method}`));
    await until(() => found() !== undefined);
    const frame = found() ?? '';
    const end = frame.indexOf('\r\n');
    return { head: frame.slice(0, end).split('|'), text: frame.slice(end + 2) };
  }

  close(): void {
    this.#socket.destroy();
  }
}
