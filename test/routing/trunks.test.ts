/** By which trunks calls leave, and which of them work. */
import fc from 'fast-check';
import t from 'tap';
import { costly } from '../../src/directory/costly-numbers.js';
import type { Account, Destination, Trunk } from '../../src/directory/model.js';
import { waysOut } from '../../src/routing/trunk-choice.js';
import { breakerAfter, isTrunkFailure, TrunkHealth } from '../../src/sip/trunk-health.js';
import { TrunkProbes } from '../../src/sip/trunk-probes.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';

const trunk = (name: string, serial: number, gateway: string | undefined = '192.0.2.1:5060'): Trunk => ({
  id: `trk_${name}`,
  name,
  serial,
  addresses: [],
  transport: 'udp',
  ...(gateway === undefined ? {} : { gateway }),
});
const account: Account = {
  id: 'acc_x',
  name: 'x',
  timeZone: 'UTC',
  apiKeys: [],
  sites: [],
  endpoints: [],
  pools: [],
  trunks: [
    trunk('a', 1),
    trunk('b', 2),
    trunk('c', 3),
    { ...trunk('in', 4), gateway: undefined } as unknown as Trunk,
  ],
  trunkGroups: [
    {
      name: 'carriers',
      trunks: [
        { trunk: 'trk_c', priority: 2, weight: 1 },
        { trunk: 'trk_a', priority: 1, weight: 3 },
        { trunk: 'trk_b', priority: 1, weight: 1 },
        { trunk: 'trk_in', priority: 0, weight: 1 },
      ],
    },
  ],
};
const to = (more: Partial<Destination>): Destination => ({
  serial: 7,
  to: '+12125550123',
  trunks: [],
  ...more,
});
const all = (): boolean => true;

t.test('a list in its order, a group by priority and weight', async (t) => {
  t.same(waysOut(account, 'x', all)(to({ to: 'sip:a@192.0.2.9:5060' })), [0]);
  t.same(waysOut(account, 'x', all)(to({ trunks: ['trk_b', 'trk_in', 'trk_gone', 'trk_a'] })), [2, 1]);
  const firsts = new Map<number | undefined, number>();
  for (let call = 0; call < 4000; call += 1) {
    const ways = waysOut(account, `call_${String(call)}`, all)(to({ group: 'carriers' }));
    t.same(
      waysOut(account, `call_${String(call)}`, all)(to({ group: 'carriers' })),
      ways,
      'one call, one order',
    );
    t.equal(ways.length, 3);
    t.equal(ways[2], 3, 'the higher priority last');
    firsts.set(ways[0], (firsts.get(ways[0]) ?? 0) + 1);
  }
  // A share of 3/4 of 4,000 has a standard deviation of 27.
  t.ok(Math.abs((firsts.get(1) ?? 0) - 3000) < 140, `three of four: ${String(firsts.get(1))}`);
  const legs = new Set(
    Array.from(
      { length: 40 },
      (_, serial) => waysOut(account, 'call', all)(to({ group: 'carriers', serial }))[0],
    ),
  );
  t.equal(legs.size, 2, 'each destination draws for itself');
});

t.test('what is out of order is left out, unless nothing else is left', async (t) => {
  const ways = (broken: number[]) =>
    waysOut(account, 'x', (serial) => !broken.includes(serial))(to({ trunks: ['trk_a', 'trk_b'] }));
  t.same(ways([1]), [2]);
  t.same(ways([2]), [1]);
  t.same(ways([1, 2]), [1, 2]);
});

t.test('the breaker', async (t) => {
  t.same(
    (['closed', 'open', 'trying'] as const).map((one) =>
      (['worked', 'failed', 'rested'] as const).map((sign) => breakerAfter(one, sign)),
    ),
    [
      ['closed', 'open', 'closed'],
      ['closed', 'open', 'trying'],
      ['closed', 'open', 'trying'],
    ],
  );
  for (const status of [0, 401, 407, 408, 500, 503, 504, 599]) t.ok(isTrunkFailure(status), String(status));
  for (const status of [200, 403, 404, 480, 486, 488, 600, 603])
    t.notOk(isTrunkFailure(status), String(status));

  let now = 0;
  const log = keepingLogger();
  const health = new TrunkHealth(() => now, log);
  t.ok(health.inOrder(1), 'nothing bad is known');
  health.heard(1, 503);
  health.heard(1, 503);
  health.heard(1, 486);
  health.heard(1, 0);
  health.heard(1, 408);
  health.heard(1, 487);
  t.ok(health.inOrder(1), 'not three in a row');
  health.heard(1, 500);
  t.notOk(health.inOrder(1));
  t.ok(health.inOrder(2), 'another one is another one');
  now += 14_999;
  t.notOk(health.inOrder(1));
  now += 1;
  t.ok(health.inOrder(1), 'it may show that it works');
  health.heard(1, 503);
  t.notOk(health.inOrder(1), 'once is enough now');
  now += 29_999;
  t.notOk(health.inOrder(1), 'and it rests for longer');
  now += 1;
  t.ok(health.inOrder(1));
  health.heard(1, 404);
  t.ok(health.inOrder(1), 'somebody is there');
  health.heard(1, 503);
  t.ok(health.inOrder(1), 'and it counts anew');
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 200, 408, 486, 487, 503), { maxLength: 40 }), (statuses) => {
      const one = new TrunkHealth(() => 0, log);
      let row = 0;
      let open = false;
      for (const status of statuses) {
        one.heard(9, status);
        if (status === 487) continue;
        row = isTrunkFailure(status) ? row + 1 : 0;
        open = row >= 3 || (open && row > 0);
        t.equal(one.inOrder(9), !open);
      }
    }),
  );
});

t.test('gateways are asked where that is wanted', async (t) => {
  const asked: string[] = [];
  const heard: [number, number][] = [];
  const probes = new TrunkProbes({
    trunks: () => [
      { ...trunk('a', 1, '192.0.2.1:5060'), probe: true },
      { ...trunk('b', 2, '192.0.2.2:5060'), probe: true, transport: 'tcp' },
      trunk('c', 3, '192.0.2.3:5060'),
    ],
    health: { heard: (serial, status) => void heard.push([serial, status]) },
    probe: async (uri) => {
      asked.push(uri);
      return uri.includes('192.0.2.1');
    },
    everyMs: 20,
  });
  t.teardown(() => {
    probes.close();
  });
  await until(() => heard.length >= 4);
  t.same(new Set(asked), new Set(['sip:192.0.2.1:5060', 'sip:192.0.2.2:5060;transport=tcp']));
  t.same(new Set(heard.map((one) => one.join(' '))), new Set(['1 200', '2 0']));
});

t.test('numbers that cost a fortune', async (t) => {
  for (const number of ['+19005550100', '+19765550100', '+449098790000', '+447012345678', '+881612345678'])
    t.type(costly(number), 'string', number);
  for (const number of ['+870773123456', '+882161234567', '+979123456789', '+33899123456', '+49900123456'])
    t.type(costly(number), 'string', number);
  for (const number of ['+12025550100', '+442079460123', '+441632960100', '+18005550100', '+4930123456'])
    t.equal(costly(number), undefined, number);
});
