import type { Account, Trunk } from '../directory/model.js';
import { legTokenOf } from '../routing/leg-token.js';
import { rewritten } from '../routing/number-format.js';
import type { CallDirectory, NodeChooser } from './ports.js';
import { dialledNumber, parseSipUri, type SipUri } from './sip-uri.js';

/** What an INVITE is, before anything is looked up or counted. */
export type Verdict =
  | { readonly kind: 'leg'; readonly token: string }
  | {
      readonly kind: 'call';
      readonly number: string;
      readonly uri: SipUri;
      readonly trunks: readonly TrunkOf[];
    }
  | {
      readonly kind: 'refused';
      readonly status: 400 | 403 | 404 | 416 | 482 | 483 | 484;
      readonly why: RefusedWhy;
    };

export interface TrunkOf {
  readonly account: Account;
  readonly trunk: Trunk;
}

export type RefusedWhy =
  | 'noTrunk'
  | 'forgedHeader'
  | 'legFromStranger'
  | 'nodeWithoutLeg'
  | 'requestUri'
  | 'number'
  | 'loop'
  | 'tooManyHops';

export interface Screened {
  readonly uri: string;
  readonly raw: string;
  readonly sourceAddress: string;
}

/**
 * Screening (design, "Two journeys" and rule 2): who sent it, by address alone; no forged headers; a number of proper
 * form. It touches neither Redis nor memory, so that a flood of refused calls costs nothing but their answers.
 */
export function screen(
  request: Screened,
  directory: Pick<CallDirectory, 'trunksByAddress' | 'numberOwner'>,
  nodes: Pick<NodeChooser, 'isNode'>,
  passedUs: (headers: string) => boolean,
): Verdict {
  const uri = parseSipUri(request.uri);
  const token = uri === undefined ? undefined : legTokenOf(uri.user);
  if (token !== undefined) {
    return nodes.isNode(request.sourceAddress) ? { kind: 'leg', token } : refuse(403, 'legFromStranger');
  }
  const trunks = directory.trunksByAddress(request.sourceAddress);
  if (trunks.length === 0) {
    return refuse(403, nodes.isNode(request.sourceAddress) ? 'nodeWithoutLeg' : 'noTrunk');
  }
  const headers = headersOf(request.raw);
  if (hasForgedHeader(headers)) return refuse(403, 'forgedHeader');
  // RFC 3261, 8.2.2.1: another scheme than ours is told apart from a URI that is none.
  if (uri === undefined) return refuse(/^sips?:/i.test(request.uri) ? 400 : 416, 'requestUri');
  // RFC 3261, 16.3: what may go no further, and what came round. FreeSWITCH would take either for a new call.
  if (NO_HOP_LEFT.test(headers)) return refuse(483, 'tooManyHops');
  if (passedUs(headers)) return refuse(482, 'loop');
  const read = trunks.flatMap((of) => {
    const number = dialledNumber(rewritten(uri.user, of.trunk.incoming));
    return number === undefined ? [] : [{ number, of }];
  });
  // One carrier may bring the calls of several accounts, who read its numbers each by rules of their own.
  const [first] = read;
  if (first === undefined) return refuse(uri.user === '' ? 484 : 404, 'number');
  const { number } =
    read.find((one) => directory.numberOwner(one.number)?.account.id === one.of.account.id) ?? first;
  const its = read.filter((one) => one.number === number).map(({ of }) => of);
  return { kind: 'call', number, uri, trunks: its };
}

/**
 * Whether a header of the raw text claims to be ours. A proxy cannot remove one, and the media node would believe it.
 * Every line break that some parser takes for one counts, and blanks before the colon do not hide a name.
 */
export function hasForgedHeader(raw: string): boolean {
  return FORGED.test(headersOf(raw));
}

/** The blanks are not those that end a line: a text of nothing else would take the square of its length. */
const FORGED = /^[^\S\r\n\u2028\u2029]*x-tagswitch/im;

const NO_HOP_LEFT = /^max-forwards[ \t]*:[ \t]*0+[ \t]*$/im;

/** Whether a request's headers hold a Via of ours: an INVITE of a carrier with one left by us before. `address` is host:port. */
export function viaOf(address: string): (headers: string) => boolean {
  const written = address.replace(/[.[\]]/g, '\\$&').replace(/:5060$/, '(?::5060)?');
  const ours = new RegExp(`^(?:via|v)[ \\t]*:.*[ \\t]${written}[ \\t]*(?:[;,]|$)`, 'im');
  return (headers) => ours.test(headers);
}

function headersOf(raw: string): string {
  return raw.slice(0, /\r?\n\r?\n/.exec(raw)?.index ?? raw.length);
}

function refuse(status: 400 | 403 | 404 | 416 | 482 | 483 | 484, why: RefusedWhy): Verdict {
  return { kind: 'refused', status, why };
}
