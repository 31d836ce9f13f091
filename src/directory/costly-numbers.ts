import { parsePhoneNumberFromString, type NumberType } from 'libphonenumber-js/max';

/** Numbers whose calls cost the one who places them many times what a call costs. */
const COSTLY_TYPES: ReadonlySet<NumberType> = new Set([
  'PREMIUM_RATE',
  'SHARED_COST',
  'PERSONAL_NUMBER',
  'UAN',
]);

/**
 * Ranges that no metadata tell apart, or not for every number in them: satellite systems (870, 881), international networks
 * (882, 883), universal international premium numbers (979, 808), and premium codes of national plans.
 */
const COSTLY_PREFIXES = [
  '+870',
  '+881',
  '+882',
  '+883',
  '+979',
  '+808',
  '+1900',
  '+1976',
  '+49900',
  '+4470',
  '+449',
];

/** Why a call to `number` (E.164) may cost a fortune; undefined where nothing says so. */
export function costly(number: string): string | undefined {
  const prefix = COSTLY_PREFIXES.find((one) => number.startsWith(one));
  if (prefix !== undefined) return `numbers of ${prefix} are satellite or premium-rate numbers`;
  const type = parsePhoneNumberFromString(number)?.getType();
  return type !== undefined && COSTLY_TYPES.has(type)
    ? 'it is a premium-rate, shared-cost or personal number'
    : undefined;
}
