import { toneFrames } from '../media-server/media/tone.js';

/** The note that sounds longest, and so the one that a listener's measurement finds. */
export const MAIN_NOTE_HZ = 780;

/** Three rising notes and a pause, for as long as somebody listens: told apart from ringing, and kind to the ear. */
export function tune(): Generator<Int16Array> {
  return toneFrames({
    segments: [
      { on: 180, off: 20, frequencies: [520] },
      { on: 180, off: 20, frequencies: [660] },
      { on: 700, off: 500, frequencies: [MAIN_NOTE_HZ] },
    ],
    loops: Infinity,
    decibels: -16,
  });
}
