/** What carriers, drachtio-server and media nodes speak with each other: one of these for all (design, rule 5). */
export type Transport = 'udp' | 'tcp' | 'tls';

export const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls'];

/** What a SIP URI says of its transport: UDP is what is meant where nothing is said (RFC 3261, 19.1.2). */
export function transportParameter(transport: Transport): string {
  return transport === 'udp' ? '' : `;transport=${transport}`;
}

/** Of a SIP URI in our own form, where the parameter stands last. */
export function transportOf(uri: string): Transport {
  const named = /;transport=([a-z]+)$/.exec(uri)?.[1];
  return TRANSPORTS.find((one) => one === named) ?? 'udp';
}

/** The port where none is given (RFC 3261, 19.1.2). */
export function defaultPortOf(transport: Transport): number {
  return transport === 'tls' ? 5061 : 5060;
}
