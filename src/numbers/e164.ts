import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** Whether `text` is a number in E.164 as we store it: `+`, a country code, 7 to 15 digits in all (ITU-T E.164, 6.2.1). */
export function isE164(text: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(text);
}

/** A written number around its last two digits: `(202) 555-01`, ``, ``. */
type Frame = readonly [before: string, between: string, after: string];

/**
 * Parsing costs 80 microseconds, more than the rest of an allocation. How a number is grouped is a matter of its length and
 * its first digits in every country's plan, so that a hundred neighbours are parsed once.
 */
const frames = new Map<string, Frame>();
const MAX_FRAMES = 10_000;
const LAST_TWO = /^([^]*)(\d)(\D*)(\d)(\D*)$/;

/**
 * A number as people of its country write it, `(202) 555-0100`, or with the country code, `+1 202 555 0100`.
 * Text that is no phone number comes back as it is.
 */
export function displayNumber(number: string, form: 'national' | 'international'): string {
  if (!isE164(number)) return written(number, form);
  const key = `${form}${number.length}${number.slice(0, -2)}`;
  let frame = frames.get(key);
  if (frame === undefined) {
    const text = written(number, form);
    const [, before = '', last = '', between = '', least = '', after = ''] = LAST_TWO.exec(text) ?? [];
    if (last + least !== number.slice(-2)) return text;
    frame = [before, between, after];
    if (frames.size >= MAX_FRAMES) frames.clear();
    frames.set(key, frame);
  }
  return `${frame[0]}${number.slice(-2, -1)}${frame[1]}${number.slice(-1)}${frame[2]}`;
}

function written(number: string, form: 'national' | 'international'): string {
  const parsed = parsePhoneNumberFromString(number);
  if (parsed === undefined) return number;
  return form === 'national' ? parsed.formatNational() : parsed.formatInternational();
}

/** A number with a blank after its country code, `+1 2025550100`: how a page's tag is told how long that code is. */
export function dialledForm(number: string): string {
  const code = parsePhoneNumberFromString(number)?.countryCallingCode ?? '';
  return code === '' ? number : `+${code} ${number.slice(1 + code.length)}`;
}
