import type { Logger } from '../observe/logger.js';
import type { InboundCalls } from './inbound.js';
import type { OutboundLegs } from './outbound.js';
import type { CallDirectory, NodeChooser } from './ports.js';
import type { IncomingRequest } from './requests.js';
import { retryLater } from './retry-later.js';
import { screen, viaOf, type RefusedWhy } from './screening.js';

export interface SwitchboardParts {
  readonly directory: () => CallDirectory;
  readonly nodes: NodeChooser;
  readonly inbound: InboundCalls;
  readonly outbound: OutboundLegs;
  /** Our own SIP address, host:port. */
  readonly switchAddress: string;
  /** Whether this process has more to do than it can: new calls are turned away before any work. */
  readonly pressed: () => boolean;
  readonly refused: (why: RefusedWhy | 'overload') => void;
  readonly log: Logger;
}

/** What we answer to besides calls. */
const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO';

/** Sorts what drachtio-server hands us: a call of a trunk, a leg of a media node, or neither. */
export class Switchboard {
  readonly #parts: SwitchboardParts;
  readonly #passedUs: (headers: string) => boolean;
  /** Requests that are neither answered nor handed on. */
  readonly #inHand = new Set<IncomingRequest>();
  #stopping = false;
  #emptied: (() => void) | undefined;

  constructor(parts: SwitchboardParts) {
    this.#parts = parts;
    this.#passedUs = viaOf(parts.switchAddress);
  }

  readonly invite = (request: IncomingRequest): void => {
    const { directory, nodes, inbound, outbound, log } = this.#parts;
    // A leg belongs to a call that was taken: it is none that could go elsewhere.
    if (this.#parts.pressed() && !/^sips?:leg\./i.test(request.uri)) {
      this.#parts.refused('overload');
      request.respond(503, retryLater());
      return;
    }
    const verdict = screen(request, directory(), nodes, this.#passedUs);
    switch (verdict.kind) {
      case 'refused':
        this.#parts.refused(verdict.why);
        log.debug({ why: verdict.why }, 'an INVITE was refused');
        request.respond(verdict.status);
        return;
      case 'leg':
        this.#settle(request, outbound.take(request, verdict.token));
        return;
      case 'call':
        this.#settle(request, inbound.take(request, verdict));
    }
  };

  /** Any other request outside a dialog: OPTIONS tells whether we take calls; nothing else is served (RFC 3261, 8.2.1). */
  readonly other = (request: IncomingRequest): void => {
    if (request.method === 'OPTIONS') {
      if (this.#stopping || this.#parts.pressed()) request.respond(503, retryLater());
      else request.respond(200, { Allow: ALLOW, Accept: 'application/sdp' });
      return;
    }
    const inDialog = /;\s*tag=/i.test(request.header('To') ?? '');
    if (inDialog) request.respond(481);
    else request.respond(405, { Allow: ALLOW });
  };

  /**
   * To be called once no new requests are sent to us: resolves when all that came before are answered or handed on. Those
   * that are not after `deadlineMs` get 503.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
      timer = setTimeout(resolve, deadlineMs);
      if (this.#inHand.size === 0) resolve();
    });
    clearTimeout(timer);
    for (const request of this.#inHand) request.respond(503, retryLater());
    if (this.#inHand.size > 0)
      this.#parts.log.warn({ requests: this.#inHand.size }, 'requests were not decided before the stop');
  }

  #settle(request: IncomingRequest, work: Promise<void>): void {
    this.#inHand.add(request);
    request.onSettled(() => {
      this.#inHand.delete(request);
      if (this.#inHand.size === 0) this.#emptied?.();
    });
    work.catch((error: unknown) => {
      this.#parts.log.error(
        { reason: error instanceof Error ? error.name : 'unknown' },
        'a request failed in our hands',
      );
      request.respond(500);
    });
  }
}
