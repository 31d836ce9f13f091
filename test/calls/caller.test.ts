import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { hashCaller, openCaller, sealCaller } from '../../src/calls/caller.js';
import { mintId } from '../../src/ids.js';
import { randomBytesOf } from '../../src/random.js';

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

t.test('ids are unlike each other, and those of calls stand in the order of time', async (t) => {
  const began = Date.now();
  const calls = Array.from({ length: 20_000 }, () => mintId('call'));
  const links = Array.from({ length: 20_000 }, () => mintId('lnk'));
  const tookMs = Date.now() - began;
  for (const ids of [calls, links]) {
    t.equal(new Set(ids).size, ids.length, 'no two are alike');
    t.ok(ids.every((id) => /^(call|lnk)_[0-9a-hjkmnp-tv-z]{16}$/.test(id)));
  }
  // Four characters are 20 bits of time: 1.6 s.
  const starts = (ids: readonly string[]) =>
    new Set(ids.map((id) => id.slice(id.indexOf('_') + 1).slice(0, 4)));
  t.ok(starts(calls).size <= 2 + tookMs / 1600, 'calls of one moment stand side by side');
  t.ok(starts(links).size > 15_000, 'nothing else tells its time');
});

t.test('random bytes are given out once', async (t) => {
  const given = Array.from({ length: 2_000 }, (_, i) => randomBytesOf(8 + (i % 9)).toString('hex'));
  t.equal(new Set(given.map((bytes) => bytes.slice(0, 16))).size, given.length, 'also where one pool ends');
  t.ok(given.every((bytes, i) => bytes.length === 2 * (8 + (i % 9))));
  const kept = randomBytesOf(16);
  const before = kept.toString('hex');
  for (let i = 0; i < 600; i += 1) randomBytesOf(16);
  t.equal(kept.toString('hex'), before, 'and nobody writes into them');
  t.equal(randomBytesOf(4096).length, 4096);
  t.throws(() => randomBytesOf(4097), RangeError);
});
