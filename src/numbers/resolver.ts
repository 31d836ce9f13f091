import { MARGIN_MS } from './allocate-command.js';
import { attribute } from './attribution.js';
import { LOG_LENGTH } from './holder-log.js';
import { accountKeys } from './keys.js';
import type { ScriptPort } from './ports.js';
import { readLookup, receivedEvent } from './resolution.js';
import type { Resolution, ResolutionRequest } from './types.js';

/** How long a call counts as live without a sign from its media node: the longest ringing (185 s) and then some. */
export const LIVE_MS = 200_000;

/** What the number store asks of the cached directory: whether an endpoint is still declared. */
export type EndpointExists = (account: string, endpoint: string) => boolean;

/** Says whose number was called. */
export class Resolver {
  readonly #scripts: ScriptPort;
  readonly #endpointExists: EndpointExists;
  readonly #clock: (() => number) | undefined;

  /** `clock` (ms since the epoch) stands in for Redis's own; for tests and simulations alone. */
  constructor(scripts: ScriptPort, endpointExists: EndpointExists, clock?: () => number) {
    this.#scripts = scripts;
    this.#endpointExists = endpointExists;
    this.#clock = clock;
  }

  /**
   * Whose number was called; in the same round trip the event `received` is written with all evidence, the call counts
   * as live, and it is noted for the caller's redial. What is decided goes into the record by `attributedEvent`.
   * Rejects with `StoreUnavailable`: go on with `resolutionWithoutStore`.
   */
  async resolve(request: ResolutionRequest): Promise<Resolution> {
    const keys = accountKeys(request.account);
    const redialMs = redialOf(request);
    const reply = await this.#scripts.run(
      'resolve',
      [
        keys.numbers,
        keys.live,
        keys.events,
        keys.ends(request.pool),
        ...(redialMs > 0 && request.callerHash !== undefined ? [keys.caller(request.callerHash)] : []),
      ],
      [
        this.#now(),
        request.number,
        request.defaultEndpoint ?? '',
        LIVE_MS,
        JSON.stringify(receivedEvent(request)),
        redialMs,
        MARGIN_MS,
        LOG_LENGTH,
        request.pool,
      ],
    );
    return attribute(readLookup(reply, redialMs), request, (endpoint) =>
      this.#endpointExists(request.account, endpoint),
    );
  }

  /**
   * Corrects what was noted for the caller's redial where the call went elsewhere than to the newest holder; nothing to do
   * in most cases. Rejects with `StoreUnavailable`: the redial goes to the newest holder then.
   */
  async remember(request: ResolutionRequest, { note }: Resolution): Promise<void> {
    const redialMs = redialOf(request);
    if (note === undefined || redialMs <= 0 || request.callerHash === undefined) return;
    await this.#scripts.run(
      'remember',
      [accountKeys(request.account).caller(request.callerHash)],
      [this.#now(), redialMs, request.number, note === null ? '' : JSON.stringify(note)],
    );
  }

  #now(): number | '' {
    return this.#clock?.() ?? '';
  }
}

function redialOf({ redialMs }: ResolutionRequest): number {
  return redialMs ?? 0;
}
