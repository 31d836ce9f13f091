/** What the scripts return first. One table for all scripts; their headers use these numbers. */
export const Code = {
  /** allocate: no pool has a free number. */
  empty: 0,
  /** allocate: a number was given. */
  given: 1,
  /** allocate, renew: the link lives, and lives longer now. */
  renewed: 2,
  /** renew, end: the link is known but over. */
  ended: 3,
  /** renew, end: no such link, or its number was given to another since. */
  unknownLink: 4,
  /** end, tap, withdraw: done. */
  done: 9,
  /** withdraw: nothing was done, because numbers have a live link or a live call. */
  refused: 10,
  /** renew, end: the link's number is in another pool by now; nothing was done. */
  moved: 11,
  /** renew: the number was given to another as well, after Redis had lost what it promised. */
  doublyHeld: 12,
  /** allocate: the overflow number, which is nobody's alone. */
  overflow: 13,
} as const;

export type Code = (typeof Code)[keyof typeof Code];

/** A script returned something that its header does not announce: the code and the script do not fit together. */
export class UnexpectedReply extends Error {
  readonly code = 'unexpectedReply';
  constructor(script: string) {
    super(`the script ${script} returned what its header does not announce`);
  }
}
