import { execFileSync } from 'node:child_process';
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate in PEM with its key. */
export interface Certified {
  readonly name: string;
  readonly pem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
}

export interface CertificateWishes {
  readonly issuer?: Certified;
  readonly ca?: boolean;
  readonly curve?: string;
  /** When it ends, days from now; in the past for one that has ended. */
  readonly days?: number;
  /** Lines of an extension section. */
  readonly more?: readonly string[];
}

/** Makes certificates by openssl in a folder of its own. */
export class Signers {
  readonly folder = mkdtempSync(join(tmpdir(), 'tagswitch-stir-'));

  make(
    name: string,
    { issuer, ca = false, curve = 'P-256', days = 30, more = [] }: CertificateWishes,
  ): Certified {
    const file = (end: string): string => join(this.folder, `${name}.${end}`);
    const run = (...argv: string[]): void => void execFileSync('openssl', argv, { stdio: 'pipe' });
    run('genpkey', '-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`, '-out', file('key'));
    const basic = ca ? 'basicConstraints=critical,CA:TRUE' : 'basicConstraints=CA:FALSE';
    writeFileSync(file('ext'), [basic, ...more, ''].join('\n'));
    run('req', '-new', '-key', file('key'), '-subj', `/CN=${name}`, '-out', file('csr'));
    const by =
      issuer === undefined
        ? ['-signkey', file('key')]
        : ['-CA', join(this.folder, `${issuer.name}.pem`), '-CAkey', join(this.folder, `${issuer.name}.key`)];
    const serial = String(Math.floor(Math.random() * 1e9));
    run(
      ...['x509', '-req', '-in', file('csr'), ...by, '-set_serial', serial, '-days', String(days)],
      ...['-extfile', file('ext'), '-out', file('pem')],
    );
    const keyPem = readFileSync(file('key'), 'utf8');
    return { name, pem: readFileSync(file('pem'), 'utf8'), key: createPrivateKey(keyPem), keyPem };
  }
}

export interface Claims {
  readonly header?: object;
  readonly payload?: object;
  readonly parameters?: string;
  readonly compact?: boolean;
}

/** An Identity header of `signer`, whose certificate is at `x5u`. */
export function identityBy(
  signer: Certified,
  { x5u, orig, dest, iat }: { x5u: string; orig: string; dest: string; iat: number },
  { header, payload, parameters = ';alg=ES256;ppt=shaken', compact = false }: Claims = {},
): string {
  const shaken = { alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u };
  const told = {
    attest: 'A',
    dest: { tn: [dest] },
    iat,
    orig: { tn: orig },
    origid: 'c0ffee00-0000-4000-8000-000000000000',
  };
  const parts = [header ?? shaken, { ...told, ...payload }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  if (compact) {
    parts[0] = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'passport', x5u })).toString('base64url');
    parts[1] = Buffer.from(JSON.stringify({ dest: { tn: [dest] }, iat, orig: { tn: orig } })).toString(
      'base64url',
    );
  }
  const signed = parts.join('.');
  const signature = sign('sha256', Buffer.from(signed), { key: signer.key, dsaEncoding: 'ieee-p1363' });
  return `${compact ? '.' : signed}.${signature.toString('base64url')};info=<${x5u}>${parameters}`;
}
