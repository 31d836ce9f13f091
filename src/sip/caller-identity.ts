import type { Trunk } from '../directory/model.js';
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

type Headers = Pick<IncomingRequest, 'header'>;
type Trust = Pick<Trunk, 'assertedIdentity'>;

/** Any of these asks that nobody be told who calls (RFC 3323, 4.2; `id`: RFC 3325, 9.3). */
const PRIVATE = /^(id|user|header)$/i;

/**
 * Who calls: the first number of P-Asserted-Identity (RFC 3325, 9.1) where the trunk is trusted to assert it, else the user
 * part of From (RFC 3261, 8.1.1.3). A caller who asks for privacy is nobody, to the callee and in the records.
 */
export class CallerIdentity {
  readonly #seals: CallerSeals;

  constructor(seals: CallerSeals) {
    this.#seals = seals;
  }

  /** The number that the callee sees; undefined for an anonymous caller or one who is no number. */
  shown(request: Headers, trunk: Trust): string | undefined {
    const wishes = (request.header('Privacy') ?? '').split(/[;,]/);
    if (wishes.some((wish) => PRIVATE.test(wish.trim()))) return undefined;
    const asserted = trunk.assertedIdentity === true ? request.header('P-Asserted-Identity') : undefined;
    return numberIn(asserted ?? '') ?? numberIn(request.header('From') ?? '');
  }

  /** The same for the records; empty for an anonymous caller. */
  sealed(request: Headers, trunk: Trust): SealedCaller {
    const number = this.shown(request, trunk);
    return number === undefined
      ? {}
      : { caller: this.#seals.seal(number), callerHash: this.#seals.hash(number) };
  }
}

/** The first number in a list of addresses: `"Name" <sip:+1...@h>, <tel:+1-...>`, or one without angle brackets. */
function numberIn(value: string): string | undefined {
  // A name in quotes may hold commas and brackets of its own.
  const addresses = value.replace(/"(?:[^"\\]|\\.)*"/g, '').split(',');
  for (const address of addresses) {
    const uri = /<([^>]*)>/.exec(address)?.[1] ?? (address.split(';')[0] ?? '').trim();
    const user = telNumber(uri) ?? parseSipUri(uri)?.user;
    if (user !== undefined && /^\+?[0-9]{1,20}$/.test(user)) return user;
  }
  return undefined;
}

/** The digits of a tel URI, without its visual separators (RFC 3966, 5.1.1). */
function telNumber(uri: string): string | undefined {
  return /^tel:([^;?]*)/i.exec(uri)?.[1]?.replace(/[-.()]/g, '');
}
