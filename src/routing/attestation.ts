/**
 * What is known of a caller's number: signed by the network that it belongs to (A), by one that knows the caller (B), by one
 * that only took the call in (C); signed, and the signature does not hold (failed); not signed (none). RFC 8588, section 4.
 */
export const ATTESTATIONS = ['A', 'B', 'C', 'failed', 'none'] as const;
export type Attestation = (typeof ATTESTATIONS)[number];
