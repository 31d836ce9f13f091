/**
 * What the heart needs of Redis: one script, one round trip.
 * The adapter (`src/redis`) loads `numbers/scripts/*.lua`, runs them on the client that fails fast, and rejects with
 * `StoreUnavailable` when Redis did not answer in time. A script's own result is returned as Redis gave it.
 */
export type ScriptName =
  | 'allocate'
  | 'renew'
  | 'end'
  | 'tap' // the number in the page was tapped
  | 'part' // the devices of a person are taken apart
  | 'resolve'
  | 'remember' // what a caller reached, where `resolve` noted something else
  | 'reserve' // put numbers into a pool
  | 'withdraw' // take numbers out of a pool, all or none
  | 'hide' // take numbers out of a pool, their links live on
  | 'retime' // put right when numbers of a pool are free
  | 'move' // numbers into another pool of the account, with their links
  | 'admit' // a call, where trunk, account or endpoint have caps
  | 'append' // events into the account's stream
  | 'keep'; // live calls that a media node still has

export interface ScriptPort {
  run(script: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

/** Redis did not answer: the call goes on with the cached directory, the page keeps its printed number. */
export class StoreUnavailable extends Error {
  readonly code = 'storeUnavailable';
}
