/**
 * How a number stands in text, and what is written in its place. Pure: no page. A regular expression takes a tenth of a
 * millisecond in a page that has just begun, twice where it is used twice: there are as few as can be.
 */

/** What people put between two digits: blanks, brackets, dots, slashes, dashes of all kinds; not what makes two things of them. */
const BETWEEN = '[^\\w,;:+=\u00b0]{0,30}';
/** What may be written for a digit, by the digit: the letters of a keypad (ITU-T E.161). */
const LETTERS = ',,abc,def,ghi,jkl,mno,pqrs,tuv,wxyz'.split(',');
/** Before it: it is the rest of a longer number or word, a price, a reference, a number of another country. */
export const BEFORE =
  '(?:[\\w=&@%]|[#$\xa2-\xa5\u20a0-\u20cf]\\s?|\\d[-./,:]|(?:sbn|SBN)\\W*|(?:\\+|\\b00)\\d{1,3}[\\s().-]*)';
/** What is before it, a mark, and it: that, or a digit of it stands on its own, as in an ISBN. */
const OTHER = new RegExp(`${BEFORE}\0|\0[^]*\\W\\d(?!\\w)`);
/** After it: likewise, but for an extension. */
export const END = '(?!(?![Ee]?[Xx][Tt]?\\.?\\s?\\d)\\w|[@%]|[-./,:]\\d)';

/** Finds one number in text, in whatever way it is written. */
export interface Pattern {
  /** Its last four digits: what every text is looked through for. */
  readonly tail: RegExp;
  /**
   * `text` with another number (E.164) in the place of this one: in the form that it was written in, or, where the other one
   * has another length or country, in the form `display`; in a link that dials always in E.164. undefined where it is not
   * written in `text`.
   */
  replace(this: void, text: string, number: string, display: string, isLink?: boolean): string | undefined;
}

export function patternOf(country: string, national: string): Pattern {
  const digits = [...national].map((digit) => {
    const letters = LETTERS[+digit] as string;
    return `[${digit}${letters}${letters.toUpperCase()}]`;
  });
  const whole = new RegExp(
    `((?:[(+]+\\s?)?((?:\\b(?:(?:00|0?011)${BETWEEN})?${country.slice(1)}${BETWEEN})?(?:\\(?0\\)?${BETWEEN})?))(${digits.join(BETWEEN)})${END}`,
    'g',
  );
  return {
    tail: new RegExp(digits.slice(-4).join(BETWEEN)),
    replace(text, number, display, isLink) {
      let isFound: true | undefined;
      const made = text.replace(
        whole,
        (found: string, lead: string, code: string, written: string, at: number) => {
          // A decimal fraction, though all zeros, has the same digits. A country code before it is no digit of its own.
          if (+`0${found}1` % 1 || OTHER.test(text.slice(0, at) + (code ? '\0' : '\0 ') + written))
            return found;
          isFound = true;
          if (number === country + national) return found;
          if (isLink) return number;
          const other = number.slice(country.length);
          let nth = 0;
          return number.startsWith(country) && other.length === national.length
            ? lead + written.replace(/\w/g, () => other.charAt(nth++))
            : (/^\((\(|[^)]*$)/.test(found) ? '(' : '') + display;
        },
      );
      return isFound && made;
    },
  };
}

/** `[, country code, rest]` of a number in E.164 with a blank between the two; without a blank the code is guessed. */
export function dialled(printed: string): readonly string[] {
  return /^(\+(?:1|\d+(?=\s)|\d\d))\s*(\d+)$/.exec(printed) ?? [];
}
