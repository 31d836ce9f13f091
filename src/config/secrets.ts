import { hkdfSync, randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The fewest characters of a master secret: 128 bits even where somebody typed hex digits. */
export const SECRET_CHARACTERS = 32;

const FILE = 'secret';

/**
 * One key for each purpose, 32 bytes each: what leaks of one says nothing about another. The text is part of the
 * derivation: changing it makes everything that was signed or sealed with it unreadable.
 */
export interface Secrets {
  /** HMAC of leg tokens. */
  readonly legToken: Buffer;
  /** Encryption of callers' numbers. */
  readonly callerSeal: Buffer;
  /** Keyed hash of callers' numbers. */
  readonly callerHash: Buffer;
  /** What marks a test call as ours. */
  readonly testCall: Buffer;
  /** Signature of tags. */
  readonly tagSignature: Buffer;
  /** Passes of visitors who were confirmed. */
  readonly visitorPass: Buffer;
  /** Keyed hash of what sites call the persons who sign in. */
  readonly person: Buffer;
  /** What marks a link as minted by us. */
  readonly link: Buffer;
  /** What the standalone SIP server signs its Record-Route with. */
  readonly recordRoute: Buffer;
  /** Passwords of the standalone servers, 64 hex digits each. */
  readonly drachtio: string;
  readonly freeswitch: string;
}

/** Keys for all purposes of one master secret, by HKDF-SHA256 (RFC 5869). */
export function deriveSecrets(master: string): Secrets {
  const key = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', master, '', `tagswitch/v1/${purpose}`, 32));
  return Object.freeze({
    legToken: key('legToken'),
    callerSeal: key('callerSeal'),
    callerHash: key('callerHash'),
    testCall: key('testCall'),
    tagSignature: key('tagSignature'),
    visitorPass: key('visitorPass'),
    person: key('person'),
    link: key('link'),
    recordRoute: key('recordRoute'),
    drachtio: key('drachtio').toString('hex'),
    freeswitch: key('freeswitch').toString('hex'),
  });
}

/** The secret in the data folder cannot be used. The text names the file, never what is in it. */
export class SecretFault extends Error {
  readonly code = 'badSecretFile';
}

/**
 * The master secret of a data folder (which is made when it is not there): read from its file `secret`, mode 0600, or
 * made once. Processes that start at the same time get the same one.
 *
 * @throws SecretFault for a file that is too short to be one.
 */
export async function keptSecret(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, FILE);
  return (await readSecret(file)) ?? (await makeSecret(folder, file));
}

async function readSecret(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  if (text.length < SECRET_CHARACTERS) {
    throw new SecretFault(`${file}: expected a secret of at least ${SECRET_CHARACTERS} characters`);
  }
  // A copy of the folder may have opened it to others.
  if (((await stat(file)).mode & 0o077) !== 0) await chmod(file, 0o600);
  return text;
}

/**
 * Written whole under another name first: `link` then gives it its own, at once, and to one process alone. A reader
 * never sees half of it, and a crash leaves no empty one.
 */
async function makeSecret(folder: string, file: string): Promise<string> {
  const draft = join(folder, `.${FILE}-${randomBytes(8).toString('hex')}`);
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(32).toString('hex')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  const secret = await readSecret(file);
  if (secret === undefined) throw new SecretFault(`${file}: expected the file that was made a moment ago`);
  return secret;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
