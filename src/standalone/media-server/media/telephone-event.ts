const digits = '0123456789*#ABCD';

/** Digits from RTP packets of telephone-event (RFC 4733). */
export class DigitReader {
  #timestamp: number | undefined;

  /** The digit that a packet brings, the first time: an event is repeated under one timestamp. */
  read(packet: Buffer): string | undefined {
    const at = 12 + 4 * ((packet[0] ?? 0) & 0x0f);
    if (packet.length < at + 4) return undefined;
    const timestamp = packet.readUInt32BE(4);
    if (timestamp === this.#timestamp) return undefined;
    this.#timestamp = timestamp;
    return digits[packet[at] ?? 255];
  }
}
