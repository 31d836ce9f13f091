/** Why text that looks like a telephone number was left as it is. Pure: no page. */
import { BEFORE, dialled, END, patternOf, type Pattern } from './pattern.js';

/** In words, for who made the page. */
export const reasons = {
  off: 'opted out: data-tagswitch-off',
  head: 'inside <head>',
  script: 'inside <script>',
  style: 'inside <style>',
  textarea: 'inside <textarea>: what people type is theirs',
  select: 'inside <select>',
  editable: 'inside contenteditable: what people type is theirs',
  attribute: 'an attribute, and nothing beside it shows the number; a rule can name it',
  shadow: 'in a shadow root that was not given to tagswitch.swap()',
  frame: 'a document of another origin cannot be seen; it needs the tag itself',
  spread: 'spread over elements with much other text; data-tagswitch on one element marks it',
  country: "another country's number",
  price: 'an amount, not a telephone number',
  reference: 'a reference or part of an address (# = & @ %)',
  isbn: 'an ISBN',
  date: 'a date',
  longer: 'part of a longer number or word',
  grouped: 'the right digits, grouped as no telephone number is',
  local: 'without its area code: it could be any town\u2019s',
  digits: 'other digits than the printed number',
  unknown: 'the printed number; not looked at yet, or written back by the page',
} as const;
export type Reason = keyof typeof reasons;

export interface Untouched {
  readonly written: string;
  readonly reason: Reason;
}

/** A digit of a number that was found, in a copy of the text that is as long. */
const FOUND = '\ue000';
const SEPARATOR = '[\\s().\\-/\\u2010-\\u2015]{0,3}';
const LIKE_A_NUMBER = new RegExp(`(?:\\+|\\(\\+?|\\b00)?\\d(?:${SEPARATOR}\\d){6,}`, 'g');
/** E.164 has 15 digits at most; what has more with its prefix is something else. */
const MOST_DIGITS = 18;
const DATE =
  /^(?:(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2(?:19|20)\d\d)(?!\d)/;
const AMOUNT = /^\d{1,3}(?:[. ]\d{3})+$/;
/** What comes after a number lets it end there. */
const ENDS = new RegExp(`^${END}`);
/** What comes before it makes it something else. */
const NOT_AFTER = new RegExp(`${BEFORE}$`);
const MONEY = '(?:\\p{Sc}|EUR|USD|GBP|CHF)';
const MONEY_BEFORE = new RegExp(`${MONEY}\\s?$`, 'u');
const MONEY_AFTER = new RegExp(`^\\s?${MONEY}`, 'u');

interface Printed {
  readonly country: string;
  readonly national: string;
  readonly pattern: Pattern;
}

/**
 * What `untouched` asks for each text of a page.
 * @param numbers the printed numbers, as the tag's attribute says them: `+1 2025550199`
 */
export function explainer(numbers: readonly string[]) {
  const printed = numbers.flatMap((number): Printed[] => {
    const [, country = '', national = ''] = dialled(number);
    return national ? [{ country, national, pattern: patternOf(country, national) }] : [];
  });

  /** The text with the digits of the printed numbers that the tag finds in it marked. */
  const marked = (text: string): string =>
    printed.reduce(
      (rest, { country, national, pattern }) =>
        // As long as the number, in the form that it is written in.
        pattern.replace(rest, country + FOUND.repeat(national.length), '') ?? rest,
      text,
    );

  return {
    /** Whether the tag would find a printed number here. */
    finds: (text: string): boolean => marked(text) !== text,
    /** Whether a part of a printed number that the tag finds in `text` lies between two places of it. */
    findsBetween: (text: string, start: number, end: number): boolean =>
      marked(text).slice(start, end).includes(FOUND),
    /** Whether the end of a printed number is written here, the rest perhaps elsewhere. */
    endsIn: (text: string): boolean => printed.some(({ pattern }) => pattern.tail.test(text)),
    /**
     * The numbers in `text` that the tag leaves alone.
     * @param inside why it does not look at this text at all; then only the printed numbers in it are named
     */
    untouched(text: string, inside?: Reason): Untouched[] {
      const masked = marked(text);
      if (inside) return foundIn(text, masked).map((written) => ({ written, reason: inside }));
      const all: Untouched[] = [];
      for (const { 0: written, index } of masked.matchAll(LIKE_A_NUMBER)) {
        if (written.replace(/\D/g, '').length > MOST_DIGITS) continue;
        const before = masked.slice(0, index);
        const after = masked.slice(index + written.length);
        all.push({ written: written.trim(), reason: reasonOf(written, before, after, printed) });
      }
      return all;
    },
  };
}

/** What was marked, with what leads to it. */
function foundIn(text: string, masked: string): string[] {
  const run = new RegExp(`(?:\\+?\\d{1,3}[\\s.-]*)?\\(?${FOUND}(?:[^\\w,;]{0,4}${FOUND})*`, 'g');
  return [...masked.matchAll(run)].map(({ 0: found, index }) => text.slice(index, index + found.length));
}

function reasonOf(written: string, before: string, after: string, printed: readonly Printed[]): Reason {
  // What is nearest to a printed number tells most.
  const near = printed.map((one) => nearness(written, before, after, one)).find((reason) => reason);
  if (near) return near;
  if (DATE.test(written)) return 'date';
  if (isMoney(before, after) || AMOUNT.test(written)) return 'price';
  if (/isbn\W*$/i.test(before)) return 'isbn';
  if (isForeign(written, printed)) return 'country';
  return 'digits';
}

/** Why it is not this printed number, where it has its digits; undefined for others. */
function nearness(
  written: string,
  before: string,
  after: string,
  { country, national, pattern }: Printed,
): Reason | undefined {
  const digits = written.replace(/\D/g, '');
  const bare = digits.replace(/^0+/, '');
  if (pattern.replace(written, country + national, '')) {
    if (isMoney(before, after)) return 'price';
    if (/isbn\W*$/i.test(before)) return 'isbn';
    if (/(?:#\s?|[=&@%])$/.test(before)) return 'reference';
    if (/(?:\+|\b00)\d{1,3}[\s().-]*$/.test(before)) return 'country';
    return NOT_AFTER.test(before) || !ENDS.test(after) ? 'longer' : 'unknown';
  }
  if (bare === national || bare === country.slice(1) + national) {
    if (NOT_AFTER.test(before) || !ENDS.test(after)) return 'longer';
    return 'grouped';
  }
  if (digits.includes(national)) return isForeign(written, [{ country }]) ? 'country' : 'longer';
  return national.endsWith(bare) && !DATE.test(written) ? 'local' : undefined;
}

/** Whether it says the code of a country that is none of the printed numbers'. */
function isForeign(written: string, printed: readonly { readonly country: string }[]): boolean {
  const code = /^\(?(?:\+|00)(\d.*)/.exec(written)?.[1]?.replace(/\D/g, '');
  return code !== undefined && !printed.some(({ country }) => code.startsWith(country.slice(1)));
}

function isMoney(before: string, after: string): boolean {
  return MONEY_BEFORE.test(before) || MONEY_AFTER.test(after);
}
