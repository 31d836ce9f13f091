import type { Logger } from '../observe/logger.js';
import type { InboundCalls } from './inbound.js';
import type { OutboundLegs } from './outbound.js';
import type { CallDirectory, NodeChooser } from './ports.js';
import type { IncomingRequest } from './requests.js';
import { screen, type RefusedWhy } from './screening.js';

export interface SwitchboardParts {
  readonly directory: () => CallDirectory;
  readonly nodes: NodeChooser;
  readonly inbound: InboundCalls;
  readonly outbound: OutboundLegs;
  /** Whether new calls are taken: false while the process stops. */
  readonly open: () => boolean;
  readonly refused: (why: RefusedWhy) => void;
  readonly log: Logger;
}

/** What we answer to besides calls. */
const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO';

/** Sorts what drachtio-server hands us: a call of a trunk, a leg of a media node, or neither. */
export class Switchboard {
  readonly #parts: SwitchboardParts;

  constructor(parts: SwitchboardParts) {
    this.#parts = parts;
  }

  readonly invite = (request: IncomingRequest): void => {
    const { directory, nodes, inbound, outbound, log } = this.#parts;
    const verdict = screen(request, directory(), nodes);
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
        if (!this.#parts.open()) {
          request.respond(503, { 'Retry-After': '1' });
          return;
        }
        this.#settle(request, inbound.take(request, verdict));
    }
  };

  /** Any other request outside a dialog: OPTIONS tells whether we take calls; nothing else is served (RFC 3261, 8.2.1). */
  readonly other = (request: IncomingRequest): void => {
    if (request.method === 'OPTIONS') {
      if (this.#parts.open()) request.respond(200, { Allow: ALLOW, Accept: 'application/sdp' });
      else request.respond(503, { 'Retry-After': '1' });
      return;
    }
    const inDialog = /;\s*tag=/i.test(request.header('To') ?? '');
    if (inDialog) request.respond(481);
    else request.respond(405, { Allow: ALLOW });
  };

  #settle(request: IncomingRequest, work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#parts.log.error(
        { reason: error instanceof Error ? error.name : 'unknown' },
        'a request failed in our hands',
      );
      request.respond(500);
    });
  }
}
