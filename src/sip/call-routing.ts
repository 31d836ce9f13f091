import type { RouteStep } from '../calls/events.js';
import { TURNED_AWAY, type Termination } from '../calls/termination.js';
import type { Account, Endpoint, Trunk } from '../directory/model.js';
import { capOf, type Admission, type Cap } from '../numbers/admission.js';
import { StoreUnavailable } from '../numbers/ports.js';
import type { Logger } from '../observe/logger.js';
import { overflowOf, routeCall, type Circumstances } from '../routing/route.js';

/** Where a call goes, or how it ends before it goes anywhere. */
export type Way =
  | {
      readonly steps: readonly RouteStep[];
      readonly endpoint: Endpoint;
      /** Who is rung when nobody at the endpoint answered. */
      readonly overflow: Endpoint | undefined;
    }
  | { readonly turnedAway: Termination };

export interface Routed {
  readonly call: string;
  readonly account: Account;
  readonly trunk: Trunk;
  /** Whom the number stands for. */
  readonly endpoint: Endpoint;
}

/** Finds a call's way by rules, hours and caps. Redis is asked only where trunk, account or endpoint have caps. */
export class CallRouting {
  readonly #admission: Pick<Admission, 'admit'>;

  constructor(admission: Pick<Admission, 'admit'>) {
    this.#admission = admission;
  }

  /** Counts the call towards the caps of where it goes. Without Redis nobody is turned away for a cap. */
  async wayOf(routed: Routed, circumstances: Circumstances, log: Logger): Promise<Way> {
    const { account, trunk } = routed;
    const full = new Set<Endpoint['id']>();
    for (;;) {
      const route = routeCall(account, routed.endpoint, circumstances, full);
      if ('turnedAway' in route) return { turnedAway: TURNED_AWAY[route.turnedAway] };
      const { endpoint, steps } = route;
      const caps = [
        ...capOf(
          trunk.id,
          trunk.concurrentCalls === undefined ? {} : { concurrentCalls: trunk.concurrentCalls },
        ),
        ...capOf('account', account),
        ...capOf(endpoint.id, endpoint),
      ];
      const reached = await this.#reached(routed, caps, log);
      if (reached === undefined)
        return { steps, endpoint, overflow: overflowOf(account, endpoint, circumstances.at, full) };
      if (reached.owner === trunk.id) return { turnedAway: TURNED_AWAY.trunkFull };
      if (reached.owner === 'account') return { turnedAway: TURNED_AWAY.full };
      full.add(endpoint.id);
    }
  }

  async #reached({ account, call }: Routed, caps: readonly Cap[], log: Logger): Promise<Cap | undefined> {
    if (caps.length === 0) return undefined;
    try {
      return await this.#admission.admit(account.id, call, caps);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      log.warn({}, 'Redis does not answer: the call is not counted towards its caps');
      return undefined;
    }
  }
}
