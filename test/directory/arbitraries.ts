import fc from 'fast-check';
import type {
  DeclaredAccount,
  DeclaredEndpoint,
  DeclaredPool,
  Declaration,
} from '../../src/directory/declaration.js';
import type { NumberRange } from '../../src/directory/model.js';

const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const block = fc.constantFrom(
  '127.0.0.0/8',
  '192.0.2.0/24',
  '192.0.2.7',
  '198.51.100.0/25',
  '2001:db8::/32',
  '2001:db8::7',
);
const names = (least: number) =>
  fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'Z', 'e-1'), { minLength: least, maxLength: 4 });

/** One account whose parts refer to each other by names that are there. Its numbers begin with `prefix`. */
function account(name: string, prefix: string): fc.Arbitrary<DeclaredAccount> {
  return fc
    .record({ trunks: names(0), endpoints: names(1), sites: names(0), pools: names(0), keys: names(0) })
    .chain((has) => {
      const one = (list: readonly string[]) => fc.option(fc.constantFrom(...list), { nil: undefined });
      const some = (list: readonly string[]) =>
        list.length === 0 ? fc.constant([]) : fc.subarray([...list]);
      const destination = fc.oneof(
        fc.constantFrom('sip:x@192.0.2.9:5060', 'sip:y@192.0.2.9:5060').map((to) => ({ to, trunks: [] })),
        some(has.trunks).map((trunks) => ({ to: '+442079460123', trunks })),
      );
      const ring = fc.array(
        fc.record({
          ringMs: fc.constantFrom(5000, 20_000),
          destinations: fc.uniqueArray(destination, { minLength: 1, maxLength: 3, selector: ({ to }) => to }),
        }),
        { minLength: 1, maxLength: 3 },
      );
      const optional = (key: string, list: readonly string[]) =>
        list.length === 0
          ? fc.constant({})
          : one(list).map((value) => (value === undefined ? {} : { [key]: value }));
      return fc.record({
        name: fc.constant(name),
        timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
        apiKeys: fc.tuple(
          ...has.keys.map((key) =>
            fc.record({ name: fc.constant(key), hash, addresses: fc.uniqueArray(block, { maxLength: 2 }) }),
          ),
        ),
        trunks: fc.tuple(
          ...has.trunks.map((trunk) =>
            fc.record({
              name: fc.constant(trunk),
              addresses: fc.uniqueArray(block, { maxLength: 3 }),
              transport: fc.constant('udp' as const),
            }),
          ),
        ),
        endpoints: fc.tuple(
          ...has.endpoints.map((endpoint): fc.Arbitrary<DeclaredEndpoint> =>
            fc.record({ name: fc.constant(endpoint), ring }),
          ),
        ),
        sites: fc.tuple(
          ...has.sites.map((site) =>
            fc.record({
              name: fc.constant(site),
              origins: fc.subarray(
                ['https://a.example.com', 'https://b.example.com', 'http://localhost:8080'],
                {
                  minLength: 1,
                },
              ),
              printedNumber: fc.constant('+12125550150'),
              endpoints: some(has.endpoints),
              holdMs: fc.constantFrom(300_000, 600_000),
              heartbeatMs: fc.constant(60_000),
            }),
          ),
        ),
        pools: fc.tuple(
          ...has.pools.map((pool, i): fc.Arbitrary<DeclaredPool> =>
            fc
              .tuple(
                optional('site', has.sites),
                optional('reservedEndpoint', has.endpoints),
                optional('defaultEndpoint', has.endpoints),
                optional('trunk', has.trunks),
                fc.subarray([0, 1, 2], { minLength: 1 }),
                fc.boolean(),
                fc.boolean(),
              )
              .map(([site, reserved, byDefault, trunk, blocks, paused, retired]) => {
                const part = (b: number, from: number, to: number): NumberRange => {
                  // Numbers of a pool's own, and some (the blocks of 2) that stand with whichever pool has them first.
                  const start = `${prefix}5550${b === 2 ? has.pools.length : i}${b}`;
                  return { first: `${start}${from}`, last: `${start}${to}` };
                };
                const own = blocks.filter((b) => b < 2 || i === has.pools.length - 1);
                const used = own.length === 0 ? [0] : own;
                return {
                  name: pool,
                  ...site,
                  ...reserved,
                  ...byDefault,
                  ...trunk,
                  numbers: used.map((b) => part(b, 0, 7)),
                  ...(paused ? { paused: used.map((b) => part(b, 1, 3)) } : {}),
                  ...(retired ? { retired: used.map((b) => part(b, 5, 6)) } : {}),
                };
              }),
          ),
        ),
      });
    });
}

/** A declaration of up to three accounts that a file might have held. */
export const declaration: fc.Arbitrary<Declaration> = fc
  .tuple(
    fc.option(account('demo', '+1202'), { nil: undefined }),
    fc.option(account('acme', '+1212'), { nil: undefined }),
    fc.option(account('zeta', '+1303'), { nil: undefined }),
  )
  .map((accounts) => ({ accounts: accounts.filter((one) => one !== undefined) }));

/** The same declaration with its lists in another order; what rings and which pool is tried, in which order, stays. */
export function shuffled({ accounts }: Declaration, seed: number): Declaration {
  const mixed = <T>(list: readonly T[]): T[] =>
    list
      .map((item, i) => ({ item, key: Math.imul(seed + i * 7919, 2654435761) >>> 0 }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  return {
    accounts: mixed(
      accounts.map((one) => ({
        ...one,
        apiKeys: mixed(one.apiKeys),
        endpoints: mixed(one.endpoints),
        sites: mixed(one.sites.map((site) => ({ ...site, endpoints: mixed(site.endpoints) }))),
        trunks: mixed(one.trunks),
      })),
    ),
  };
}
