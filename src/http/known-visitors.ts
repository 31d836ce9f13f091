import type { Site } from '../directory/model.js';
import { passIsGood } from '../visitors/pass.js';
import { Proofs } from '../visitors/proofs.js';
import type { AllocationBody } from './allocation-body.js';
import type { HttpParts } from './ports.js';
import { badValue, type Fault } from './problems.js';

/** Whether somebody signed in or was confirmed before, and who it is where he signed in. */
export interface Known {
  readonly known: boolean;
  readonly person?: string;
}

const STRANGER: Known = { known: false };

/** What a request shows of its visitor: a proof of the site's server, a pass of ours. */
export class KnownVisitors {
  readonly #parts: HttpParts;
  readonly #proofs: Proofs;

  constructor(parts: HttpParts) {
    this.#parts = parts;
    this.#proofs = new Proofs(parts.personKey);
  }

  /**
   * A page with a bad proof or pass gets its number as a stranger does: it must not break. A server is told.
   * @throws Problem badValue
   */
  of(site: Site, { proof, pass, visitor }: AllocationBody, fromPage: boolean): Known {
    if (proof === undefined && pass === undefined) return STRANGER;
    const { metrics, passKey } = this.#parts;
    const now = this.#parts.now();
    const faults: Fault[] = [];
    const person = proof === undefined ? undefined : this.#proofs.person(site, proof, now);
    if (proof !== undefined) {
      metrics.visitorProofs.count(person === undefined ? 'badProof' : 'proof');
      if (person === undefined) faults.push({ field: 'proof', expected: PROOF });
    }
    let passed = false;
    if (pass !== undefined) {
      passed = visitor !== undefined && passIsGood(passKey, { site: site.id, visitor }, pass, now);
      metrics.visitorProofs.count(passed ? 'pass' : 'badPass');
      if (!passed)
        faults.push({ field: 'pass', expected: 'a pass of this site and visitor that has not ended' });
    }
    if (!fromPage && faults.length > 0) throw badValue(faults);
    if (person !== undefined) return { known: true, person };
    return passed ? { known: true } : STRANGER;
  }

  /** How somebody whom the site's server names is called by us. */
  personOf(site: Site, subject: string): string {
    return this.#proofs.personOf(site, subject);
  }
}

const PROOF =
  'a JWT of at most 1,024 bytes that the visitorKey of the site verifies, with sub, aud (the site) and exp within an hour';
