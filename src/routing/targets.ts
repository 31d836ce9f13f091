import type { Destination, Trunk } from '../directory/model.js';
import { transportParameter } from '../directory/transport.js';
import { rewritten } from './number-format.js';

/**
 * The SIP URI that a leg is sent to: the destination's own address, or its number at the trunk's gateway.
 * A number is written as the trunk's rules say, its tech prefix before it. The transport is the carrier's on both sides (design, rule 5), so it is named only where it is not UDP.
 */
export function targetUri(destination: Destination, trunk: Trunk | undefined): string | undefined {
  if (destination.to.startsWith('sip:')) return destination.to;
  if (trunk?.gateway === undefined) return undefined;
  const number = `${trunk.techPrefix ?? ''}${rewritten(destination.to, trunk.outgoing)}`;
  // A user part has no bare `#` (RFC 3261, 25.1).
  const uri = `sip:${number.replaceAll('#', '%23')}@${trunk.gateway}`;
  return `${uri}${transportParameter(trunk.transport)}`;
}
