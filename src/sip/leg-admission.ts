import type { Account, Endpoint } from '../directory/model.js';
import { capOf, type Admission } from '../numbers/admission.js';
import { StoreUnavailable } from '../numbers/ports.js';
import type { Logger } from '../observe/logger.js';

/**
 * Counts calls towards the endpoint that is rung as an overflow after nobody answered: whether it will be is not known when
 * the plan is made. Redis is asked only where the endpoint is an overflow and has a limit.
 */
export class LegAdmission {
  readonly #admission: Pick<Admission, 'admit'>;

  constructor(admission: Pick<Admission, 'admit'>) {
    this.#admission = admission;
  }

  /**
   * Whether a leg may ring `endpoint`: a call that counts there already may, and while Redis is away every call. What it may
   * have a second was asked when the call came.
   */
  async mayRing(
    call: string,
    { account, endpoint }: { readonly account: Account; readonly endpoint: Endpoint },
    log: Logger,
  ): Promise<boolean> {
    const { concurrentCalls } = endpoint;
    if (concurrentCalls === undefined) return true;
    if (!account.endpoints.some(({ overflow }) => overflow === endpoint.id)) return true;
    try {
      const cap = capOf(endpoint.id, { concurrentCalls });
      return (await this.#admission.admit(account.id, call, cap)) === undefined;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      log.warn({}, 'Redis does not answer: a leg is not counted towards the cap of its endpoint');
      return true;
    }
  }
}
