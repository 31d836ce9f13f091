import { createServer, type Server, type Socket } from 'node:net';
import { newCallId, newTag } from '../../src/standalone/sip/ids.js';
import { Latencies } from './latencies.js';

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n';

/**
 * drachtio-server's control port without SIP behind it: hands the application INVITEs, takes what it decides, and ends each
 * call with 486. What is measured is the application alone.
 */
export class ControlPort {
  readonly #server: Server;
  readonly latencies = new Latencies();
  /** INVITEs that were answered, not proxied. */
  refused = 0;
  #socket: Socket | undefined;
  readonly #verbs = new Set<string>();
  readonly #due = new Map<string, number>();
  #held = Buffer.alloc(0);

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('data', (data) => this.#read(socket, data));
    });
  }

  static async listen(): Promise<ControlPort> {
    const server = createServer();
    const control = new ControlPort(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return control;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Whether an application takes INVITEs. */
  get taken(): boolean {
    return this.#verbs.has('invite');
  }

  /** INVITEs that are not decided yet. */
  get under(): number {
    return this.#due.size;
  }

  invite(number: string, caller: string): void {
    const transaction = newTag();
    const sip = [
      `INVITE sip:${number}@192.0.2.9:5060 SIP/2.0`,
      `Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK${transaction};rport=5060`,
      `From: <sip:${caller}@192.0.2.1>;tag=${newTag()}`,
      `To: <sip:${number}@192.0.2.9>`,
      `Call-ID: ${newCallId()}`,
      'CSeq: 1 INVITE',
      'Contact: <sip:caller@192.0.2.1:5060>',
      'Max-Forwards: 70',
      'Content-Type: application/sdp',
      `Content-Length: ${String(SDP.length)}`,
      '',
      SDP,
    ].join('\r\n');
    this.#due.set(transaction, performance.now());
    this.#send(
      `${newTag()}|sip|network|${String(sip.length)}|udp|192.0.2.1|5060|10:00:00.000000|${transaction}||192.0.2.9|5060|\r\n${sip}`,
    );
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #read(socket: Socket, data: Buffer): void {
    this.#socket = socket;
    this.#held = Buffer.concat([this.#held, data]);
    for (;;) {
      const cut = this.#held.indexOf('#');
      const length = Number(this.#held.subarray(0, Math.max(0, cut)).toString());
      if (cut < 1 || this.#held.length < cut + 1 + length) return;
      this.#take(this.#held.subarray(cut + 1, cut + 1 + length).toString());
      this.#held = this.#held.subarray(cut + 1 + length);
    }
  }

  #take(frame: string): void {
    const [id = '', kind = '', third = ''] = (frame.split('\r\n')[0] ?? '').split('|');
    const reply = (text: string): void => this.#send(`${newTag()}|response|${id}|${text}`);
    if (kind === 'authenticate') reply('OK|udp/192.0.2.9:5060|v0.9.10|udp/192.0.2.9:5060');
    else if (kind === 'ping') reply('OK|pong');
    else if (kind === 'route') {
      this.#verbs.add(third);
      reply('OK');
    } else if (kind === 'proxy') {
      this.#decided(third);
      const busy = `SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nReason: Q.850;cause=17;text="USER_BUSY"\r\nContent-Length: 0\r\n\r\n`;
      reply(`OK|network|10|udp|192.0.2.9|5180|10:00:00|||continue\r\n${busy}`);
      reply('OK|done');
    } else if (kind === 'sip') {
      if (this.#due.has(third)) this.refused += 1;
      this.#due.delete(third);
      reply(
        `OK|application|10|udp|192.0.2.1|5060|10:00:00.000000|${third}|||Msg sent:|\r\n${frame.slice(frame.indexOf('\r\n') + 2)}`,
      );
    } else reply('OK');
  }

  #decided(transaction: string): void {
    const from = this.#due.get(transaction);
    if (from === undefined) return;
    this.#due.delete(transaction);
    this.latencies.record(performance.now() - from);
  }

  #send(payload: string): void {
    this.#socket?.write(`${String(Buffer.byteLength(payload))}#${payload}`);
  }
}
