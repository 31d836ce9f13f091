import { accountKeys } from './keys.js';
import type { ScriptPort } from './ports.js';
import { LIVE_MS } from './resolver.js';

/** What an account, a trunk or an endpoint may have: calls at once, and new ones a second. */
export interface Cap {
  /** `account`, or the id of an endpoint or trunk. */
  readonly owner: string;
  readonly concurrentCalls?: number;
  readonly callsPerSecond?: number;
}

/** Counts calls where they are limited: sets of live calls, never counters, so that a process that dies leaves nothing behind. */
export class Admission {
  readonly #scripts: ScriptPort;
  readonly #clock: (() => number) | undefined;

  /** `clock` as for `Allocator`. */
  constructor(scripts: ScriptPort, clock?: () => number) {
    this.#scripts = scripts;
    this.#clock = clock;
  }

  /**
   * Counts the call towards all `caps`, or towards none: resolves with the first one that is reached, undefined when the
   * call may be taken. Asked again for the same call it counts once. Rejects with `StoreUnavailable`.
   */
  async admit(account: string, call: string, caps: readonly Cap[]): Promise<Cap | undefined> {
    const keys = accountKeys(account);
    const reached = await this.#scripts.run(
      'admit',
      [keys.live, ...caps.flatMap(({ owner }) => [keys.up(owner), keys.starts(owner)])],
      [
        this.#clock?.() ?? '',
        call,
        LIVE_MS,
        ...caps.flatMap(({ concurrentCalls, callsPerSecond }) => [
          concurrentCalls ?? '',
          callsPerSecond ?? '',
        ]),
      ],
    );
    return typeof reached === 'number' && reached > 0 ? caps[reached - 1] : undefined;
  }
}

/** `thing` as a cap; none where it has no limit. */
export function capOf(owner: string, thing: Omit<Cap, 'owner'>): Cap[] {
  const { concurrentCalls, callsPerSecond } = thing;
  if (concurrentCalls === undefined && callsPerSecond === undefined) return [];
  return [
    {
      owner,
      ...(concurrentCalls === undefined ? {} : { concurrentCalls }),
      ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
    },
  ];
}
