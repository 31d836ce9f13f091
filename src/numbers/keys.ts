/**
 * Every key and channel of the number store, in one place. All keys of an account share the hash tag `{account:ID}`:
 * one script sees all of them in one slot of a Redis Cluster, and accounts spread over the cluster.
 */
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** An id that could forge a key name (a colon, a brace, a blank ...) was refused. */
export class BadId extends Error {
  readonly code = 'badId';
}

/** `id` itself when it is made of letters, digits, `_` and `-`, 1 to 64 of them; throws `BadId` otherwise. */
export function checkedId(id: string): string {
  if (!ID.test(id)) throw new BadId('an id is 1 to 64 letters, digits, "_" or "-"');
  return id;
}

/** The keys of one account. Throws `BadId`. */
export function accountKeys(account: string) {
  const prefix = `ts:{account:${checkedId(account)}}:`;
  return {
    /** Hash: holder (`endpoint:site:session`) -> number. */
    holders: `${prefix}holders`,
    /** Hash: link id -> number, of the newest link of each number. */
    links: `${prefix}links`,
    /** Hash: number -> its holder log, see `holder-log.ts`. */
    numbers: `${prefix}numbers`,
    /** Hash: call id -> JSON {number, endpoint, trunk, end} of the calls that are up. */
    live: `${prefix}live`,
    /** Sorted set of a cap's owner (`account`, an endpoint, a trunk): live call -> until when it counts, ms since the epoch. */
    up: (owner: string): string => `${prefix}up:${checkedId(owner)}`,
    /** Sorted set likewise: call of the last second -> when it came. */
    starts: (owner: string): string => `${prefix}starts:${checkedId(owner)}`,
    /** String of a caller, by the hash of his number: what he reached before, see `caller-notes.ts`. */
    caller: (hash: string): string => `${prefix}caller:${checkedId(hash)}`,
    /** Stream: the steps of calls, one field `e` with an event as JSON. */
    events: `${prefix}events`,
    /** Hash: site -> `bucket` while its new visitors share numbers. */
    modes: `${prefix}modes`,
    /** Sorted set of a site that counts them: holder -> until when the session counts as active, ms since the epoch. */
    active: (site: string): string => `${prefix}active:${checkedId(site)}`,
    /** Hash of a pool: what it did, by the hour, see `scripts/includes/traffic.lua`. */
    traffic: (pool: string): string => `${prefix}traffic:${checkedId(pool)}`,
    /** Sorted set of a pool: number -> the time from which it may be given anew, ms since the epoch; 0 if never used. */
    ends: (pool: string): string => `${prefix}ends:${checkedId(pool)}`,
  };
}

/** The field of `holders` for a person who signed in on a site, for an endpoint. Throws `BadId`. */
export function personField(endpoint: string, site: string, person: string): string {
  return `${checkedId(endpoint)}:${checkedId(site)}:~v:${checkedId(person)}`;
}

/**
 * The field of `holders` for a triple. Endpoint and site hold no colon and the session stands last, so that two
 * triples never make one field, whatever the page sent as its session; it is not empty. Throws `BadId`.
 */
export function holderField(endpoint: string, site: string, session: string): string {
  if (session === '') throw new BadId('a session has an id');
  return `${checkedId(endpoint)}:${checkedId(site)}:${session}`;
}
