import type { Destination, Trunk } from '../directory/model.js';

/**
 * The SIP URI that a leg is sent to: the destination's own address, or its number at the trunk's gateway.
 * The transport is the carrier's on both sides (design, rule 5), so it is named only where it is not UDP.
 */
export function targetUri(destination: Destination, trunk: Trunk | undefined): string | undefined {
  if (destination.to.startsWith('sip:')) return destination.to;
  if (trunk?.gateway === undefined) return undefined;
  const uri = `sip:${destination.to}@${trunk.gateway}`;
  return trunk.transport === 'udp' ? uri : `${uri};transport=${trunk.transport}`;
}
