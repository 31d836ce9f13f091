import type { HeaderPairs, SipRequest } from '../sip/message.js';
import { ParseError } from '../sip/parse-error.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import { Via } from '../sip/via.js';

/** What an application may be given out of a dialog. */
const handedOut = new Set([
  'INVITE',
  'REGISTER',
  'MESSAGE',
  'OPTIONS',
  'INFO',
  'NOTIFY',
  'SUBSCRIBE',
  'PUBLISH',
]);
/** What makes sense only in a dialog, and ours are relayed before they come here. */
const dialogOnly = new Set(['BYE', 'UPDATE', 'PRACK']);

export interface Refusal {
  readonly status: 405 | 420 | 481 | 501;
  readonly headers: HeaderPairs;
}

/** Why a request is not for any application; undefined when it is. */
export function refusalOf(request: SipRequest): Refusal | undefined {
  const { method } = request;
  const required = request.getAll('Proxy-Require');
  if (required.length > 0) return { status: 420, headers: [['Unsupported', required.join(', ')]] };
  if (dialogOnly.has(method)) return { status: 481, headers: [] };
  const inDialog = request.toTag !== undefined;
  if (inDialog && (method === 'INVITE' || method === 'REFER')) return { status: 481, headers: [] };
  if (method === 'REFER') return { status: 405, headers: [['Allow', [...handedOut].join(', ')]] };
  if (!handedOut.has(method)) return { status: 501, headers: [['Allow', [...handedOut].join(', ')]] };
  return undefined;
}

/** One request that arrived twice by different ways is one request (RFC 3261 section 8.2.2.2). */
export class MergedRequests {
  readonly #alive = new Set<string>();

  /** @returns false when the same request is alive under another branch; one that passed through us may come again */
  enter(
    transaction: ServerTransaction,
    isSelf: (host: string, port: number | undefined) => boolean,
  ): boolean {
    const { request } = transaction;
    if (request.toTag !== undefined || passedThrough(request, isSelf)) return true;
    const key = JSON.stringify([request.callId, request.fromTag, request.cseq, request.uri]);
    if (this.#alive.has(key)) return false;
    this.#alive.add(key);
    transaction.whenOver(() => this.#alive.delete(key));
    return true;
  }
}

function passedThrough(
  request: SipRequest,
  isSelf: (host: string, port: number | undefined) => boolean,
): boolean {
  return request.getAll('Via').some((text) => {
    try {
      const via = Via.parse(text);
      return isSelf(via.host, via.port);
    } catch (error) {
      if (error instanceof ParseError) return false;
      throw error;
    }
  });
}
