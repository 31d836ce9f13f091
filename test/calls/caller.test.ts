import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { hashCaller, openCaller, sealCaller } from '../../src/calls/caller.js';

const NUMBER = '+12025550143';
const key = randomBytes(32);

t.test('sealed and opened', async (t) => {
  const sealed = sealCaller(NUMBER, key);
  t.equal(openCaller(sealed, key), NUMBER);
  t.not(sealCaller(NUMBER, key), sealed, 'equal numbers do not look equal');
  t.notMatch(sealed, '2025550143');
  t.equal(openCaller(sealed, randomBytes(32)), undefined, 'another key');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => Buffer.from(text).toString() === text),
      (text) => openCaller(sealCaller(text, key), key) === text,
    ),
    { numRuns: 100 },
  );
});

t.test('altered', async (t) => {
  const sealed = sealCaller(NUMBER, key);
  for (let i = 0; i < sealed.length; i += 1) {
    const other = sealed[i] === 'A' ? 'B' : 'A';
    if (openCaller(sealed.slice(0, i) + other + sealed.slice(i + 1), key) !== undefined)
      t.fail(`character ${i} may be altered`);
    if (openCaller(sealed.slice(0, i), key) !== undefined) t.fail(`it may be cut at ${i}`);
  }
  for (const text of ['', 'c1', 'c1.', 'c2.AAAA', `${sealed}.x`, `${sealed}=`, `${sealed}A`])
    t.equal(openCaller(text, key), undefined, text.slice(0, 8));
});

t.test('hashed', async (t) => {
  t.equal(hashCaller(NUMBER, key), hashCaller(NUMBER, key));
  t.not(hashCaller(NUMBER, key), hashCaller('+12025550144', key));
  t.not(hashCaller(NUMBER, key), hashCaller(NUMBER, randomBytes(32)));
  t.throws(() => hashCaller(NUMBER, Buffer.alloc(15)), { code: 'weakCallerKey' });
  t.throws(() => sealCaller(NUMBER, new Uint8Array()), { code: 'weakCallerKey' });
});
