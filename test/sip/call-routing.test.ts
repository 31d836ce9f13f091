/** What calls are turned away or passed on for, by caps; and legs that ring an overflow. Admission on Redis: test/numbers. */
import t from 'tap';
import type { Account, Endpoint, Trunk } from '../../src/directory/model.js';
import type { Cap } from '../../src/numbers/admission.js';
import { StoreUnavailable } from '../../src/numbers/ports.js';
import { CallRouting } from '../../src/sip/call-routing.js';
import { LegAdmission } from '../../src/sip/leg-admission.js';
import { keepingLogger } from '../support/logger.js';

const endpoint = (name: string, more: Partial<Endpoint> = {}): Endpoint => ({
  id: `end_${name}`,
  name,
  ring: [{ ringMs: 20_000, destinations: [{ serial: 1, to: 'sip:a@192.0.2.1:5060', trunks: [] }] }],
  ...more,
});
const sales = endpoint('sales', { concurrentCalls: 2, overflow: 'end_desk' });
const desk = endpoint('desk', { concurrentCalls: 1, overflow: 'end_mobile' });
const mobile = endpoint('mobile');
const account: Account = {
  id: 'acc_x',
  name: 'x',
  timeZone: 'UTC',
  concurrentCalls: 9,
  apiKeys: [],
  sites: [],
  pools: [],
  trunks: [],
  endpoints: [sales, desk, mobile],
};
const trunk: Trunk = {
  id: 'trk_x',
  name: 'x',
  serial: 9,
  addresses: [],
  transport: 'udp',
  concurrentCalls: 5,
  callsPerSecond: 3,
};

/** Caps of these owners are reached. */
function stage(...reached: string[]) {
  const asked: (readonly Cap[])[] = [];
  const admission = {
    admit: async (_account: string, _call: string, caps: readonly Cap[]) => {
      asked.push(caps);
      return caps.find(({ owner }) => reached.includes(owner));
    },
  };
  const way = (start = sales, of = account) =>
    new CallRouting(admission).wayOf(
      { call: 'call_1', account: of, trunk, endpoint: start },
      { at: 0, caller: undefined, attestation: 'none' },
      keepingLogger(),
    );
  return { asked, admission, way };
}

t.test('a full endpoint passes its calls on; a full account or trunk does not', async (t) => {
  const free = stage();
  t.match(await free.way(), { endpoint: { name: 'sales' }, overflow: { name: 'desk' } });
  t.same(free.asked, [
    [
      { owner: 'trk_x', concurrentCalls: 5 },
      { owner: 'account', concurrentCalls: 9 },
      { owner: 'end_sales', concurrentCalls: 2 },
    ],
  ]);
  const one = await stage('end_sales').way();
  t.match(one, { endpoint: { name: 'desk' }, steps: [{}, { endpoint: 'end_desk', because: 'full' }] });
  const two = stage('end_sales', 'end_desk');
  t.match(await two.way(), { endpoint: { name: 'mobile' }, overflow: undefined });
  t.equal(two.asked.length, 3);
  t.match(await stage('account').way(), { turnedAway: { reason: { status: 486 }, fault: 'callee' } });
  t.match(await stage('trk_x').way(), { turnedAway: { reason: { status: 503 }, fault: 'carrier' } });
  const alone = endpoint('sales', { concurrentCalls: 2 });
  t.match(await stage('end_sales').way(alone, { ...account, endpoints: [alone] }), {
    turnedAway: { reason: { status: 486, q850: 17 } },
  });
});

t.test('an overflow that is known to be full is not rung at last either', async (t) => {
  const back = endpoint('desk', { overflow: 'end_sales' });
  const way = await stage('end_sales').way(sales, { ...account, endpoints: [sales, back] });
  t.match(way, { endpoint: { name: 'desk' } });
  t.equal('overflow' in way && way.overflow, undefined);
});

t.test('a leg that rings an overflow counts there; no other leg is asked for', async (t) => {
  const log = keepingLogger();
  const free = stage();
  const legs = new LegAdmission(free.admission);
  t.equal(await legs.mayRing('call_1', { account, endpoint: sales }, log), true, "nobody's overflow");
  t.equal(await legs.mayRing('call_1', { account, endpoint: mobile }, log), true, 'without a limit');
  t.same(free.asked, []);
  t.equal(await legs.mayRing('call_1', { account, endpoint: desk }, log), true);
  t.same(free.asked, [[{ owner: 'end_desk', concurrentCalls: 1 }]]);
  const full = new LegAdmission(stage('end_desk').admission);
  t.equal(await full.mayRing('call_1', { account, endpoint: desk }, log), false);
});

t.test('without Redis nobody is turned away', async (t) => {
  const admission = { admit: () => Promise.reject(new StoreUnavailable('away')) };
  const log = keepingLogger();
  const way = await new CallRouting(admission).wayOf(
    { call: 'call_1', account, trunk, endpoint: sales },
    { at: 0, caller: undefined, attestation: 'none' },
    log,
  );
  t.match(way, { endpoint: { name: 'sales' } });
  t.equal(await new LegAdmission(admission).mayRing('call_1', { account, endpoint: desk }, log), true);
  t.equal(log.lines.length, 2);
});
