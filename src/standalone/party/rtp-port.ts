import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { encode } from '../media-server/media/g711.js';
import type { FarEnd } from '../media-server/media/stream.js';
import { Hearing } from './hearing.js';

const FRAME_MS = 20;
const HEADER = 12;

/** One call's sound at its end: a UDP socket of its own that plays frames to the far end and listens to what comes (RFC 3550). */
export class RtpPort {
  readonly port: number;
  /** What came so far. */
  readonly hearing = new Hearing();
  readonly #socket: Socket;
  readonly #ssrc = randomInt(1, 0xffffffff);
  #sequence = randomInt(0, 0xffff);
  #timestamp = randomInt(0, 0xffffffff);
  #far: FarEnd | undefined;
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;
  #open = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    // ICMP errors of a far end that is gone belong to one packet, and RTP has no use for them.
    socket.on('error', () => undefined);
    socket.on('message', (packet) => {
      this.#receive(packet);
    });
  }

  /** Binds any free port of `host` (IPv4). @throws the system's error */
  static async open(host: string): Promise<RtpPort> {
    const socket = createSocket('udp4');
    socket.bind({ address: host, port: 0, exclusive: true });
    await once(socket, 'listening');
    return new RtpPort(socket);
  }

  /** Packets that were given to the network. */
  get sent(): number {
    return this.#sent;
  }

  /** Sets, or after a new description replaces, where sound goes and in what. */
  setFarEnd(far: FarEnd): void {
    this.#far = far;
  }

  /** Plays one frame every 20 ms until the frames or the port end. Frames that the far end may not hear are passed over. */
  play(frames: Iterator<Int16Array>): void {
    const start = performance.now();
    let played = 0;
    const next = (): void => {
      const frame = frames.next();
      if (!this.#open || frame.done === true) return;
      this.#send(frame.value, played === 0);
      played += 1;
      // By the clock and not by the timer, which is late by a little every time.
      this.#timer = setTimeout(next, Math.max(0, start + played * FRAME_MS - performance.now()));
    };
    next();
  }

  /** Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#timer);
    this.#socket.close();
  }

  #send(samples: Int16Array, first: boolean): void {
    const far = this.#far;
    if (far?.mayHear === true) {
      const header = Buffer.alloc(HEADER);
      header[0] = 0x80;
      header[1] = far.audio.payloadType | (first ? 0x80 : 0);
      header.writeUInt16BE(this.#sequence, 2);
      header.writeUInt32BE(this.#timestamp, 4);
      header.writeUInt32BE(this.#ssrc, 8);
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#sent += 1;
      const packet = Buffer.concat([header, encode(far.audio.codec, samples)]);
      this.#socket.send(packet, far.port, far.address, () => undefined); // a lost packet is lost
    }
    this.#timestamp = (this.#timestamp + samples.length) >>> 0;
  }

  #receive(packet: Buffer): void {
    const far = this.#far;
    const first = packet[0] ?? 0;
    if (far === undefined || packet.length < HEADER || first >> 6 !== 2) return;
    if (((packet[1] ?? 0) & 0x7f) !== far.audio.payloadType) return;
    // Contributing sources and an extension header stand before the sound, padding after it (section 5.1).
    let start = HEADER + 4 * (first & 0x0f);
    if ((first & 0x10) !== 0) {
      if (packet.length < start + 4) return;
      start += 4 + 4 * packet.readUInt16BE(start + 2);
    }
    const end = packet.length - ((first & 0x20) === 0 ? 0 : (packet.at(-1) ?? 0));
    if (end > start) this.hearing.take(far.audio.codec, packet.subarray(start, end));
  }
}
