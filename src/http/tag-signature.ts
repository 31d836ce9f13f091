import { createHmac, timingSafeEqual } from 'node:crypto';

/** The ids that a tag is bound to. */
export interface TagIds {
  readonly account: string;
  readonly site: string;
  readonly endpoint: string;
}

/**
 * What binds a tag to its ids: 128 bits of an HMAC-SHA-256, base64url. The same ids give the same signature for ever, so
 * that making a tag twice makes one tag.
 */
export function signTag(key: Uint8Array, ids: TagIds): string {
  return mac(key, ids).toString('base64url');
}

export function tagIsOurs(key: Uint8Array, ids: TagIds, signature: string): boolean {
  const given = Buffer.from(signature, 'base64url');
  const ours = mac(key, ids);
  return given.length === ours.length && timingSafeEqual(given, ours);
}

function mac(key: Uint8Array, ids: TagIds): Buffer {
  // Minted ids hold no line feed, so that the three parts cannot run into each other.
  return createHmac('sha256', key)
    .update(`tagswitch tag 1\n${ids.account}\n${ids.site}\n${ids.endpoint}`)
    .digest()
    .subarray(0, 16);
}
