/** A piece of a tone stream: `on` ms of the frequencies together, then `off` ms of silence. */
export interface ToneSegment {
  readonly on: number;
  readonly off: number;
  readonly frequencies: readonly number[];
}

export interface ToneStream {
  readonly segments: readonly ToneSegment[];
  /** How often the whole is played; Infinity for `loops=-1`. */
  readonly loops: number;
  readonly decibels: number;
}

const rate = 8000;

/**
 * What follows `tone_stream://`: `%(on,off,f1[,f2...])` one after the other, with `v=-7` (decibels) before them and
 * `loops=N` after them, cut by semicolons. Undefined when it is of another form.
 */
export function parseToneStream(text: string): ToneStream | undefined {
  const segments: ToneSegment[] = [];
  let loops = 1;
  let decibels = -7;
  for (const part of text.replaceAll('\\,', ',').split(';')) {
    const setting = /^(loops|v)=(-?[0-9.]+)$/.exec(part);
    if (setting?.[1] === 'loops') loops = Number(setting[2]) < 0 ? Infinity : Number(setting[2]);
    else if (setting) decibels = Math.max(-63, Math.min(0, Number(setting[2])));
    else if (part !== '') {
      if (!/^(%\([0-9]+(,[0-9.]+)*\))+$/.test(part)) return undefined;
      for (const [, body = ''] of part.matchAll(/%\(([^)]*)\)/g)) {
        const [on = 0, off = 0, ...frequencies] = body.split(',').map(Number);
        if (frequencies.some((frequency) => !(frequency > 0 && frequency < rate / 2))) return undefined;
        segments.push({ on, off, frequencies });
      }
    }
  }
  return segments.length === 0 ? undefined : { segments, loops, decibels };
}

/** The samples of a tone stream in frames of 160 (20 ms), the last one filled up with silence. */
export function* toneFrames(tone: ToneStream): Generator<Int16Array> {
  const amplitude = 32767 * 10 ** (tone.decibels / 20);
  let frame = new Int16Array(160);
  let filled = 0;
  for (let loop = 0; loop < tone.loops; loop += 1) {
    for (const { on, off, frequencies } of tone.segments) {
      const sounding = frequencies.length === 0 ? 0 : Math.round((on * rate) / 1000);
      const length = Math.round(((on + off) * rate) / 1000);
      for (let at = 0; at < length; at += 1) {
        let sum = 0;
        if (at < sounding)
          for (const frequency of frequencies) sum += Math.sin((2 * Math.PI * frequency * at) / rate);
        frame[filled] = Math.round((amplitude * sum) / Math.max(1, frequencies.length));
        filled += 1;
        if (filled === frame.length) {
          yield frame;
          frame = new Int16Array(160);
          filled = 0;
        }
      }
    }
  }
  if (filled > 0) yield frame;
}
