import { accountOfKey } from './access.js';
import { parseTime, TIME_WORDS } from './call-query.js';
import type { HttpParts } from './ports.js';
import { badValue, type Fault } from './problems.js';
import { askerOf, type Http } from './server-type.js';

const KNOWN = ['by', 'from', 'to'] as const;
const NAME_MAX = 64;

interface Credit {
  /** null for calls of sets without that parameter. */
  readonly value: string | null;
  readonly calls: number;
  readonly answered: number;
}

/** `GET /v1/reports/credits?by=publisher`: calls by the value of a parameter of whatever held their numbers. */
export function reportRoutes(http: Http, parts: HttpParts): void {
  http.get<{ Querystring: Record<string, unknown> }>('/v1/reports/credits', async (request) => {
    const account = accountOfKey(parts.directory(), askerOf(request));
    const asked = readQuery(request.query);
    if (Array.isArray(asked)) throw badValue(asked);
    const { by, ...span } = asked;
    const credits = new Map<string | null, Credit>();
    for (const { parameters, calls, answered } of await parts.callLog.credits(account.id, span)) {
      const value = valueOf(parameters, by);
      const known = credits.get(value) ?? { value, calls: 0, answered: 0 };
      credits.set(value, { value, calls: known.calls + calls, answered: known.answered + answered });
    }
    const items = [...credits.values()].sort(
      (one, other) => other.calls - one.calls || ((one.value ?? '') < (other.value ?? '') ? -1 : 1),
    );
    return { by, items };
  });
}

function readQuery(
  query: Readonly<Record<string, unknown>>,
): { by: string; from?: number; to?: number } | Fault[] {
  const faults: Fault[] = [];
  const fault = (field: string, expected: string) => void faults.push({ field, expected });
  for (const name of Object.keys(query)) {
    if (!(KNOWN as readonly string[]).includes(name)) fault(name.slice(0, 64), `one of ${KNOWN.join(', ')}`);
  }
  const { by } = query;
  if (typeof by !== 'string' || by === '' || by.length > NAME_MAX)
    fault('by', 'the name of a parameter, such as publisher');
  const time = (name: 'from' | 'to'): number | undefined => {
    const value = query[name];
    if (value === undefined) return undefined;
    const at = typeof value === 'string' ? parseTime(value) : undefined;
    if (at === undefined) fault(name, TIME_WORDS);
    return at;
  };
  const from = time('from');
  const to = time('to');
  if (from !== undefined && to !== undefined && from >= to) fault('to', 'a time after from');
  if (faults.length > 0 || typeof by !== 'string') return faults;
  return { by, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/** The parameters were JSON of names and texts when they came in by our door. */
function valueOf(parameters: string, name: string): string | null {
  const values: unknown = JSON.parse(parameters);
  if (typeof values !== 'object' || values === null || !Object.hasOwn(values, name)) return null;
  const value = (values as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : JSON.stringify(value);
}
