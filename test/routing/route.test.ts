/** Where a call goes before anybody is rung: hours, rules, overflow, and who is drawn. */
import fc from 'fast-check';
import t from 'tap';
import type { Account, Destination, Endpoint, Hours } from '../../src/directory/model.js';
import { planCall } from '../../src/routing/plan.js';
import { overflowOf, routeCall, type Circumstances } from '../../src/routing/route.js';
import { isOpen } from '../../src/routing/schedule.js';

const at = (iso: string): number => Date.parse(iso);
const span = (from: string, to: string): { from: number; to: number } => {
  const minutes = (clock: string): number => {
    const [hour = 0, minute = 0] = clock.split(':').map(Number);
    return hour * 60 + minute;
  };
  return { from: minutes(from), to: minutes(to) };
};
const WORKDAYS = [1, 2, 3, 4, 5];

t.test('hours by the clock on the wall', async (t) => {
  const office: Hours = { open: [{ days: WORKDAYS, ...span('09:00', '17:30') }] };
  const zone = 'Europe/London';
  t.equal(isOpen(office, at('2026-06-01T08:00:00Z'), zone), true, 'nine in summer is eight in UTC');
  t.equal(isOpen(office, at('2026-06-01T07:59:59Z'), zone), false);
  t.equal(isOpen(office, at('2026-12-01T08:59:00Z'), zone), false, 'and nine in winter');
  t.equal(isOpen(office, at('2026-12-01T09:00:00Z'), zone), true);
  t.equal(isOpen(office, at('2026-12-01T17:29:59Z'), zone), true);
  t.equal(isOpen(office, at('2026-12-01T17:30:00Z'), zone), false, 'the end is no longer open');
  t.equal(isOpen(office, at('2026-12-05T12:00:00Z'), zone), false, 'a Saturday');
  t.equal(isOpen(office, at('2026-12-06T23:30:00Z'), 'Pacific/Auckland'), true, 'Monday is Sunday elsewhere');

  const night: Hours = { open: [{ days: [5], ...span('22:00', '02:00') }] };
  t.equal(isOpen(night, at('2026-12-04T23:00:00Z'), 'UTC'), true, 'Friday night');
  t.equal(isOpen(night, at('2026-12-05T01:59:00Z'), 'UTC'), true, 'goes on into Saturday');
  t.equal(isOpen(night, at('2026-12-05T02:00:00Z'), 'UTC'), false);
  t.equal(isOpen(night, at('2026-12-04T01:00:00Z'), 'UTC'), false, 'and does not begin the night before');
  t.equal(isOpen(night, at('2026-12-05T22:30:00Z'), 'UTC'), false);

  const always: Hours = { open: [{ days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: 1440 }] };
  fc.assert(
    fc.property(
      fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
      fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC'),
      (moment, timeZone) => {
        t.equal(isOpen(always, moment, timeZone), true, 'round the clock is round the clock');
        t.equal(isOpen({ open: [] }, moment, timeZone), false);
      },
    ),
  );
});

t.test('the nights in which the clock is changed', async (t) => {
  // Berlin: 2026-03-29 has no 02:30, 2026-10-25 has it twice.
  const early: Hours = { open: [{ days: [0], ...span('02:00', '03:00') }] };
  const zone = 'Europe/Berlin';
  const open = (from: string, to: string): number => {
    let minutes = 0;
    for (let now = at(from); now < at(to); now += 60_000) if (isOpen(early, now, zone)) minutes += 1;
    return minutes;
  };
  t.equal(open('2026-03-28T20:00:00Z', '2026-03-29T20:00:00Z'), 0, 'an hour that is left out is not open');
  t.equal(open('2026-10-24T20:00:00Z', '2026-10-25T20:00:00Z'), 120, 'one that comes twice is open twice');
  t.equal(open('2026-06-06T20:00:00Z', '2026-06-07T20:00:00Z'), 60);
});

t.test('around every change of clocks, as the offset from UTC says', async (t) => {
  const changes: [timeZone: string, change: string][] = [
    ['Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['Europe/Berlin', '2026-10-25T01:00:00Z'],
    ['America/New_York', '2026-03-08T07:00:00Z'],
    ['America/New_York', '2026-11-01T06:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
    ['Africa/Cairo', '2026-04-23T22:00:00Z'],
    ['America/Sao_Paulo', '2018-11-04T03:00:00Z'],
  ];
  const minute = fc.integer({ min: 0, max: 1439 });
  const hours = fc
    .tuple(fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }), minute, minute)
    .filter(([, from, to]) => from !== to)
    .map(([days, from, to]) => ({ days, from, to }));
  // Independent of the calendar: the offset alone is asked for, and the days before are looked through one by one.
  const offset = (moment: number, timeZone: string): number => {
    const text = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
      .formatToParts(moment)
      .find(({ type }) => type === 'timeZoneName')?.value;
    const [, sign = '', hour = '0', part = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(text ?? '') ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hour) * 60 + Number(part)) * 60_000;
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...changes),
      fc.integer({ min: -36 * 60, max: 36 * 60 }),
      fc.array(hours, { minLength: 1, maxLength: 3 }),
      ([timeZone, change], minutes, open) => {
        const moment = at(change) + minutes * 60_000;
        const wall = new Date(moment + offset(moment, timeZone));
        const midnight = Math.floor(wall.getTime() / 86_400_000) * 86_400_000;
        const expected = open.some(({ days, from, to }) =>
          [0, 1].some((ago) => {
            const begins = midnight - ago * 86_400_000;
            const opens = begins + from * 60_000;
            const closes = begins + (to > from ? to : to + 1440) * 60_000;
            const now = wall.getTime();
            return days.includes(new Date(begins).getUTCDay()) && now >= opens && now < closes;
          }),
        );
        t.equal(isOpen({ open }, moment, timeZone), expected, `${timeZone} ${wall.toISOString()}`);
      },
    ),
    { numRuns: 1000 },
  );
});

t.test('holidays', async (t) => {
  const hours: Hours = {
    open: [{ days: [0, 1, 2, 3, 4, 5, 6], ...span('08:00', '20:00') }],
    holidays: [{ day: '12-25' }, { day: '2026-12-24', ...span('09:00', '12:00') }],
  };
  t.equal(isOpen(hours, at('2026-12-25T10:00:00Z'), 'UTC'), false, 'closed, in every year');
  t.equal(isOpen(hours, at('2031-12-25T10:00:00Z'), 'UTC'), false);
  t.equal(isOpen(hours, at('2026-12-24T11:59:00Z'), 'UTC'), true, 'hours of its own');
  t.equal(isOpen(hours, at('2026-12-24T12:00:00Z'), 'UTC'), false);
  t.equal(isOpen(hours, at('2027-12-24T12:00:00Z'), 'UTC'), true, 'in that year alone');
  t.equal(isOpen(hours, at('2026-12-25T13:00:00Z'), 'Pacific/Honolulu'), false, 'where it is still the 25th');
  t.equal(isOpen(hours, at('2026-12-26T09:00:00Z'), 'Pacific/Honolulu'), false, 'and the night after');

  const bar: Hours = {
    open: [{ days: [0, 1, 2, 3, 4, 5, 6], ...span('20:00', '02:00') }],
    holidays: [{ day: '12-25' }, { day: '12-31', ...span('22:00', '05:00') }],
  };
  t.equal(isOpen(bar, at('2026-12-25T01:00:00Z'), 'UTC'), true, 'the night before goes on into the holiday');
  t.equal(isOpen(bar, at('2026-12-25T20:00:00Z'), 'UTC'), false);
  t.equal(isOpen(bar, at('2026-12-26T01:00:00Z'), 'UTC'), false, 'what does not begin does not go on');
  t.equal(isOpen(bar, at('2026-12-26T20:00:00Z'), 'UTC'), true);
  t.equal(isOpen(bar, at('2026-12-31T21:00:00Z'), 'UTC'), false);
  t.equal(isOpen(bar, at('2027-01-01T04:59:00Z'), 'UTC'), true, "a holiday's own hours go on past midnight");
  t.equal(isOpen(bar, at('2027-01-01T05:00:00Z'), 'UTC'), false);

  const split: Hours = {
    open: [],
    holidays: [
      { day: '12-24' },
      { day: '2026-12-24', ...span('09:00', '11:00') },
      { day: '2026-12-24', ...span('13:00', '15:00') },
    ],
  };
  const openAt = ['08:00', '10:00', '12:00', '14:00', '16:00'].map((clock) =>
    isOpen(split, at(`2026-12-24T${clock}:00Z`), 'UTC'),
  );
  t.same(
    openAt,
    [false, true, false, true, false],
    'several hours of one day, and this year before every year',
  );
  t.equal(isOpen(split, at('2027-12-24T10:00:00Z'), 'UTC'), false);
});

const destination = (serial: number, weight?: number): Destination => ({
  serial,
  to: `sip:agent${String(serial)}@192.0.2.1:5060`,
  trunks: [],
  ...(weight === undefined ? {} : { weight }),
});
const sipAlone = ({ to }: Destination): number[] => (to.startsWith('sip:') ? [0] : []);
const endpoint = (name: string, serial: number, more: Partial<Endpoint> = {}): Endpoint => ({
  id: `end_${name}`,
  name,
  ring: [{ ringMs: 20_000, destinations: [destination(serial)] }],
  ...more,
});
const account = (...endpoints: Endpoint[]): Account => ({
  id: 'acc_x',
  name: 'x',
  timeZone: 'UTC',
  apiKeys: [],
  sites: [],
  pools: [],
  trunks: [],
  endpoints,
});
const NOON = at('2026-12-01T12:00:00Z');
const circumstances = (more: Partial<Circumstances> = {}): Circumstances => ({
  at: NOON,
  caller: '+12125550123',
  attestation: 'none',
  ...more,
});
const names = (route: ReturnType<typeof routeCall>): string[] =>
  route.steps.map((step) => `${step.endpoint.slice(4)}:${step.because}`);
const CLOSED: Hours = { open: [] };

t.test('rules, hours and caps, in this order', async (t) => {
  const [sales, texas, desk] = [
    endpoint('sales', 1, {
      routes: [
        { areas: ['+1214', '+1469'], endpoint: 'end_texas' },
        { attestations: ['failed'], endpoint: 'end_desk' },
      ],
      overflow: 'end_desk',
    }),
    endpoint('texas', 2, { overflow: 'end_desk' }),
    endpoint('desk', 3),
  ];
  const all = account(sales, texas, desk);
  t.same(names(routeCall(all, sales, circumstances())), ['sales:number']);
  t.same(names(routeCall(all, sales, circumstances({ caller: '+14695550100' }))), [
    'sales:number',
    'texas:area',
  ]);
  t.same(names(routeCall(all, sales, circumstances({ caller: undefined }))), ['sales:number']);
  t.same(names(routeCall(all, sales, circumstances({ attestation: 'failed' }))), [
    'sales:number',
    'desk:attestation',
  ]);
  t.same(names(routeCall(all, sales, circumstances(), new Set(['end_sales']))), [
    'sales:number',
    'desk:full',
  ]);
  const both = routeCall(all, sales, circumstances(), new Set(['end_sales', 'end_desk']));
  t.equal('turnedAway' in both && both.turnedAway, 'full');

  const shut = { ...sales, hours: CLOSED };
  t.same(names(routeCall(account(shut, texas, desk), shut, circumstances())), [
    'sales:number',
    'desk:closed',
  ]);
  t.same(
    names(routeCall(account(shut, texas, desk), shut, circumstances({ caller: '+12145550100' }))),
    ['sales:number', 'texas:area'],
    'a rule leads past closed doors',
  );
  const alone = endpoint('alone', 4, { hours: CLOSED });
  const away = routeCall(account(alone), alone, circumstances());
  t.equal('turnedAway' in away && away.turnedAway, 'closed');
});

t.test('a circle of overflows ends where it would close', async (t) => {
  const [a, b] = [
    endpoint('a', 1, { hours: CLOSED, overflow: 'end_b' }),
    endpoint('b', 2, { hours: CLOSED, overflow: 'end_a', routes: [{ areas: ['+1'], endpoint: 'end_a' }] }),
  ];
  const route = routeCall(account(a, b), a, circumstances());
  t.equal('turnedAway' in route && route.turnedAway, 'closed');
  t.same(names(route), ['a:number', 'b:closed']);
  t.equal(
    overflowOf(account(a, b), a, NOON),
    undefined,
    'a closed overflow is not rung after nobody answered',
  );
  t.equal(overflowOf(account(a, endpoint('b', 2)), a, NOON)?.name, 'b');
  const behind = account(a, { ...b, overflow: 'end_c' }, endpoint('c', 3));
  t.equal(overflowOf(behind, a, NOON)?.name, 'c', 'a closed one passes it on, here too');
  t.equal(
    overflowOf(behind, a, NOON, new Set(['end_c'])),
    undefined,
    'one that is known to be full is not rung',
  );
});

t.test('the overflow is rung last, in what is left of the 170 s', async (t) => {
  const first = endpoint('first', 1, { ring: [{ ringMs: 160_000, destinations: [destination(1)] }] });
  const plan = planCall(first, sipAlone, { seed: 'x', overflow: endpoint('second', 2) });
  t.same(
    plan.rounds.map((groups) => groups.map(({ legs, ringMs }) => [legs[0]?.destination.serial, ringMs])),
    [
      [
        [1, 160_000],
        [2, 10_000],
      ],
    ],
  );
});

t.test('one of a group rings: by weight, the same for the same call', async (t) => {
  const group = [destination(1, 3), destination(2, 1), destination(3)];
  const drawn = (seed: string): number | undefined =>
    planCall(
      { ...endpoint('e', 0), ring: [{ ringMs: 20_000, rings: 'one', destinations: group }] },
      sipAlone,
      { seed },
    ).rounds[0]?.[0]?.legs.map(({ destination: { serial } }) => serial)[0];
  const counts = new Map<number | undefined, number>();
  for (let call = 0; call < 5000; call += 1) {
    const serial = drawn(`call_${String(call)}`);
    t.equal(drawn(`call_${String(call)}`), serial);
    counts.set(serial, (counts.get(serial) ?? 0) + 1);
  }
  // Of 5,000 draws a share of 3/5 has a standard deviation of 35, one of 1/5 of 28.
  t.ok(Math.abs((counts.get(1) ?? 0) - 3000) < 175, `three of five: ${String(counts.get(1))}`);
  t.ok(Math.abs((counts.get(2) ?? 0) - 1000) < 140, `one of five: ${String(counts.get(2))}`);
  t.equal(counts.get(undefined), undefined);
  const unreachable = planCall(
    {
      ...endpoint('e', 0),
      ring: [
        {
          ringMs: 20_000,
          rings: 'one',
          destinations: [
            { ...destination(1, 1000), to: '+12125550123', trunks: ['trk_gone'] },
            destination(2),
          ],
        },
      ],
    },
    sipAlone,
    { seed: 'x' },
  );
  t.equal(
    unreachable.rounds[0]?.[0]?.legs[0]?.destination.serial,
    2,
    'drawn among those that can be reached',
  );
});
