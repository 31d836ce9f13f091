import type { Trunk } from '../directory/model.js';
import { rewritten } from '../routing/number-format.js';
import { headerValues } from './header-lines.js';
import { closingQuote, replaceQuoted } from './quoted-text.js';
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

/** Whether a line may be Diversion or History-Info. */
const DIVERTED = /^(?:diversion|history-info)[ \t]*:/im;

type Headers = Pick<IncomingRequest, 'header'>;
type Trust = Pick<Trunk, 'assertedIdentity' | 'incoming'>;

/** Any of these asks that nobody be told who calls (RFC 3323, 4.2; `id`: RFC 3325, 9.3). */
const PRIVATE = /^(id|user|header)$/i;
/** What networks write in From for a caller who does not want to be known (RFC 3323, 4.1.1.3; 3GPP TS 29.163). */
const NOBODY = /^(anonymous|restricted|unavailable)$/i;

/**
 * Who calls: the first number of P-Asserted-Identity (RFC 3325, 9.1) where the trunk is trusted to assert it, else the user
 * part of From (RFC 3261, 8.1.1.3), as the trunk's rules for incoming numbers read it. A caller who asks for privacy is
 * nobody, to the callee and in the records: by a Privacy header, or by a From that names nobody.
 */
export class CallerIdentity {
  readonly #seals: CallerSeals;

  constructor(seals: CallerSeals) {
    this.#seals = seals;
  }

  /** The number that calls, whatever he wishes: for checking a signature of it and for nothing else. */
  number(request: Headers, trunk: Trust): string | undefined {
    const asserted = trunk.assertedIdentity === true ? request.header('P-Asserted-Identity') : undefined;
    return numberIn(asserted ?? '', trunk) ?? numberIn(request.header('From') ?? '', trunk);
  }

  /** The number that the callee sees; undefined for an anonymous caller or one who is no number. */
  shown(request: Headers, trunk: Trust): string | undefined {
    const wishes = (request.header('Privacy') ?? '').split(/[;,]/);
    if (wishes.some((wish) => PRIVATE.test(wish.trim()))) return undefined;
    if (isNobody(request.header('From') ?? '')) return undefined;
    return this.number(request, trunk);
  }

  /** The same for the records; empty for an anonymous caller. */
  sealed(request: Headers, trunk: Trust): SealedCaller {
    const number = this.shown(request, trunk);
    return number === undefined
      ? {}
      : { caller: this.#seals.seal(number), callerHash: this.#seals.hash(number) };
  }

  /** Who sent the call on to the number that was dialled, sealed; undefined where nobody did or he wishes not to be known. */
  diverting(request: Pick<IncomingRequest, 'raw'>, trunk: Trust): string | undefined {
    const number = divertingNumber(request.raw, trunk);
    return number === undefined ? undefined : this.#seals.seal(number);
  }
}

/**
 * The last one who diverted the call: the first Diversion (RFC 5806, 5.2), else the last but one entry of History-Info: the
 * last is where the call is now (RFC 7044, 7.2).
 */
function divertingNumber(raw: string, trunk: Trust): string | undefined {
  // Hardly any call has one: headers are not taken apart for nothing.
  if (!DIVERTED.test(raw)) return undefined;
  const [diversion] = addressesOf(headerValues(raw, 'diversion').join(','));
  if (diversion !== undefined)
    return /;\s*privacy\s*=\s*"?(full|name|uri)/i.test(diversion) && !/privacy\s*=\s*"?name/i.test(diversion)
      ? undefined
      : numberIn(diversion, trunk);
  const before = addressesOf(headerValues(raw, 'history-info').join(',')).at(-2);
  return before === undefined || /[?&]privacy=history/i.test(before) ? undefined : numberIn(before, trunk);
}

/** `"Anonymous" <sip:...>`, `<sip:anonymous@anonymous.invalid>`, with whatever parameters. */
function isNobody(from: string): boolean {
  if (NOBODY.test(displayName(from).trim())) return true;
  const uri = parseSipUri(uriOf(from));
  return (
    uri !== undefined && (NOBODY.test(uri.user) || /^anonymous$|(^|\.)anonymous\.invalid$/i.test(uri.host))
  );
}

/** The name before an address in brackets, without its quotes; empty where there is none. */
function displayName(from: string): string {
  const text = from.trimStart();
  if (text.startsWith('"')) {
    const close = closingQuote(text, 0);
    return close > 0 &&
      text
        .slice(close + 1)
        .trimStart()
        .startsWith('<')
      ? text.slice(1, close)
      : '';
  }
  const name = text.slice(0, Math.max(0, text.indexOf('<')));
  return name.includes('"') ? '' : name;
}

/** A list of addresses, each without its name: a name in quotes may hold commas and brackets of its own. */
function addressesOf(value: string): string[] {
  const plain = replaceQuoted(value, (quoted) => (quoted.includes(',') ? '' : quoted));
  return plain.split(',').filter((address) => address.trim() !== '');
}

/** The first number in a list of addresses: `"Name" <sip:+1...@h>, <tel:+1-...>`, or one without angle brackets. */
function numberIn(value: string, { incoming }: Trust): string | undefined {
  for (const address of addressesOf(value)) {
    const uri = uriOf(address);
    const user = telNumber(uri) ?? parseSipUri(uri)?.user;
    const number = user === undefined ? undefined : rewritten(user, incoming);
    if (number !== undefined && /^\+?[0-9]{1,20}$/.test(number)) return number;
  }
  return undefined;
}

function uriOf(address: string): string {
  const plain = replaceQuoted(address, () => '');
  const open = plain.indexOf('<');
  const close = open < 0 ? -1 : plain.indexOf('>', open);
  return close < 0 ? (plain.split(';', 1)[0] ?? '').trim() : plain.slice(open + 1, close);
}

/** The digits of a tel URI, without its visual separators (RFC 3966, 5.1.1). */
function telNumber(uri: string): string | undefined {
  return /^tel:([^;?]*)/i.exec(uri)?.[1]?.replace(/[-.()]/g, '');
}
