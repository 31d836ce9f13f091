import { Type, type Static } from 'typebox';
import { OwnId, SESSION, SessionId } from './ids.js';
import { Told } from './renewing.js';
import { PRINTABLE, Touch } from './touch.js';

const NAME = { minLength: 1, maxLength: 128 };

/** A set of values that holds a number instead of a session: publisher, placement, item. */
const Parameters = Type.Record(
  Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,31}$' }),
  Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: PRINTABLE,
    description: 'text of 1 to 128 characters, no control characters',
  }),
  {
    minProperties: 1,
    maxProperties: 8,
    additionalProperties: false,
    description: '1 to 8 values by name (a letter, then up to 31 letters, digits or _)',
  },
);

export const AllocationBody = Type.Object(
  {
    endpoint: Type.String({ ...NAME, description: 'the id or name of an endpoint' }),
    site: Type.String({ ...NAME, description: 'the id or name of a site' }),
    session: Type.Optional(SessionId),
    visitor: Type.Optional(OwnId),
    touch: Type.Optional(Touch),
    bucket: Type.Optional(OwnId),
    parameters: Type.Optional(Parameters),
    area: Type.Optional(
      Type.String({
        pattern: '^\\+[1-9][0-9]{0,9}$',
        description: 'where the visitor is, as the first digits of E.164, such as +1202',
      }),
    ),
    tag: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'the signature that POST /v1/tags gave' }),
    ),
    proof: Type.Optional(Type.String({ description: 'a token that the key of the site verifies' })),
    pass: Type.Optional(Type.String({ description: 'the pass that a confirmed link gave' })),
    link: Type.Optional(
      Type.String({ ...NAME, description: 'the link by which the page shows its number already' }),
    ),
    ...Told,
    consent: Type.Optional(
      Type.Literal('denied', { description: 'denied, where the visitor may not be recognised' }),
    ),
  },
  {
    additionalProperties: false,
    description: 'an object with endpoint, site, session',
    if: { not: { anyOf: [{ required: ['parameters'] }, { required: ['consent'] }] } },
    then: { required: ['session'], properties: { session: { description: SESSION.description } } },
  },
);
export type AllocationBody = Static<typeof AllocationBody>;

const Nullable = (type: 'string') => Type.Unsafe<string | null>({ type: [type, 'null'] });

/** What a page gets. Without a link: a number that others see too, level `overflow` or `none`. */
export const AllocationReply = Type.Object({
  link: Nullable('string'),
  number: Type.String(),
  display: Type.String(),
  level: Type.String(),
  until: Nullable('string'),
  holdMs: Type.Integer(),
  heartbeatMs: Type.Integer(),
  confirmMs: Type.Optional(Type.Integer()),
  pass: Type.Optional(Type.String()),
});
export type AllocationReply = Static<typeof AllocationReply>;

/** The parameters as one text for one set: names in one order. */
export function canonicalParameters(parameters: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))));
}
