/** What a server was given to show in the place of a printed number. */
export interface Given {
  /** E.164. */
  readonly number: string;
  /** For people. */
  readonly display: string;
  readonly level: string;
}
