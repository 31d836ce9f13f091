import { Type, type Static } from 'typebox';
import { contactOf } from '../visitors/arrival.js';

/** Characters that end a line or a string somewhere further on (SIP, FreeSWITCH, logs) come no further than this. */
export const PRINTABLE = '^[^\\u0000-\\u001f\\u007f\\u2028\\u2029]*$';

const text = (most: number) =>
  Type.Optional(
    Type.String({
      maxLength: most,
      pattern: PRINTABLE,
      description: `text of at most ${most} characters, no control characters`,
    }),
  );

/** One marketing contact, as a page tells it. Bounded, so that a link and an event stay small. */
export const Touch = Type.Object(
  {
    source: text(256),
    medium: text(256),
    campaign: text(256),
    keyword: text(256),
    clickIds: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z0-9_]{0,31}$' }),
        Type.String({
          maxLength: 512,
          pattern: PRINTABLE,
          description: 'a click id of at most 512 characters',
        }),
        {
          maxProperties: 8,
          additionalProperties: false,
          description: 'at most 8 click ids by name, such as gclid',
        },
      ),
    ),
    query: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,31}$' }),
        Type.String({ maxLength: 512, description: 'a value of at most 512 characters' }),
        {
          maxProperties: 16,
          additionalProperties: false,
          description: 'at most 16 parameters of the page by name, such as utm_source and gclid',
        },
      ),
    ),
    landingPage: text(1024),
    referrer: text(1024),
  },
  {
    additionalProperties: false,
    description: 'an object with source, medium, campaign, keyword, clickIds, query, landingPage, referrer',
  },
);
export type Touch = Static<typeof Touch>;

/** Characters of one value that is read out of an address. */
const MOST = 256;

/**
 * The touch as canonical JSON: members in one order, empty ones left out; undefined when nothing is left.
 * @param ownOrigins of the site
 */
export function canonicalTouch(touch: Touch | undefined, ownOrigins: readonly string[]): string | undefined {
  if (touch === undefined) return undefined;
  const contact = contactOf(touch, ownOrigins);
  const clickIds = Object.entries(contact.clickIds ?? {})
    .map(([name, id]): [string, string] => [name, printable(id, 512)])
    .filter(([, id]) => id !== '')
    .slice(0, 8);
  clickIds.sort(([a], [b]) => (a < b ? -1 : 1));
  const value = (text: string | undefined) =>
    text === undefined ? undefined : printable(text, MOST) || undefined;
  const members = {
    source: value(contact.source),
    medium: value(contact.medium),
    campaign: value(contact.campaign),
    keyword: value(contact.keyword),
    clickIds: clickIds.length > 0 ? Object.fromEntries(clickIds) : undefined,
    landingPage: touch.landingPage || undefined,
    referrer: touch.referrer || undefined,
  };
  const json = JSON.stringify(members);
  return json === '{}' ? undefined : json;
}

/** What a browser made of an address may hold anything. */
function printable(text: string, most: number): string {
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, ' ').slice(0, most);
}
