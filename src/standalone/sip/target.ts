import type { SipRequest } from './message.js';
import { NameAddr } from './name-addr.js';
import { ParseError } from './parse-error.js';
import type { Target } from './flow.js';
import { SipUri } from './uri.js';

/**
 * The address that a URI names: its host and port (5060 when there is none, 5061 for TLS), UDP unless it says otherwise.
 * @param secure whether TLS is spoken: the servers do not, a test's far end may
 * @returns undefined for what is not spoken here (ws, sctp; sips and tls unless `secure`)
 */
export function targetOf(uri: SipUri, secure = false): Target | undefined {
  const sips = uri.scheme === 'sips';
  const proto = (uri.param('transport') || (sips ? 'tls' : 'udp')).toLowerCase();
  // `sips:` with TCP is TLS over TCP (RFC 3261, 26.2.2).
  if (sips ? proto === 'tls' || proto === 'tcp' : proto === 'tls')
    return secure ? { proto: 'tls', host: uri.host, port: uri.port ?? 5061 } : undefined;
  if (uri.scheme !== 'sip' || (proto !== 'udp' && proto !== 'tcp')) return undefined;
  return { proto, host: uri.host, port: uri.port ?? 5060 };
}

/**
 * Where a request goes next: its first Route, else its Request-URI (RFC 3261 section 8.1.2; loose routing only).
 * @returns undefined when that is no address these servers can reach.
 */
export function nextHop(request: SipRequest, secure = false): Target | undefined {
  const route = request.getAll('Route')[0];
  try {
    return targetOf(route === undefined ? request.sipUri() : NameAddr.parse(route).sipUri(), secure);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
