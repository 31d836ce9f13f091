/**
 * The holder log of a number, as it stands in the hash `numbers`: one JSON object a line, the newest link first, at most
 * eight lines. Lines, because the scripts read and write only the first: the older ones are never parsed.
 */
export interface Holding {
  readonly link: string;
  readonly endpoint: string;
  readonly site: string;
  readonly session: string;
  readonly visitor?: string;
  /** The touch as JSON text. */
  readonly touch?: string;
  readonly pool: string;
  /** ms since the epoch, by Redis's clock. `until` is when the link ends or ended. */
  readonly startedAt: number;
  readonly until: number;
  /** How long the link lives after a heartbeat, ms. */
  readonly hold: number;
}

/** How many links a number remembers, the newest included. */
export const LOG_LENGTH = 8;

/** The holder log, newest first. The text is what our own scripts wrote. */
export function parseHolderLog(text: string): readonly Holding[] {
  return text.split('\n').map((line) => JSON.parse(line) as Holding);
}
