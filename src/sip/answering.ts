import type { Account, Pool } from '../directory/model.js';
import type { CallDirectory } from './ports.js';

/** Whose calls to a number are, and who may bring them. */
export interface Answering {
  readonly account: Account;
  readonly pool: Pool['id'];
  readonly trunk?: string;
  readonly defaultEndpoint?: string;
  /** Accounts whose trunks may bring the call: the one that answers it, and the one that has the number now. */
  readonly accounts: readonly Account['id'][];
  /** false: the number's holders do not count, the call goes to the default endpoint. */
  readonly byHolder: boolean;
}

/**
 * Who answers a call to `number` at `now`, ms since the epoch: the account that has it; while it rests between two accounts
 * as its pool's `inQuarantine` says: the account that had it, with the last holder it knows of; the default endpoint; or
 * nobody. undefined for a number that nobody answers.
 */
export function answering(
  directory: Pick<CallDirectory, 'numberOwner' | 'formerOwner'>,
  number: string,
  now: number,
): Answering | undefined {
  const owner = directory.numberOwner(number);
  const before = directory.formerOwner(number, now);
  if (before?.policy === 'reject' || before?.policy === 'announce') return undefined;
  if (before === undefined || (before.policy === 'default' && owner !== undefined)) {
    if (owner === undefined) return undefined;
    const { account, pool } = owner;
    return {
      account,
      pool: pool.id,
      ...(pool.trunk !== undefined && { trunk: pool.trunk }),
      ...(pool.defaultEndpoint !== undefined && { defaultEndpoint: pool.defaultEndpoint }),
      accounts: [account.id],
      byHolder: before === undefined,
    };
  }
  const { account, former, endpoint, policy } = before;
  if (account === undefined) return undefined;
  return {
    account,
    pool: former.pool,
    ...(endpoint !== undefined && { defaultEndpoint: endpoint.id }),
    accounts: owner === undefined ? [account.id] : [account.id, owner.account.id],
    byHolder: policy === 'lastHolder',
  };
}

/** What a caller of `number` hears before he is refused; undefined for nothing. */
export function announcementTo(
  directory: Pick<CallDirectory, 'formerOwner'>,
  number: string,
  now: number,
): string | undefined {
  return directory.formerOwner(number, now)?.announcement;
}
