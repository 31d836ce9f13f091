/** How a number stands in text, and what is written in its place. Pure: no page. */

/** What people put between two digits: blanks, brackets, dots, slashes, dashes of all kinds; not what makes two things of them. */
const BETWEEN = '[^\\w,;:+=\u00b0]{0,30}';
/** What may be written for a digit, by the digit: the letters of a keypad (ITU-T E.161). */
const LETTERS = ',,abc,def,ghi,jkl,mno,pqrs,tuv,wxyz'.split(',');
/** A link that dials. */
export const TEL = /^\s*tel:/i;
/** Before it: it is the rest of a longer number or word, a price, a reference, a number of another country. */
export const NOT_AFTER =
  /(?:[\w=&@%]|[#$\xa2-\xa5\u20a0-\u20cf]\s?|\d[-./,:]|(?:sbn|SBN)\W*|(?:\+|\b00)\d{1,3}[\s().-]*)$/;
/** After it: likewise, but for an extension. */
export const END = '(?!(?![Ee]?[Xx][Tt]?\\.?\\s?\\d)\\w|[@%]|[-./,:]\\d)';

/** Finds one number in text, in whatever way it is written. */
export interface Pattern {
  /** Its last four digits: what every text is looked through for. */
  readonly tail: RegExp;
  /**
   * `text` with another number (E.164) in the place of this one: in the form that it was written in, or, where the other one
   * has another length or country, in the form `display`. undefined where it is not written in `text`.
   */
  replace(this: void, text: string, number: string, display: string): string | undefined;
}

export function patternOf(country: string, national: string): Pattern {
  const digits = [...national].map((digit) => {
    const letters = LETTERS[+digit] as string;
    return `[${digit}${letters}${letters.toUpperCase()}]`;
  });
  const whole = new RegExp(
    `((?:[(+]+\\s?)?(?:\\b(?:(?:00|0?011)${BETWEEN})?${country.slice(1)}${BETWEEN})?(?:\\(?0\\)?${BETWEEN})?)(${digits.join(BETWEEN)})${END}`,
    'g',
  );
  return {
    tail: new RegExp(digits.slice(-4).join(BETWEEN)),
    replace(text, number, display) {
      let isFound: true | undefined;
      const made = text.replace(whole, (found: string, lead: string, written: string, at: number) => {
        const isOther =
          NOT_AFTER.test(text.slice(0, at)) ||
          // The same digits, grouped as no telephone number is: a decimal fraction, thousands, an ISBN.
          /^\d+\.\d+$/.test(found) ||
          // A country code before it is no digit of its own.
          /\W\d(?!\w)/.test(/\d/.test(lead) ? written : ' ' + written);
        if (isOther) return found;
        isFound = true;
        if (number === country + national) return found;
        const other = number.slice(country.length);
        let nth = 0;
        const form =
          number.startsWith(country) && other.length === national.length
            ? lead + written.replace(/\w/g, () => other.charAt(nth++))
            : (/^\((\(|[^)]*$)/.test(found) ? '(' : '') + display;
        return TEL.test(text) ? number : form;
      });
      return isFound && made;
    },
  };
}

/** `[, country code, rest]` of a number in E.164 with a blank between the two; without a blank the code is guessed. */
export function dialled(printed: string): readonly string[] {
  return /^(\+(?:1|\d+(?=\s)|\d\d))\s*(\d+)$/.exec(printed) ?? [];
}
