/**
 * The holder log of a number, as it stands in the hash `numbers`: one JSON object a line, the newest link first, at most
 * eight lines. Lines, because the scripts read and write only the first: the older ones are never parsed.
 */
export interface Holding {
  readonly link: string;
  readonly endpoint: string;
  readonly site: string;
  readonly level: 'session' | 'bucket' | 'overflow';
  /** Of the levels session and overflow. */
  readonly session?: string;
  /** Other sessions of the same person, which have the number too. */
  readonly also?: readonly string[];
  /** Of level bucket: its id, and the set of parameter values that it stands for, where it is one. */
  readonly bucket?: string;
  readonly parameters?: string;
  readonly visitor?: string;
  /** Who it is, once he signed in. */
  readonly person?: string;
  readonly area?: string;
  /** The touch as JSON text. */
  readonly touch?: string;
  readonly pool: string;
  /** ms since the epoch, by Redis's clock. `until` is when the link ends or ended. */
  readonly startedAt: number;
  readonly until: number;
  /** How long the link lives after a heartbeat, ms. */
  readonly hold: number;
  /** The hold that it gets once its page is heard again; absent: it was, or need not be. */
  readonly full?: number;
  /** The last page view or heartbeat, and the last tap on the number, ms since the epoch. */
  readonly seenAt: number;
  readonly tapAt?: number;
  /** Found to be held by another page as well, after Redis lost what it had promised. */
  readonly ambiguous?: boolean;
}

/** How many links a number remembers, the newest included. */
export const LOG_LENGTH = 8;

/** The holder log, newest first. The text is what our own scripts wrote; those of a version before told no level. */
export function parseHolderLog(text: string): readonly Holding[] {
  return text.split('\n').map((line) => {
    const entry = JSON.parse(line) as Omit<Holding, 'level' | 'seenAt'> & Partial<Holding>;
    return { ...entry, level: entry.level ?? 'session', seenAt: entry.seenAt ?? entry.startedAt };
  });
}
