import type { SipResponse } from '../sip/message.js';

/** Failures that tell the caller how to try again (RFC 3261 section 16.7, step 6). */
const helpful = [401, 407, 415, 420, 484];

/**
 * The response that goes upstream when every branch failed (RFC 3261 section 16.7, step 6): a 6xx before all, else
 * the lowest class, within 4xx one that helps, else the first that came. A 503 goes as it is: the application that
 * chose the targets speaks for us.
 */
export function bestResponse(finals: readonly SipResponse[]): SipResponse | undefined {
  const rank = ({ status }: SipResponse): number =>
    status >= 600 ? 0 : Math.floor(status / 100) * 10 + (helpful.includes(status) ? 0 : 1);
  return finals.reduce<SipResponse | undefined>(
    (best, next) => (best === undefined || rank(next) < rank(best) ? next : best),
    undefined,
  );
}
