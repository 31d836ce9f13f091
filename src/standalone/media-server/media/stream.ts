import { randomInt } from 'node:crypto';
import type { Channel } from '../channel/channel.js';
import type { PortPair, PortPool } from './port-pool.js';
import { encode } from './g711.js';
import type { Codec, OfferedCodec } from './sdp.js';
import { DigitReader } from './telephone-event.js';

/** Where the far end wants its media, and in what. */
export interface FarEnd {
  readonly address: string;
  readonly port: number;
  readonly audio: OfferedCodec;
  readonly telephoneEvent: number | undefined;
  /** False on hold: nothing is sent to it. */
  readonly mayHear: boolean;
}

type Kind = 'audio' | 'event';

/**
 * One leg's RTP stream (RFC 3550): what comes is given on as it is, payload type apart, to the stream it is connected
 * with; what is generated here is sent with a source of its own. The far end's address is learnt from its first packet,
 * because what its SDP says may be behind a NAT.
 */
export class MediaStream {
  readonly port: number;
  readonly #pair: PortPair;
  readonly #digits = new DigitReader();
  readonly #ssrc = randomInt(1, 0xffffffff);
  #sequence = randomInt(0, 0xffff);
  #timestamp = randomInt(0, 0xffffffff);
  #far: FarEnd | undefined;
  #source: { address: string; port: number } | undefined;
  #peer: MediaStream | undefined;
  #fresh = true;
  /** Told of each digit that the far end pressed (RFC 4733), once. */
  onDigit: ((digit: string) => void) | undefined;
  readonly counts = { in: 0, inBytes: 0, inEvents: 0, inSkipped: 0, out: 0, outBytes: 0, outEvents: 0 };

  private constructor(pair: PortPair) {
    this.#pair = pair;
    this.port = pair.port;
    pair.rtp.on('message', (packet, from) => this.#receive(packet, from.address, from.port));
  }

  /** Opens a stream on the next free ports. Throws `NoFreePort`. */
  static async open(pool: PortPool): Promise<MediaStream> {
    return new MediaStream(await pool.acquire());
  }

  get codec(): Codec | undefined {
    return this.#far?.audio.codec;
  }

  get farEnd(): FarEnd | undefined {
    return this.#far;
  }

  /** Sets, or after a new description replaces, the far end. */
  setFarEnd(far: FarEnd): void {
    if (far.address !== this.#far?.address || far.port !== this.#far.port) this.#source = undefined;
    this.#far = far;
  }

  /** Connects two streams: what comes on one goes out on the other. */
  connect(other: MediaStream): void {
    this.#peer = other;
    other.#peer = this;
  }

  /** Takes a connection apart; what comes is then dropped. */
  disconnect(): void {
    if (this.#peer) this.#peer.#peer = undefined;
    this.#peer = undefined;
  }

  /** Sends 20 ms of sound of our own. */
  sendSamples(samples: Int16Array): void {
    const far = this.#far;
    if (!far) return;
    const payload = encode(far.audio.codec, samples);
    const packet = Buffer.allocUnsafe(12 + payload.length);
    packet[0] = 0x80;
    packet[1] = far.audio.payloadType | (this.#fresh ? 0x80 : 0);
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    payload.copy(packet, 12);
    this.#fresh = false;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + samples.length) >>> 0;
    this.#send(packet, 'audio');
  }

  /** The counters as FreeSWITCH's variables. */
  writeCounts(channel: Channel): void {
    const { counts } = this;
    channel.variables.setAll([
      ['rtp_audio_in_raw_bytes', String(counts.inBytes)],
      ['rtp_audio_in_media_bytes', String(counts.inBytes)],
      ['rtp_audio_in_packet_count', String(counts.in)],
      ['rtp_audio_in_media_packet_count', String(counts.in - counts.inEvents)],
      ['rtp_audio_in_skip_packet_count', String(counts.inSkipped)],
      ['rtp_audio_in_dtmf_packet_count', String(counts.inEvents)],
      ['rtp_audio_out_raw_bytes', String(counts.outBytes)],
      ['rtp_audio_out_media_bytes', String(counts.outBytes)],
      ['rtp_audio_out_packet_count', String(counts.out)],
      ['rtp_audio_out_media_packet_count', String(counts.out - counts.outEvents)],
      ['rtp_audio_out_dtmf_packet_count', String(counts.outEvents)],
    ]);
  }

  /** Ends it: sockets closed, ports at rest. Idempotent. */
  close(): void {
    this.disconnect();
    this.onDigit = undefined;
    this.#pair.release();
  }

  #receive(packet: Buffer, address: string, port: number): void {
    const far = this.#far;
    const first = packet[0] ?? 0;
    if (!far || packet.length < 12 || first >> 6 !== 2) return;
    const kind = this.#kindOf((packet[1] ?? 0) & 0x7f, far);
    this.#source ??= { address, port };
    if (!kind || this.#source.address !== address || this.#source.port !== port) {
      this.counts.inSkipped += 1;
      return;
    }
    this.counts.in += 1;
    this.counts.inBytes += packet.length;
    if (kind === 'event') {
      this.counts.inEvents += 1;
      const digit = this.#digits.read(packet);
      if (digit !== undefined) this.onDigit?.(digit);
    }
    const peer = this.#peer;
    if (peer) peer.#forward(packet, kind);
  }

  #kindOf(payloadType: number, far: FarEnd): Kind | undefined {
    if (payloadType === far.audio.payloadType) return 'audio';
    return payloadType === far.telephoneEvent ? 'event' : undefined;
  }

  #forward(packet: Buffer, kind: Kind): void {
    const payloadType = kind === 'audio' ? this.#far?.audio.payloadType : this.#far?.telephoneEvent;
    if (payloadType === undefined) return;
    packet[1] = ((packet[1] ?? 0) & 0x80) | payloadType;
    this.#fresh = true;
    this.#send(packet, kind);
  }

  #send(packet: Buffer, kind: Kind): void {
    const far = this.#far;
    if (!far?.mayHear) return;
    const to = this.#source ?? far;
    this.counts.out += 1;
    this.counts.outBytes += packet.length;
    if (kind === 'event') this.counts.outEvents += 1;
    this.#pair.rtp.send(packet, to.port, to.address, () => undefined); // a lost packet is lost
  }
}
