import { StoreUnavailable } from '../numbers/ports.js';
import { DEFAULT_AIM, sizePool, type Sizing, type SizingAim } from '../numbers/sizing.js';
import { HOUR_MS } from '../numbers/traffic.js';
import { accountOfKey, poolOf } from './access.js';
import type { HttpParts } from './ports.js';
import { badValue, Problem, type Fault } from './problems.js';
import { askerOf, type Http } from './server-type.js';

const MOST_REUSE_MS = 30 * 24 * HOUR_MS;

/** `GET /v1/pools/{id}/sizing`: pool arithmetic from the pool's own recent traffic, for the account of the API key. */
export function sizingRoutes(http: Http, parts: HttpParts): void {
  http.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/v1/pools/:id/sizing',
    async (request) => {
      const account = accountOfKey(parts.directory(), askerOf(request));
      const pool = poolOf(account, request.params.id);
      const aim = readAim(request.query);
      try {
        const traffic = await parts.poolTraffic(account.id, pool.id);
        return { pool: pool.id, ...aim, ...view(sizePool(traffic, aim)) };
      } catch (error) {
        if (error instanceof StoreUnavailable) throw new Problem('storeDown');
        throw error;
      }
    },
  );
}

/** The query as what is aimed at. @throws Problem badValue with every fault in it */
function readAim(query: Readonly<Record<string, unknown>>): SizingAim {
  const faults: Fault[] = [];
  for (const name of Object.keys(query)) {
    if (!Object.hasOwn(DEFAULT_AIM, name))
      faults.push({ field: name.slice(0, 64), expected: 'one of target, reuseMs' });
  }
  const value = (name: keyof SizingAim, form: RegExp, most: number, expected: string): number => {
    const text = query[name];
    if (text === undefined) return DEFAULT_AIM[name];
    const given = typeof text === 'string' && form.test(text) ? Number(text) : 0;
    if (!(given > 0 && given <= most)) faults.push({ field: name, expected });
    return given;
  };
  const target = value('target', /^[01]?\.?\d{1,9}$/, 0.5, 'a share above 0 and up to 0.5, such as 0.01');
  const reuseMs = value(
    'reuseMs',
    /^\d{1,12}$/,
    MOST_REUSE_MS,
    `ms, a whole number from 1 to ${String(MOST_REUSE_MS)}`,
  );
  if (faults.length > 0) throw badValue(faults);
  return { target, reuseMs };
}

/** The sizing as the interface shows it: the hour as a time, what is counted with as many digits as mean something. */
function view({ hour, offered, utilisation, withoutNumber, wrongHolder, warnings, ...rest }: Sizing) {
  return {
    ...rest,
    arrivalsPerHour: rounded(rest.arrivalsPerHour),
    hour: hour === null ? null : new Date(hour * HOUR_MS).toISOString(),
    offered: rounded(offered),
    utilisation: rounded(utilisation),
    withoutNumber: {
      measured: roundedOrNull(withoutNumber.measured),
      erlangB: rounded(withoutNumber.erlangB),
    },
    wrongHolder: { expected: rounded(wrongHolder.expected), byGaps: roundedOrNull(wrongHolder.byGaps) },
    warnings: warnings.map((warning) => ({ ...warning, value: rounded(warning.value) })),
  };
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

function roundedOrNull(value: number | null): number | null {
  return value === null ? null : rounded(value);
}
