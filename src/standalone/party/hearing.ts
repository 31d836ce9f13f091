import { decodeByte } from '../media-server/media/g711.js';
import type { Codec } from '../media-server/media/sdp.js';

const RATE = 8000;
/** 100 ms: frequencies are told apart by 10 Hz. */
const WINDOW = 800;
/** What is kept for the ear: the last two seconds. */
const KEPT = 2 * RATE;
/** Below this (dB under full scale) it is silence: G.711's own smallest steps are at about -72. */
const SILENCE_DB = -60;

/** What was heard. */
export interface Heard {
  readonly packets: number;
  /** Loudness of the last seconds in dB under full scale (RMS, pauses included); null for silence. */
  readonly levelDb: number | null;
  /** The strongest frequency of the last seconds, to 10 Hz; null for silence. */
  readonly frequencyHz: number | null;
}

/** An ear: counts what comes, keeps the last seconds of it, and says what they sounded like. */
export class Hearing {
  readonly #kept = new Int16Array(KEPT);
  #packets = 0;
  #samples = 0;

  /** One packet's payload. */
  take(codec: Codec, payload: Uint8Array): void {
    this.#packets += 1;
    for (const byte of payload) {
      this.#kept[this.#samples % KEPT] = decodeByte(codec, byte);
      this.#samples += 1;
    }
  }

  get packets(): number {
    return this.#packets;
  }

  /** What it was so far. Costs some ten ms: ask at the end. */
  heard(): Heard {
    const length = Math.min(this.#samples, KEPT);
    const samples = Float64Array.from(this.#kept.subarray(0, length));
    let power = 0;
    for (const sample of samples) power += sample * sample;
    const levelDb = 10 * Math.log10(power / Math.max(1, length) / 32768 ** 2);
    if (!(levelDb > SILENCE_DB)) return { packets: this.#packets, levelDb: null, frequencyHz: null };
    return { packets: this.#packets, levelDb: Math.round(levelDb), frequencyHz: strongest(samples) };
  }
}

/** The frequency with the most power, in steps of 10 Hz, over all windows together. */
function strongest(samples: Float64Array): number | null {
  if (samples.length < WINDOW) return null;
  let most = 0;
  let best: number | null = null;
  for (let hertz = RATE / WINDOW; hertz < RATE / 2; hertz += RATE / WINDOW) {
    let sum = 0;
    for (let at = 0; at + WINDOW <= samples.length; at += WINDOW) sum += powerAt(hertz, samples, at);
    if (sum > most) {
      most = sum;
      best = hertz;
    }
  }
  return best;
}

/** The power of one frequency in one window (Goertzel's algorithm). */
function powerAt(hertz: number, samples: Float64Array, start: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / RATE);
  let last = 0;
  let before = 0;
  for (let at = start; at < start + WINDOW; at += 1) {
    const now = (samples[at] ?? 0) + turn * last - before;
    before = last;
    last = now;
  }
  return last * last + before * before - turn * last * before;
}
