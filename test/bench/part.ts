/** What a part of the bench found. */
export interface Part {
  readonly figures: Readonly<Record<string, unknown>>;
  /** Which conditions do not hold, a sentence each. Never about an absolute time. */
  readonly faults: readonly string[];
}

/** Says on standard error what is going on. */
export type Progress = (text: string) => void;
