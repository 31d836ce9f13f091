import { Type, type Static } from 'typebox';

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
    landingPage: text(1024),
    referrer: text(1024),
  },
  {
    additionalProperties: false,
    description: 'an object with source, medium, campaign, keyword, clickIds, landingPage, referrer',
  },
);
export type Touch = Static<typeof Touch>;

/** The touch as canonical JSON: members in one order, empty ones left out; undefined when nothing is left. */
export function canonicalTouch(touch: Touch | undefined): string | undefined {
  if (touch === undefined) return undefined;
  const clickIds = Object.entries(touch.clickIds ?? {}).filter(([, id]) => id !== '');
  clickIds.sort(([a], [b]) => (a < b ? -1 : 1));
  const members = {
    source: touch.source || undefined,
    medium: touch.medium || undefined,
    campaign: touch.campaign || undefined,
    keyword: touch.keyword || undefined,
    clickIds: clickIds.length > 0 ? Object.fromEntries(clickIds) : undefined,
    landingPage: touch.landingPage || undefined,
    referrer: touch.referrer || undefined,
  };
  const json = JSON.stringify(members);
  return json === '{}' ? undefined : json;
}
