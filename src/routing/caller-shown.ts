import type { Endpoint } from '../directory/model.js';

/**
 * The number that the callee sees: the caller's own, the one that was dialled, one of the account's, or none. A caller who is
 * nobody stays nobody, but the other numbers are not his to hide.
 *
 * @param caller undefined for an anonymous one
 */
export function callerToShow(
  { callerShown }: Pick<Endpoint, 'callerShown'>,
  caller: string | undefined,
  dialled: string,
): string | undefined {
  if (callerShown === undefined) return caller;
  if (callerShown === 'anonymous') return undefined;
  return callerShown === 'dialled' ? dialled : callerShown;
}
