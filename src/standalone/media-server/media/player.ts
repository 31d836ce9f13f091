import { parseToneStream, toneFrames } from './tone.js';
import type { MediaStream } from './stream.js';
import { framesOf, readWav, UnplayableFile } from './wav.js';

const frameMs = 20;

/** Frames of a source: `tone_stream://...`, `silence_stream://MS`, or the path of a WAV file. Throws `UnplayableFile`. */
export async function openSound(source: string): Promise<Iterable<Int16Array>> {
  const scheme = /^([a-z_]+):\/\/(.*)$/s.exec(source);
  if (scheme?.[1] === 'tone_stream') {
    const tone = parseToneStream(scheme[2] ?? '');
    if (!tone) throw new UnplayableFile('no tone stream');
    return toneFrames(tone);
  }
  if (scheme?.[1] === 'silence_stream') {
    const ms = Number(/^-?[0-9]+/.exec(scheme[2] ?? '')?.[0] ?? NaN);
    if (Number.isNaN(ms)) throw new UnplayableFile('no silence stream');
    return toneFrames({
      segments: [{ on: 0, off: ms < 0 ? 1000 : ms, frequencies: [] }],
      loops: ms < 0 ? Infinity : 1,
      decibels: 0,
    });
  }
  if (scheme) throw new UnplayableFile(`${scheme[1] ?? ''}:// is not supported`);
  return framesOf(await readWav(source));
}

/** Plays frames in real time. Resolves at the end, or as soon as `signal` is aborted; then with false. */
export async function play(
  frames: Iterable<Int16Array>,
  stream: MediaStream,
  signal: AbortSignal,
): Promise<boolean> {
  const start = performance.now();
  let sent = 0;
  for (const frame of frames) {
    if (signal.aborted) return false;
    stream.sendSamples(frame);
    sent += 1;
    await wait(start + sent * frameMs - performance.now(), signal);
  }
  return !signal.aborted;
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener('abort', done);
  });
}
