import type { Trunk } from '../directory/model.js';
import { headerValues } from './header-lines.js';
import type { IncomingRequest } from './requests.js';
import { verified, type Attested, type VerificationParts } from './stir/verification.js';
import { taken } from './stir/verstat.js';

/** What is known of the number of a trunk's caller: by its Identity header, by the carrier's word, or nothing. */
export class Attesting {
  readonly #parts: VerificationParts | undefined;

  /** Without parts nothing is verified: there are no anchors. */
  constructor(parts: VerificationParts | undefined) {
    this.#parts = parts;
  }

  /** `caller` and `number` in E.164, with or without `+`. */
  async of(
    request: Pick<IncomingRequest, 'raw' | 'header'>,
    trunk: Pick<Trunk, 'attestation'>,
    caller: string | undefined,
    number: string,
  ): Promise<Attested> {
    if (trunk.attestation === 'verstat') return taken((name) => request.header(name));
    if (trunk.attestation !== 'verify') return { attestation: 'none' };
    if (this.#parts === undefined) return { attestation: 'none', why: 'noAnchors' };
    const date = Date.parse(request.header('Date') ?? '');
    const message = {
      orig: caller?.replace('+', ''),
      dest: number.replace('+', ''),
      date: Number.isNaN(date) ? undefined : Math.floor(date / 1000),
    };
    return verified(headerValues(request.raw, 'identity', 'y'), message, this.#parts);
  }
}
