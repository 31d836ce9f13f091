import { readFile } from 'node:fs/promises';
import { decodeByte } from './g711.js';

/** The file is no sound that this server plays: 8 kHz, one channel, linear 16 bit, mu-law or A-law. */
export class UnplayableFile extends Error {
  readonly code = 'unplayableFile';
}

/** The samples of a WAV file. Throws `UnplayableFile`, also when it cannot be read. */
export async function readWav(path: string): Promise<Int16Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new UnplayableFile(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new UnplayableFile('no WAV file');
  }
  let format: { kind: number; channels: number; rate: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (name === 'fmt ' && body.length >= 16) {
      format = {
        kind: body.readUInt16LE(0),
        channels: body.readUInt16LE(2),
        rate: body.readUInt32LE(4),
        bits: body.readUInt16LE(14),
      };
    } else if (name === 'data' && format) return samplesOf(format, body);
    at += 8 + size + (size % 2);
  }
  throw new UnplayableFile('no samples');
}

function samplesOf(
  format: { kind: number; channels: number; rate: number; bits: number },
  body: Buffer,
): Int16Array {
  const { kind, channels, rate, bits } = format;
  if (channels !== 1 || rate !== 8000) throw new UnplayableFile('not 8 kHz mono');
  if (kind === 1 && bits === 16) {
    return Int16Array.from({ length: body.length >> 1 }, (_, index) => body.readInt16LE(index * 2));
  }
  if (kind === 7 || kind === 6) {
    const codec = kind === 7 ? 'PCMU' : 'PCMA';
    return Int16Array.from(body, (byte) => decodeByte(codec, byte));
  }
  throw new UnplayableFile('neither linear 16 bit nor G.711');
}

/** Samples in frames of 160, the last one filled up with silence. */
export function* framesOf(samples: Int16Array): Generator<Int16Array> {
  for (let at = 0; at < samples.length; at += 160) {
    const frame = new Int16Array(160);
    frame.set(samples.subarray(at, at + 160));
    yield frame;
  }
}
