import { createHmac, timingSafeEqual } from 'node:crypto';

/** How long somebody who was confirmed counts as known. */
export const PASS_MS = 30 * 86_400_000;

/** Whom a pass is for: a visitor, as his browser calls him, on one site. */
export interface PassHolder {
  readonly site: string;
  readonly visitor: string;
}

/**
 * What a visitor gets who was there longer than a moment, and shows the next time: `END.MAC`, the end in seconds since the
 * epoch (base 36) and 128 bits of an HMAC-SHA-256 over it and the holder. @param end ms since the epoch
 */
export function makePass(key: Uint8Array, holder: PassHolder, end: number): string {
  const until = Math.floor(end / 1000).toString(36);
  return `${until}.${mac(key, holder, until).toString('base64url')}`;
}

/** Whether we made the pass for this holder, and it has not ended. @param now ms since the epoch */
export function passIsGood(key: Uint8Array, holder: PassHolder, pass: string, now: number): boolean {
  const parts = /^([0-9a-z]{1,9})\.([\w-]{22})$/.exec(pass);
  if (parts === null) return false;
  const [, until = '', signature = ''] = parts;
  const given = Buffer.from(signature, 'base64url');
  const ours = mac(key, holder, until);
  return (
    given.length === ours.length && timingSafeEqual(given, ours) && Number.parseInt(until, 36) * 1000 > now
  );
}

function mac(key: Uint8Array, { site, visitor }: PassHolder, until: string): Buffer {
  // None of the three holds a line feed, so that they cannot run into each other.
  return createHmac('sha256', key)
    .update(`tagswitch pass 1\n${site}\n${visitor}\n${until}`)
    .digest()
    .subarray(0, 16);
}
