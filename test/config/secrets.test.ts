import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { deriveSecrets, keptSecret, SecretFault } from '../../src/config/secrets.js';

const LEG_TOKEN = '9b1f2ddf3a4286c7016df525b721b5dbafd242a371ecd294980b125ef235f0ff';

t.test('keys of one master secret: one a purpose, the same each time', async (t) => {
  const secrets = deriveSecrets('m'.repeat(32));
  const texts = Object.values(secrets).map((key: Buffer | string) =>
    typeof key === 'string' ? key : key.toString('hex'),
  );
  t.equal(texts.length, 11);
  t.equal(new Set(texts).size, 11, 'no two purposes share a key');
  for (const text of texts) t.match(text, /^[0-9a-f]{64}$/);
  t.strictSame(deriveSecrets('m'.repeat(32)), secrets);
  t.notSame(deriveSecrets('n'.repeat(32)), secrets);
  // RFC 5869 by OpenSSL: openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:mmm... -kdfopt info:tagswitch/v1/legToken HKDF
  t.equal(secrets.legToken.toString('hex'), LEG_TOKEN, 'what was signed yesterday can be checked tomorrow');
});

t.test('the secret of a data folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tagswitch-secret-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const data = join(folder, 'a', 'data');
  const file = join(data, 'secret');

  const made = await Promise.all(Array.from({ length: 20 }, () => keptSecret(data)));
  t.equal(new Set(made).size, 1, 'twenty at once get the same');
  t.match(made[0], /^[0-9a-f]{64}$/);
  t.strictSame(await readdir(data), ['secret'], 'no draft is left');
  t.equal((await stat(file)).mode & 0o777, 0o600);
  t.equal((await stat(data)).mode & 0o777, 0o700);
  t.equal(await keptSecret(data), made[0], 'and so does the next start');

  await chmod(file, 0o644);
  t.equal(await keptSecret(data), made[0]);
  t.equal((await stat(file)).mode & 0o777, 0o600, 'closed again');

  await writeFile(file, 'short\n');
  const fault = await keptSecret(data).then(
    () => undefined,
    (error: unknown) => error,
  );
  t.ok(fault instanceof SecretFault);
  t.match(String(fault), /secret: expected a secret of at least 32 characters/);
  t.equal(await readFile(file, 'utf8'), 'short\n', 'never overwritten');
});
