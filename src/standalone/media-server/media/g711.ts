import type { Codec } from './sdp.js';

/** ITU-T G.711. Tables are made once: 64 kB each, and a sample costs one look. */
const encoders: Readonly<Record<Codec, Uint8Array>> = { PCMU: table(muLaw), PCMA: table(aLaw) };

/** Linear 16-bit samples as one byte each. */
export function encode(codec: Codec, samples: Int16Array): Buffer {
  const out = Buffer.allocUnsafe(samples.length);
  const map = encoders[codec];
  for (let at = 0; at < samples.length; at += 1) out[at] = map[(samples[at] ?? 0) + 32768] ?? 0;
  return out;
}

/** The byte of silence. */
export const silence: Readonly<Record<Codec, number>> = { PCMU: 0xff, PCMA: 0xd5 };

/** One byte as a linear 16-bit sample. */
export function decodeByte(codec: Codec, byte: number): number {
  if (codec === 'PCMU') {
    const value = ~byte & 0xff;
    const magnitude = (((value & 0x0f) << 3) + 0x84) << ((value & 0x70) >> 4);
    return value & 0x80 ? 0x84 - magnitude : magnitude - 0x84;
  }
  const value = byte ^ 0x55;
  const segment = (value & 0x70) >> 4;
  const step = (value & 0x0f) << 4;
  const magnitude = segment === 0 ? step + 8 : (step + 0x108) << (segment - 1);
  return value & 0x80 ? magnitude : -magnitude;
}

function table(of: (sample: number) => number): Uint8Array {
  return Uint8Array.from({ length: 65536 }, (_, index) => of(index - 32768));
}

function muLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32635) + 0x84;
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function aLaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = Math.min(sample >= 0 ? sample : -sample - 1, 32767) >> 3;
  const exponent = magnitude < 32 ? 0 : 31 - Math.clz32(magnitude) - 4;
  const mantissa = exponent === 0 ? magnitude >> 1 : (magnitude >> exponent) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}
