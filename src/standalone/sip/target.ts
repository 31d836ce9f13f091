import type { SipRequest } from './message.js';
import { NameAddr } from './name-addr.js';
import { ParseError } from './parse-error.js';
import type { Target } from './flow.js';
import { SipUri } from './uri.js';

/**
 * The address that a URI names: its host and port (5060 when there is none), UDP unless it says `transport=tcp`.
 * @returns undefined for what these servers do not speak (sips, tls, ws, sctp).
 */
export function targetOf(uri: SipUri): Target | undefined {
  const proto = (uri.param('transport') || 'udp').toLowerCase();
  if (uri.scheme !== 'sip' || (proto !== 'udp' && proto !== 'tcp')) return undefined;
  return { proto, host: uri.host, port: uri.port ?? 5060 };
}

/**
 * Where a request goes next: its first Route, else its Request-URI (RFC 3261 section 8.1.2; loose routing only).
 * @returns undefined when that is no address these servers can reach.
 */
export function nextHop(request: SipRequest): Target | undefined {
  const route = request.getAll('Route')[0];
  try {
    return targetOf(route === undefined ? request.sipUri() : NameAddr.parse(route).sipUri());
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
