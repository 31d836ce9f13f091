import { createHmac } from 'node:crypto';

/**
 * The id of a person on a site: a keyed hash of what the site's server calls him, so that an e-mail address goes no further.
 * 22 characters of base64url.
 */
export function personOf(key: Uint8Array, site: string, subject: string): string {
  return createHmac('sha256', key)
    .update(`tagswitch person 1\n${site}\n${subject}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}
