/** Frames longer than five digits are no frames: the real server closes the connection too. */
const maxDigits = 5;
/** What may come before the secret. */
const maxUntrusted = 1024;

/** A control connection sent something that is no frame; it must be closed. */
export class FrameError extends Error {}

/** `<byte length>#<payload>`, the frame of drachtio's control port. */
export function encodeFrame(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${payload.length}#`), payload]);
}

/**
 * Cuts a control connection's stream into payloads, wherever TCP cut it.
 *
 * @example
 * const decoder = new FrameDecoder();
 * for (const payload of decoder.push(bytes)) handle(payload);
 */
export class FrameDecoder {
  /** Set once the far end gave the secret; until then frames must be short. */
  trusted = false;
  #rest: Buffer = Buffer.alloc(0);

  /** @throws FrameError when the stream cannot be followed any further */
  *push(bytes: Buffer): Generator<Buffer> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const mark = this.#rest.subarray(0, maxDigits + 1).indexOf('#');
      const digits = this.#rest.toString('latin1', 0, mark < 0 ? maxDigits + 1 : mark);
      if (!/^\d*$/.test(digits) || mark === 0 || (mark < 0 && digits.length > maxDigits)) {
        throw new FrameError('bad length');
      }
      if (mark < 0) return;
      const length = Number(digits);
      if (!this.trusted && length > maxUntrusted) throw new FrameError('too long for a stranger');
      if (this.#rest.length < mark + 1 + length) return;
      const payload = this.#rest.subarray(mark + 1, mark + 1 + length);
      this.#rest = this.#rest.subarray(mark + 1 + length);
      yield payload;
    }
  }
}

/** A payload in its parts: the fields of its first line, and the SIP text that may follow it. */
export interface Frame {
  readonly fields: readonly string[];
  readonly sip: Buffer;
}

/** Cuts a payload at its first CRLF, and the first line at every `|`; empty fields keep their places. */
export function parseFrame(payload: Buffer): Frame {
  const end = payload.indexOf('\r\n');
  const line = end < 0 ? payload : payload.subarray(0, end);
  const sip = end < 0 ? Buffer.alloc(0) : payload.subarray(end + 2);
  return { fields: line.toString('utf8').split('|'), sip };
}

/** Writes a payload. @throws FrameError when a field would break the line */
export function formatFrame(fields: readonly (string | number)[], sip?: Buffer): Buffer {
  const line = fields.join('|');
  if (/[\r\n]/.test(line)) throw new FrameError('line end in a field');
  return sip === undefined ? Buffer.from(line) : Buffer.concat([Buffer.from(`${line}\r\n`), sip]);
}

/** `HH:MM:SS.uuuuuu` in UTC, as the real server stamps. */
export function wireTime(ms = performance.timeOrigin + performance.now()): string {
  const micros = String(Math.floor((ms % 1) * 1000)).padStart(3, '0');
  return `${new Date(ms).toISOString().slice(11, 23)}${micros}`;
}
