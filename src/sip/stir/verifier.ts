import { readFileSync } from 'node:fs';
import { SettingsFault, type Settings } from '../../config/settings.js';
import { certificatesOf } from './certificate-chain.js';
import { fetchText, isAllowed } from './certificate-fetch.js';
import { Certificates } from './certificates.js';
import type { VerificationParts } from './verification.js';

/**
 * How Identity headers are verified by these settings; undefined where there are no anchors.
 *
 * @throws SettingsFault for a file that holds no certificates.
 */
export function verificationBy(
  { stir }: Pick<Settings, 'stir'>,
  now: () => number,
): VerificationParts | undefined {
  if (stir === undefined) return undefined;
  const hosts = new Set(stir.hosts);
  const certificates = new Certificates({ anchors: anchorsIn(stir.anchors), fetch: fetchText, now });
  return {
    isAllowed: (url) => isAllowed(url, hosts),
    certificate: (url) => certificates.of(url, stir.waitMs),
    now,
  };
}

function anchorsIn(file: string) {
  try {
    return certificatesOf(readFileSync(file, 'latin1'));
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    throw new SettingsFault([`TAGSWITCH_STIR_ANCHORS: expected a file of certificates in PEM (${why})`]);
  }
}
