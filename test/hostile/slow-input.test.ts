/** No text of a stranger makes a parser of ours slow: what is twice as long may take twice as long, and not four times. */
import t from 'tap';
import { parsers } from './parsers.js';

/** What an unanchored or nested repetition goes wrong on. */
const UNITS = [
  ...[
    '"',
    '\\"',
    '"\\',
    '<',
    '>',
    '<>',
    ';',
    '; ',
    ';a',
    ';a=b',
    ',',
    ', ',
    ' ',
    '\t',
    'a',
    'a ',
    ' a',
    '1',
    '1 ',
  ],
  ...[
    '[',
    ']',
    '{',
    '}',
    '${',
    '$${',
    '${x}',
    '(',
    '%',
    '%41',
    '&',
    '&a',
    '|',
    '/',
    ':',
    '::',
    '@',
    '.',
    '.a',
    '-',
  ],
  ...[
    '\r\n ',
    '\r\n',
    '\n',
    '\r',
    '\0',
    'a:\r\n',
    'm=audio 1 RTP/AVP 0\r\n',
    "'",
    "='",
    '#',
    '?',
    '=',
    '*',
    'é',
  ],
];
/** A parser that takes the square of this needs a second and more; one that is linear, a few milliseconds. */
const LONGEST = 64_000;
const MOST_MS = 800;
const TRIES = 4;

/** The best of a few tries, ms: what others do on the machine makes one slow, and not all. */
function best(run: () => unknown, throws: readonly (abstract new (...values: never[]) => Error)[]): number {
  let least = Infinity;
  for (let round = 0; round < TRIES && least > MOST_MS; round += 1) {
    const start = performance.now();
    try {
      run();
    } catch (error) {
      if (!throws.some((kind) => error instanceof kind)) throw error;
    }
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

for (const { name, read, throws = [], forms, longest = LONGEST } of parsers) {
  t.test(name, async (t) => {
    const slow: string[] = [];
    for (const form of forms) {
      for (const unit of UNITS) {
        const times = Math.floor(longest / unit.length / (form.split('*').length - 1 || 1));
        const text = form.replaceAll('*', () => unit.repeat(times));
        const ms = best(() => read(text), throws);
        if (ms > MOST_MS)
          slow.push(
            `${JSON.stringify(form.slice(0, 200))} with ${JSON.stringify(unit)}: ${ms.toFixed(0)} ms`,
          );
      }
    }
    t.same(slow, []);
  });
}
