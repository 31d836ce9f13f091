import type { Level } from '../calls/events.js';

/** What a caller reached when he last called a number: what his redial of it goes by. */
export interface CallerNote {
  readonly number: string;
  readonly endpoint: string;
  readonly level: Level;
  readonly site: string;
  readonly link: string;
  readonly session?: string;
  readonly visitor?: string;
  /** When he called, ms since the epoch by Redis's clock. */
  readonly at: number;
}

/** The caller's notes, newest first, without those older than `keepMs`. The text is what our own scripts wrote. */
export function parseCallerNotes(text: string, now: number, keepMs: number): readonly CallerNote[] {
  if (text === '') return [];
  return (JSON.parse(text) as CallerNote[]).filter(({ at }) => at > now - keepMs);
}
