import type { IncomingRequest } from './requests.js';
import { parseSipUri } from './sip-uri.js';

export interface SealedCaller {
  readonly caller?: string;
  readonly callerHash?: string;
}

/** How a caller's number is kept: sealed for the record, hashed for matching. */
export interface CallerSeals {
  seal(number: string): string;
  hash(number: string): string;
}

/** Who calls, as the trunk says it: the user part of From (RFC 3261, 8.1.1.3). */
export class CallerIdentity {
  readonly #seals: CallerSeals;

  constructor(seals: CallerSeals) {
    this.#seals = seals;
  }

  /** The number that the callee sees; undefined for an anonymous caller or one who is no number. */
  shown(request: Pick<IncomingRequest, 'header'>): string | undefined {
    const from = request.header('From') ?? '';
    const uri = parseSipUri(/<([^>]*)>/.exec(from)?.[1] ?? (from.split(';')[0] ?? '').trim());
    return uri !== undefined && /^\+?[0-9]{1,20}$/.test(uri.user) ? uri.user : undefined;
  }

  /** The same for the records; empty for an anonymous caller. */
  sealed(request: Pick<IncomingRequest, 'header'>): SealedCaller {
    const number = this.shown(request);
    return number === undefined
      ? {}
      : { caller: this.#seals.seal(number), callerHash: this.#seals.hash(number) };
  }
}
