import fc from 'fast-check';
import t from 'tap';
import type { Destination, Endpoint } from '../../src/directory/model.js';
import { mintId } from '../../src/ids.js';
import { HEADER_BYTES, planHeaders } from '../../src/media/dial-strings.js';
import { destinationOfToken, mintLegToken, readLegToken } from '../../src/routing/leg-token.js';
import { LONGEST_RING_MS, planCall, type PlanChoices } from '../../src/routing/plan.js';
import { targetUri } from '../../src/routing/targets.js';

const key = Buffer.alloc(32, 7);
/** Another process's: what `key` minted is not remembered for it. */
const sameKey = Buffer.from(key);
const NOW = 1_800_000_000;
const claims = { call: mintId('call'), leg: 3, trunk: 2, destination: 300, expires: NOW + 200 };

t.test('a leg token says what was put in, to whoever has the key', async (t) => {
  fc.assert(
    fc.property(
      fc.record({
        leg: fc.integer({ min: 0, max: 63 }),
        trunk: fc.nat(0xffffffff),
        destination: fc.nat(0xffffffff),
        life: fc.integer({ min: 0, max: 600 }),
        now: fc.integer({ min: 1_000_000, max: 4_000_000_000 }),
      }),
      ({ leg, trunk, destination, life, now }) => {
        const given = { call: mintId('call'), leg, trunk, destination, expires: now + life };
        const token = mintLegToken(given, key);
        t.same(readLegToken(token, sameKey, now), given);
        t.same(readLegToken(token, key, now), given, 'and to the process that minted it');
        t.equal(destinationOfToken(token), destination);
        t.ok(/^[A-Za-z0-9_-]{28,42}$/.test(token), 'the form that the dialplan takes');
      },
    ),
  );
});

t.test('a token that is altered, old, or of another switch is nobody’s', async (t) => {
  const token = mintLegToken(claims, key);
  t.equal(readLegToken(token, Buffer.alloc(32, 8), NOW), 'signature');
  for (const each of [key, sameKey]) {
    t.equal(readLegToken(token, each, NOW + 201), 'expired');
    // The low half of the clock comes round after 18 hours: the whole of it is signed.
    for (const off of [0x10000, -0x10000, 40_000, -40_000])
      t.equal(readLegToken(token, each, NOW + off), 'signature', String(off));
  }
  // More than are remembered.
  const many = Array.from({ length: 2_500 }, (_, destination) =>
    mintLegToken({ ...claims, destination }, key),
  );
  t.ok(
    many.every((one, destination) => {
      const read = readLegToken(one, key, NOW);
      return typeof read === 'object' && read.destination === destination;
    }),
  );
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09_-'), (at, character) => {
      fc.pre(token[at] !== character);
      const altered = token.slice(0, at) + character + token.slice(at + 1);
      // The last character holds bits that no byte takes: another one may mean the same bytes.
      fc.pre(!Buffer.from(altered, 'base64url').equals(Buffer.from(token, 'base64url')));
      t.type(readLegToken(altered, key, NOW), 'string');
    }),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      t.type(readLegToken(text, key, NOW), 'string');
    }),
  );
  t.throws(() => mintLegToken({ ...claims, call: 'call_x' }, key), RangeError);
  t.throws(() => mintLegToken({ ...claims, leg: 64 }, key), RangeError);
  t.throws(() => mintLegToken({ ...claims, destination: -1 }, key), RangeError);
});

const sip = (serial: number): Destination => ({
  serial,
  to: `sip:agent${String(serial)}@192.0.2.1:5060`,
  trunks: [],
});
const number = (serial: number, ...trunks: `trk_${string}`[]): Destination => ({
  serial,
  to: '+12025550123',
  trunks,
});
const endpoint = (...ring: { destinations: Destination[]; ringMs: number }[]): Endpoint => ({
  id: 'end_0000000000000000',
  name: 'e',
  ring,
});
const serials: Record<string, number> = { trk_a: 1, trk_b: 2, trk_c: 3, trk_d: 4 };
const serialOf = (id: string): number | undefined => serials[id];
const planOf = (of: Endpoint, serials: typeof serialOf, choices: Partial<PlanChoices> = {}) =>
  planCall(
    of,
    ({ to, trunks }) => (to.startsWith('sip:') ? [0] : trunks.flatMap((id) => serials(id) ?? [])),
    { seed: 'call', ...choices },
  );
const shape = (plan: ReturnType<typeof planCall>): unknown =>
  plan.rounds.map((groups) =>
    groups.map(({ legs }) =>
      legs.map(({ destination, trunk }) => `${String(destination.serial)}/${String(trunk)}`),
    ),
  );

t.test('the plan', async (t) => {
  t.same(
    shape(
      planOf(
        endpoint({ destinations: [sip(1), sip(2)], ringMs: 9000 }, { destinations: [sip(3)], ringMs: 9000 }),
        serialOf,
      ),
    ),
    [[['1/0', '2/0'], ['3/0']]],
    'groups one after the other, in a group together; an address of its own has one way',
  );
  t.same(
    shape(planOf(endpoint({ destinations: [sip(1), number(2, 'trk_a', 'trk_b')], ringMs: 9000 }), serialOf)),
    [[['1/0', '2/1']], [['2/2']]],
    'the second way out has the numbers alone, over their next trunk',
  );
  t.same(
    shape(planOf(endpoint({ destinations: [number(1, 'trk_gone', 'trk_b')], ringMs: 9000 }), serialOf)),
    [[['1/2']]],
    'a trunk that cannot be used is left out',
  );
  t.same(
    shape(planOf(endpoint({ destinations: [number(1, 'trk_gone')], ringMs: 9000 }), serialOf)),
    [],
    'no way out, no plan',
  );
  t.equal(
    planOf(
      endpoint({ destinations: [number(1, 'trk_a', 'trk_b', 'trk_c', 'trk_d')], ringMs: 9000 }),
      serialOf,
    ).rounds.length,
    3,
    'three ways out at the most',
  );

  fc.assert(
    fc.property(
      fc.array(
        fc.record({ ringMs: fc.integer({ min: 1000, max: 170_000 }), many: fc.integer({ min: 1, max: 6 }) }),
        { maxLength: 5 },
      ),
      (groups) => {
        let serial = 0;
        const plan = planOf(
          endpoint(
            ...groups.map(({ ringMs, many }) => ({
              ringMs,
              destinations: Array.from({ length: many }, () => sip((serial += 1))),
            })),
          ),
          serialOf,
        );
        for (const round of plan.rounds) {
          t.ok(
            round.reduce((sum, { ringMs }) => sum + ringMs, 0) <= LONGEST_RING_MS,
            'never longer than timer C allows',
          );
          t.ok(round.reduce((sum, { legs }) => sum + legs.length, 0) <= 16);
        }
        const legs = plan.rounds.flatMap((round) => round.flatMap(({ legs }) => legs.map(({ leg }) => leg)));
        t.equal(new Set(legs).size, legs.length, 'each leg has a number of its own');
      },
    ),
  );
});

t.test('the plan as headers', async (t) => {
  const context = {
    call: mintId('call'),
    account: mintId('acc'),
    switchAddress: '127.0.0.1:5060',
    caller: '+12025550123',
    token: ({ leg, trunk, destination }: { leg: number; trunk: number; destination: Destination }) =>
      mintLegToken({ call: claims.call, leg, trunk, destination: destination.serial, expires: NOW }, key),
  };
  const headersOf = (plan: ReturnType<typeof planCall>, more: object = {}) =>
    planHeaders(plan, { ...context, ...more });
  const bytes = (headers: Readonly<Record<string, string>>): number =>
    Object.entries(headers).reduce((sum, [name, value]) => sum + `${name}: ${value}\r\n`.length, 0);

  const three = headersOf(
    planOf(
      endpoint({ destinations: [sip(1), sip(2)], ringMs: 20_000 }, { destinations: [sip(3)], ringMs: 5400 }),
      serialOf,
    ),
  );
  t.match(
    three.headers['X-Tagswitch-Plan'],
    /^\[leg_timeout=20\]sofia\/tagswitch\/sip:leg\.[\w-]+@127\.0\.0\.1:5060,\[leg_timeout=20\][^|]+\|\[leg_timeout=5\]sofia[^,|]+$/,
  );
  t.ok(bytes(three.headers) <= 500, `three legs take ${String(bytes(three.headers))} bytes`);

  const ten = headersOf(
    planOf(
      endpoint({ destinations: Array.from({ length: 10 }, (_, at) => sip(at + 1)), ringMs: 20_000 }),
      serialOf,
    ),
  );
  t.equal(ten.left, 0, 'ten legs fit');
  t.ok(bytes(ten.headers) <= HEADER_BYTES, `in ${String(bytes(ten.headers))} bytes`);

  const far = headersOf(
    planOf(
      endpoint({ destinations: Array.from({ length: 16 }, (_, at) => sip(at + 1)), ringMs: 20_000 }),
      serialOf,
    ),
    { switchAddress: '198.51.100.200:15060' },
  );
  t.ok(far.left > 0, 'what does not fit is left out and told');
  t.ok(bytes(far.headers) <= HEADER_BYTES);
  t.match(far.headers['X-Tagswitch-Plan'], /@198\.51\.100\.200:15060$/, 'and no leg is cut in the middle');

  const written = (caller: string, leg: { leg: number }): string => (leg.leg === 1 ? '02025550123' : caller);
  const formats = headersOf(
    planOf(endpoint({ destinations: [sip(1), sip(2), sip(3)], ringMs: 20_000 }), serialOf),
    { written },
  );
  t.equal(formats.headers['X-Tagswitch-Caller'], '+12025550123', 'as most legs write it');
  t.match(
    formats.headers['X-Tagswitch-Plan'],
    /^\[leg_timeout=20\][^[]*,\[leg_timeout=20,origination_caller_id_number=02025550123\][^[]*,\[leg_timeout=20\][^[]*$/,
    'the one that does not says so',
  );
  t.equal(
    headersOf(planOf(endpoint({ destinations: [sip(1)], ringMs: 20_000 }), serialOf), { caller: undefined })
      .headers['X-Tagswitch-Caller'],
    'anonymous',
  );
  t.equal(
    headersOf(planOf(endpoint({ destinations: [sip(1)], ringMs: 20_000 }), serialOf), { caller: 'al"ice' })
      .headers['X-Tagswitch-Caller'],
    'anonymous',
    'only digits reach the dialplan',
  );
});

t.test('where a leg is sent', async (t) => {
  const trunk = {
    id: 'trk_a',
    name: 'a',
    serial: 1,
    addresses: [],
    gateway: 'carrier.example:5060',
    transport: 'udp',
  } as const;
  t.equal(targetUri(sip(1), undefined), 'sip:agent1@192.0.2.1:5060');
  t.equal(targetUri(number(1, 'trk_a'), trunk), 'sip:+12025550123@carrier.example:5060');
  t.equal(
    targetUri(number(1, 'trk_a'), { ...trunk, transport: 'tcp' }),
    'sip:+12025550123@carrier.example:5060;transport=tcp',
  );
  t.equal(targetUri(number(1, 'trk_a'), undefined), undefined, 'a number needs a trunk');
  t.equal(
    targetUri(number(1, 'trk_a'), { id: 'trk_b', name: 'b', serial: 2, addresses: [], transport: 'udp' }),
    undefined,
    'one that takes calls',
  );
});
