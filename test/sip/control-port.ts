import { createServer, type Server, type Socket } from 'node:net';
import { FrameDecoder } from '../../src/standalone/sip-server/control-frame.js';

/** drachtio-server's control port, played by a test: it answers what it must, and says what the test wants. */
export class ControlPort {
  readonly sockets: Socket[] = [];
  readonly frames: string[] = [];
  /** Told of each frame, after it is among them. */
  onFrame: (frame: string) => void = () => undefined;
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      const decoder = new FrameDecoder();
      decoder.trusted = true;
      socket.on('data', (data) => {
        for (const frame of decoder.push(data)) {
          this.#answer(socket, frame.toString());
          this.onFrame(frame.toString());
        }
      });
    });
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    return this.#port;
  }

  /** Puts a frame on the newest connection. */
  push(payload: string): void {
    this.sockets.at(-1)?.write(`${String(Buffer.byteLength(payload))}#${payload}`);
  }

  invite(sip: string, txn = 'txn-1'): void {
    this.push(
      `id-${txn}|sip|network|${String(Buffer.byteLength(sip))}|udp|192.0.2.1|5060|10:00:00.000000|${txn}||127.0.0.1|5060|\r\n${sip}`,
    );
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(socket: Socket, frame: string): void {
    this.frames.push(frame);
    const [id = '', kind = ''] = frame.split('\r\n')[0]?.split('|') ?? [];
    const say = (text: string): void => {
      const payload = `reply|response|${id}|${text}`;
      socket.write(`${String(Buffer.byteLength(payload))}#${payload}`);
    };
    if (kind === 'authenticate') say('OK|udp/127.0.0.1:5060|v0.9.10|udp/127.0.0.1:5060');
    else if (kind === 'route' || kind === 'ping') say('OK');
    else if (kind === 'sip')
      say(
        `OK|application|10|udp|127.0.0.1|5060|10:00:00.000000|txn|dialog||Msg sent:|\r\n${frame.slice(frame.indexOf('\r\n') + 2)}`,
      );
    // proxy: the test decides
  }
}

export const INVITE = [
  'INVITE sip:+12025550100@127.0.0.1:5060 SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa',
  'From: <sip:+12025550123@192.0.2.1>;tag=1',
  'To: <sip:+12025550100@127.0.0.1>',
  'Call-ID: call-1',
  'CSeq: 1 INVITE',
  'Contact: <sip:a@192.0.2.1>',
  'Content-Length: 0',
];
export const inviteText = (lines: readonly string[] = INVITE): string => `${lines.join('\r\n')}\r\n\r\n`;
