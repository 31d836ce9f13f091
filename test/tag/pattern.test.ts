/** How the tag finds a number in text, and writes another in its place: whatever is around it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import t from 'tap';

interface Pattern {
  readonly tail: RegExp;
  replace(this: void, text: string, number: string, display: string, isLink?: boolean): string | undefined;
}
interface Module {
  readonly patternOf: (country: string, national: string) => Pattern;
  readonly dialled: (printed: string) => readonly string[];
}

// The tag's code is no part of this project's build: it is bundled as for pages.
const folder = await mkdtemp(join(tmpdir(), 'tagswitch-pattern-'));
t.teardown(() => rm(folder, { recursive: true }));
const outfile = join(folder, 'pattern.mjs');
await build({ entryPoints: ['tag/pattern.ts'], bundle: true, format: 'esm', outfile, logLevel: 'error' });
const { patternOf, dialled } = (await import(pathToFileURL(outfile).href)) as Module;

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
t.comment(`SEED=${seed}`);
const check = (property: fc.IRawProperty<unknown>) => fc.assert(property, { seed, numRuns: 2_000 });

const digits = (length: number, first = '23456789') =>
  fc
    .tuple(
      fc.constantFrom(...first),
      fc.array(fc.constantFrom(...'0123456789'), { minLength: length - 1, maxLength: length - 1 }),
    )
    .map(([one, more]) => one + more.join(''));

/** A number of ten digits, the other one of its country, and what may stand between its groups. */
const number = digits(10);
const between = fc.constantFrom(
  '-',
  '.',
  ' ',
  ' - ',
  '\u00a0',
  '\u2011',
  '\u2013',
  '\u00b7',
  '\u00ad',
  '\u200b',
  ' / ',
  '',
);
const prefix = fc.constantFrom('', '+1 ', '+1', '+1-', '1-', '1 ', '(+1) ', '001 ', '011 1 ');
/** What may stand before and after a number that is to be found. */
const before = fc.constantFrom(
  '',
  'Call ',
  'Tel.',
  'T: ',
  'Tel: ',
  'Phone:\u00a0',
  '(',
  '[',
  '\u00bb',
  'caf\u00e9 ',
  'a, ',
  '24/7: ',
);
const after = fc.constantFrom('', ' today', '.', ', or', ')', ' x12', ' ext. 7', '!', '\n', ' \u2013 free');

const written = fc.tuple(number, between, prefix).map(([national, gap, lead]) => ({
  national,
  text: lead + [national.slice(0, 3), national.slice(3, 6), national.slice(6)].join(gap),
}));

t.test('another number and back again gives the same text, of the same length', async () => {
  check(
    fc.property(before, written, after, number, (start, { national, text }, end, other) => {
      fc.pre(other !== national);
      const whole = start + text + end;
      const there = patternOf('+1', national).replace(whole, `+1${other}`, 'of another form');
      if (there === undefined) throw new Error(`not found: ${whole}`);
      if (there.length !== whole.length) throw new Error(`another length: ${there}`);
      if (!there.replace(/\D/g, '').includes(other)) throw new Error(`not shown: ${there}`);
      return patternOf('+1', other).replace(there, `+1${national}`, '') === whole;
    }),
  );
});

t.test(
  'a number of another form stands in its place as it is written, and the text around it stays',
  async () => {
    check(
      fc.property(before, written, after, (start, { national, text }, end) => {
        const shown = patternOf('+1', national).replace(start + text + end, '+441632960100', '01632 960100');
        return shown === `${start}01632 960100${end}`;
      }),
    );
  },
);

t.test('text without the number is no text with it', async () => {
  const noise = fc.stringMatching(/^[\w\s.,:;()+/$%@#-]{0,80}$/);
  check(
    fc.property(noise, number, (text, national) => {
      fc.pre(!text.replace(/\W|_/g, '').includes(national));
      // Letters are digits too on a keypad.
      fc.pre(!/[a-z]{3}/i.test(text));
      return patternOf('+1', national).replace(text, '+12025550100', '(202) 555-0100') === undefined;
    }),
  );
});

t.test('what is around it does not change', async () => {
  const two = fc.integer({ min: 10, max: 99 });
  const thing = fc.oneof(
    fc.tuple(fc.integer({ min: 1900, max: 2100 }), two, two).map((parts) => parts.join('-')),
    fc.tuple(two, two).map((parts) => parts.join(':')),
    fc.double({ min: 0, max: 1e7, noNaN: true }).map((price) => `$${price.toFixed(2)}`),
    fc.integer({ min: 0, max: 1e9 }).map((many) => many.toLocaleString('en-US')),
    fc.double({ min: -180, max: 180, noNaN: true }).map((degrees) => degrees.toFixed(5)),
    number.map((national) => `+44 ${national}`),
    digits(16).map((card) => card.replace(/(\d{4})(?=\d)/g, '$1 ')),
  );
  check(
    fc.property(
      fc.array(thing, { maxLength: 4 }),
      written,
      fc.array(thing, { maxLength: 4 }),
      (left, { national, text }, right) => {
        const around = [...left, ...right].join('; ');
        fc.pre(!around.replace(/\D/g, '').includes(national));
        const frame = (middle: string) => `${[...left, middle, ...right].join('; ')}.`;
        const shown = patternOf('+1', national).replace(frame(text), '+12025550100', '(202) 555-0100');
        if (shown === undefined) throw new Error(`not found: ${frame(text)}`);
        return [...left, ...right].every((one) => shown.includes(one)) && shown.length === frame(text).length;
      },
    ),
  );
});

t.test('longer numbers, and those of other countries, are others', async () => {
  check(
    fc.property(number, digits(1), digits(2), between, (national, one, code, gap) => {
      const pattern = patternOf('+1', national);
      const groups = [national.slice(0, 3), national.slice(3, 6), national.slice(6)].join(gap);
      const others = [
        `${one}${groups}`,
        `${groups}${one}`,
        `+${code} ${groups}`,
        `00${code} ${groups}`,
        `$${groups}`,
        `id=${groups}`,
      ];
      return others.every((text) => pattern.replace(text, '+12025550100', '(202) 555-0100') === undefined);
    }),
  );
});

t.test('every text with the number has its tail', async () => {
  check(fc.property(written, ({ national, text }) => patternOf('+1', national).tail.test(text)));
});

t.test('a number that was lost in its own form: letters, links', async (t) => {
  const pattern = patternOf('+1', '2025550199');
  const { replace } = pattern;
  t.equal(replace('1-202-JKL-01WX', '+12025550199', ''), '1-202-JKL-01WX', 'its own number changes nothing');
  t.equal(replace('1-202-JKL-01WX', '+12025550100', ''), '1-202-555-0100', 'letters become digits');
  t.equal(replace('1-202-JKL-01WXYZ', '+12025550100', ''), undefined, 'a word that is longer');
  t.equal(
    replace('tel:202-555-0199;ext=5', '+12025550100', '', true),
    'tel:+12025550100;ext=5',
    'a link dials',
  );
  t.equal(replace('Tel:202-555-0199', '+12025550100', ''), 'Tel:202-555-0100', 'text is read');
  t.equal(replace('tel:202-555-0199;ext=5', '+441632960100', 'x', true), 'tel:+441632960100;ext=5');
});

t.test('a decimal fraction is no number, though all zeros', async (t) => {
  for (const last of ['0199', '0000']) {
    const { replace } = patternOf('+1', `202555${last}`);
    t.equal(replace(`202555.${last}`, '+12025550100', ''), undefined);
    t.equal(replace(`+1202555.${last}`, '+12025550100', ''), '+1202555.0100', 'with a plus it is one');
  }
});

t.test('how long a country code is', async (t) => {
  t.strictSame(dialled('+1 2025550199').slice(1), ['+1', '2025550199']);
  t.strictSame(dialled('+353 15550199').slice(1), ['+353', '15550199']);
  t.strictSame(dialled('+12025550199').slice(1), ['+1', '2025550199'], 'guessed');
  t.strictSame(dialled(''), []);
});
