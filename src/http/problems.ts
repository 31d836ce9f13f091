/**
 * Every error that the HTTP interface answers with (RFC 9457, `application/problem+json`). A code never changes its
 * meaning and is never used again for another; `docs/reference/errors.md` lists the same table for readers.
 */
export const problems = {
  badJson: { status: 400, title: 'The body is not JSON in UTF-8' },
  badRequest: { status: 400, title: 'The request is not HTTP as this server reads it' },
  badValue: { status: 400, title: 'Some values are missing or malformed' },
  keyMissing: { status: 401, title: 'An API key is needed: Authorization: Bearer KEY' },
  keyUnknown: { status: 401, title: 'This API key is not known, or may not be used from this address' },
  originNotListed: { status: 403, title: 'This origin is none of the site' },
  notSameOrigin: { status: 403, title: 'Only a page of this server itself may ask for this' },
  tagAltered: { status: 403, title: 'The tag was made for another site or endpoint' },
  notFound: { status: 404, title: 'There is nothing here' },
  callNotFound: { status: 404, title: 'There is no such call' },
  linkNotFound: { status: 404, title: 'There is no such link' },
  poolNotFound: { status: 404, title: 'There is no such pool' },
  numberNotFound: { status: 404, title: 'There is no such number' },
  methodNotAllowed: { status: 405, title: 'This address does not take this method' },
  requestTimeout: { status: 408, title: 'The request took too long to arrive' },
  linkEnded: { status: 410, title: 'The link has ended, or its number was given to another page' },
  bodyTooLarge: { status: 413, title: 'The body is too large' },
  uriTooLong: { status: 414, title: 'The address is too long' },
  mediaType: { status: 415, title: 'The body must be application/json or text/plain' },
  headersTooLarge: { status: 431, title: 'The header fields are too large' },
  internal: { status: 500, title: 'Something broke here' },
  notReady: { status: 503, title: 'A call would not succeed now' },
  storeDown: { status: 503, title: 'The store of links does not answer; try again' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** One faulty value: where it stands (`touch.source`), and what is expected there. The value itself is never repeated. */
export interface Fault {
  readonly field: string;
  readonly expected: string;
}

/** An expected failure: thrown by handlers, turned into a response in one place. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly extra: Readonly<Record<string, unknown>>;

  /** @param extra further members of the body, such as `errors` or `parts` */
  constructor(code: ProblemCode, extra: Readonly<Record<string, unknown>> = {}) {
    super(problems[code].title);
    this.code = code;
    this.status = problems[code].status;
    this.extra = extra;
  }
}

/** The 400 that names all faults at once. */
export function badValue(errors: readonly Fault[]): Problem {
  return new Problem('badValue', { errors });
}

/** The body of a problem response. `requestId` is also in the header `X-Request-Id` and in our log. */
export function problemBody(
  code: ProblemCode,
  requestId: string,
  extra: Readonly<Record<string, unknown>> = {},
) {
  const { status, title } = problems[code];
  return { type: `urn:tagswitch:problem:${code}`, title, status, code, requestId, ...extra };
}

/** One fault as the schema compiler reports it; the members that are read here. */
export interface SchemaFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly parentSchema?: unknown;
}

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
}

/**
 * Faults of the schema as fields and what is expected there, one a field. What is expected is the description in the
 * schema, so that it is written once.
 */
export function schemaFaults(found: readonly SchemaFault[]): Fault[] {
  const byField = new Map<string, string>();
  for (const fault of found) {
    if (fault.keyword === 'if') continue; // says only that what follows it was not so
    const schema = (fault.parentSchema ?? {}) as Described;
    const path = fault.instancePath.split('/').slice(1).map(unescapePointer);
    let expected = schema.description ?? 'another value';
    if (fault.keyword === 'required') {
      const name = String(fault.params['missingProperty']);
      path.push(name);
      expected = schema.properties?.[name]?.description ?? 'a value';
    } else if (fault.keyword === 'additionalProperties') {
      path.push(String(fault.params['additionalProperty']).slice(0, 64));
      expected = `one of ${Object.keys(schema.properties ?? {}).join(', ')}`;
    }
    const field = path.length > 0 ? path.join('.') : 'body';
    if (!byField.has(field)) byField.set(field, expected);
  }
  return [...byField].map(([field, expected]) => ({ field, expected }));
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
