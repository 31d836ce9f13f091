import { createHmac, timingSafeEqual } from 'node:crypto';

/** How long a test call may take from its token to its INVITE. */
const LIFE_S = 60;

/**
 * Marks a call as a test: whoever holds the switch's secret makes it, and the INVITE carries it as the request URI's
 * parameter `tagswitch-test`. `now` in seconds since the epoch.
 */
export function mintTestToken(number: string, key: Uint8Array, now: number): string {
  const expires = Math.floor(now) + LIFE_S;
  return `${expires.toString(36)}-${tag(number, expires, key)}`;
}

/** Whether `token` is one of ours for this number, and not too old. */
export function isTestToken(token: string, number: string, key: Uint8Array, now: number): boolean {
  const match = /^([0-9a-z]{1,8})-([0-9a-f]{32})$/.exec(token);
  const [, stamp = '', given = ''] = match ?? [];
  const expires = Number.parseInt(stamp, 36);
  if (match === null || expires < now || expires > now + LIFE_S) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(tag(number, expires, key)));
}

function tag(number: string, expires: number, key: Uint8Array): string {
  return createHmac('sha256', key)
    .update(`${number}|${String(expires)}`)
    .digest('hex')
    .slice(0, 32);
}
