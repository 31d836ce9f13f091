import { X509Certificate, type KeyObject } from 'node:crypto';
import { telephoneNumbers, type NumberList } from './tn-auth-list.js';

/** A signer's certificate whose chain leads to an anchor. */
export interface Signer {
  readonly key: KeyObject;
  /** When all certificates of the chain are valid: ms since the epoch, both included. */
  readonly from: number;
  readonly to: number;
  /** What its TNAuthList names (RFC 8226, 9); absent where it has none. */
  readonly numbers?: NumberList;
}

export type BadChain = 'chain' | 'curve';

/** Anchor, two intermediates and the signer are what is in use; a longer way is somebody's try. */
const LONGEST_CHAIN = 5;
const MOST_CERTIFICATES = 10;
const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,20000}-----END CERTIFICATE-----/g;

/** The certificates of a PEM text. Throws for one that holds none, or something that is no certificate. */
export function certificatesOf(pem: string): X509Certificate[] {
  const texts = pem.match(PEM) ?? [];
  if (texts.length === 0 || texts.length > MOST_CERTIFICATES)
    throw new RangeError('no chain of certificates');
  return texts.map((text) => new X509Certificate(text));
}

/**
 * Follows the chain of a PEM text, the signer's certificate first, to one of the anchors: each is issued and signed by the
 * next, which is a CA's. The anchors are trusted as they are. Validity is told, not checked, because a chain is kept.
 */
export function signerOf(pem: string, anchors: readonly X509Certificate[]): Signer | BadChain {
  let certificates: X509Certificate[];
  try {
    certificates = certificatesOf(pem);
  } catch {
    return 'chain'; // no certificate: that is the answer
  }
  const [leaf, ...others] = certificates;
  if (leaf === undefined || leaf.ca) return 'chain';
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey;
  if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') return 'curve';
  const chain = chainOf(leaf, others, anchors);
  if (chain === undefined) return 'chain';
  const numbers = telephoneNumbers(leaf.raw);
  if (numbers === 'malformed') return 'chain';
  return {
    key: leaf.publicKey,
    from: Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom))),
    to: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
    ...(numbers === undefined ? {} : { numbers }),
  };
}

function chainOf(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): X509Certificate[] | undefined {
  const chain = [leaf];
  let last = leaf;
  while (chain.length < LONGEST_CHAIN) {
    const anchor = anchors.find((one) => issued(one, last));
    if (anchor !== undefined) return [...chain, anchor];
    const next = others.find((one) => !chain.includes(one) && issued(one, last));
    if (next === undefined) return undefined;
    chain.push(next);
    last = next;
  }
  return undefined;
}

function issued(issuer: X509Certificate, one: X509Certificate): boolean {
  return issuer.ca && one.checkIssued(issuer) && one.verify(issuer.publicKey);
}
