import { changeParam, findParam, formatParams, parseParams, type Param } from './params.js';
import { ParseError } from './parse-error.js';
import { SipUri } from './uri.js';

/**
 * The value of From, To, Contact, Route or Record-Route: `"Name" <uri>;param=x` or `uri;param=x`
 * (RFC 3261 section 20.10: without brackets, parameters belong to the header). Immutable.
 *
 * @example
 * const to = NameAddr.parse('"Sales" <sip:+12025550100@192.0.2.7>');
 * to.sipUri().user;                            // '+12025550100'
 * to.withParam('tag', 'a1').toString();        // '"Sales" <sip:+12025550100@192.0.2.7>;tag=a1'
 */
export class NameAddr {
  /** As written, with its quotes; '' when there is none. */
  readonly display: string;
  /** The URI as text: it may have any scheme (`tel:`). */
  readonly uri: string;
  readonly params: readonly Param[];

  constructor(display: string, uri: string, params: readonly Param[] = []) {
    this.display = display;
    this.uri = uri;
    this.params = params;
  }

  /** @throws ParseError 400 */
  static parse(text: string): NameAddr {
    const value = text.trim();
    const open = openingBracket(value);
    if (open >= 0) {
      const close = value.indexOf('>', open);
      if (close < 0) throw new ParseError(400, 'Unclosed bracket in address');
      const tail = value.slice(close + 1).trim();
      if (tail !== '' && !tail.startsWith(';')) throw new ParseError(400, 'Text after address');
      return new NameAddr(
        value.slice(0, open).trim(),
        checked(value.slice(open + 1, close).trim()),
        parseParams(tail.slice(1)),
      );
    }
    const cut = value.search(/[;\s]/);
    const uri = cut < 0 ? value : value.slice(0, cut);
    // Section 20.10: a URI with one of these stands in brackets, or nobody knows what belongs to it.
    if (/[?,]/.test(uri)) throw new ParseError(400, 'Address without brackets');
    const tail = cut < 0 ? '' : value.slice(cut).trim();
    if (tail !== '' && !tail.startsWith(';')) throw new ParseError(400, 'Text after address');
    return new NameAddr('', checked(uri), parseParams(tail.slice(1)));
  }

  /** @throws ParseError 400 or 416 */
  sipUri(): SipUri {
    return SipUri.parse(this.uri);
  }

  /** The display name without quotes and escapes. */
  get displayName(): string {
    return this.display.startsWith('"') ? this.display.slice(1, -1).replace(/\\(.)/g, '$1') : this.display;
  }

  param(name: string): string | undefined {
    return findParam(this.params, name);
  }

  withParam(name: string, value: string): NameAddr {
    return new NameAddr(this.display, this.uri, changeParam(this.params, name, value));
  }

  withoutParam(name: string): NameAddr {
    return new NameAddr(this.display, this.uri, changeParam(this.params, name, null));
  }

  toString(): string {
    return `${this.display === '' ? '' : `${this.display} `}<${this.uri}>${formatParams(this.params)}`;
  }
}

/** The index of the `<` that opens the URI; quotes are jumped over. */
function openingBracket(value: string): number {
  if (!value.startsWith('"')) return value.indexOf('<');
  for (let i = 1; i < value.length; i++) {
    if (value[i] === '\\') i++;
    else if (value[i] === '"') {
      const open = value.indexOf('<', i);
      if (open < 0) throw new ParseError(400, 'Display name without address');
      return open;
    }
  }
  throw new ParseError(400, 'Unclosed quote in address');
}

function checked(uri: string): string {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/.test(uri)) throw new ParseError(400, 'Bad URI in address');
  return uri;
}
