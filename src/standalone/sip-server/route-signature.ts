import { createHmac, timingSafeEqual } from 'node:crypto';
import { ParseError } from '../sip/parse-error.js';
import { NameAddr } from '../sip/name-addr.js';
import type { SipRequest } from '../sip/message.js';
import type { SipUri } from '../sip/uri.js';
import type { Via } from '../sip/via.js';
import { magicCookie } from '../sip/via.js';

/** The parameter of our Record-Route URI that says the dialog is one we let in. */
const signatureParam = 'dlg';

/** How a request's first Route stands to us. */
export type RouteVerdict = 'none' | 'other' | 'signed' | 'forged';

/**
 * Signs what we put into the network, so that a restarted server knows its dialogs without any memory. The key must
 * outlive the process.
 */
export class RouteSignatures {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** A Record-Route URI that is good for one Call-ID. */
  sign(uri: SipUri, callId: string): SipUri {
    return uri.withParam(signatureParam, this.#mac('dialog', callId)).withParam('lr', '');
  }

  /**
   * Looks at the first Route.
   * @param isSelf whether a host and port are ours
   * @returns none: there is no Route; other: it is somebody else's; signed: ours, and we record-routed this dialog;
   *   forged: ours, and we did not.
   */
  judge(request: SipRequest, isSelf: (host: string, port: number | undefined) => boolean): RouteVerdict {
    const route = request.getAll('Route')[0];
    if (route === undefined) return 'none';
    let uri: SipUri;
    try {
      uri = NameAddr.parse(route).sipUri();
    } catch (error) {
      if (error instanceof ParseError) return 'other';
      throw error;
    }
    if (!isSelf(uri.host, uri.port)) return 'other';
    const claimed = Buffer.from(uri.param(signatureParam) ?? '');
    const proper = Buffer.from(this.#mac('dialog', request.callId));
    return claimed.length === proper.length && timingSafeEqual(claimed, proper) ? 'signed' : 'forged';
  }

  /**
   * The branch under which a request is forwarded statelessly (RFC 3261 section 16.11): the same for a
   * retransmission, a CANCEL and the ACK to a failure, and proof that its response answers something we forwarded.
   */
  branch(callId: string, incoming: Via): string {
    const source = [
      incoming.host,
      incoming.port,
      incoming.branch,
      incoming.param('received'),
      incoming.param('rport'),
    ];
    return `${magicCookie}-${this.#mac('branch', JSON.stringify([callId, ...source]))}`;
  }

  #mac(use: string, text: string): string {
    return createHmac('sha256', this.#key).update(`${use}\0${text}`).digest('hex').slice(0, 24);
  }
}
