import { replaceQuoted } from '../quoted-text.js';
import type { Attested } from './verification.js';

/**
 * What a carrier says that it verified: `verstat` in P-Asserted-Identity, else From (3GPP TS 24.229, 7.2A.20), with the level in
 * the parameter itself or in Attestation-Info or P-Attestation-Indicator. A number that passed without a level counts as C.
 */
export function taken(header: (name: string) => string | undefined): Attested {
  const told = [header('P-Asserted-Identity'), header('From')]
    // A name in quotes may hold anything.
    .map((value) => /;verstat=([A-Za-z-]{1,40})/i.exec(replaceQuoted(value ?? '', () => ''))?.[1])
    .find((word) => word !== undefined);
  const passed = /^TN-Validation-Passed(?:-([ABC]))?$/i.exec(told ?? '');
  if (passed === null)
    return /^TN-Validation-Failed/i.test(told ?? '')
      ? { attestation: 'failed', why: 'verstat' }
      : { attestation: 'none' };
  const level = passed[1] ?? (header('Attestation-Info') ?? header('P-Attestation-Indicator') ?? '').trim();
  const upper = level.toUpperCase();
  return { attestation: upper === 'A' || upper === 'B' ? upper : 'C' };
}
