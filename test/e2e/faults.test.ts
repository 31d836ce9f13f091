/** Parts of the switch are stopped, killed and silent while calls come, are up and end. */
import t from 'tap';
import { until, type Agent, type AgentCall } from '../standalone/media-agent.js';
import { declarationOf, numbersOf } from './declaration.js';
import { finalOf, startEnds, type Ends } from './ends.js';
import { onRealServers, type System } from './system.js';

let ends: Ends;
let system: System;
let caller: Agent;
let callee: Agent;
let next = 0;
// From the pool's end: pages are given those at its beginning.
const numberOf = (): string => `+${String(Number(numbersOf(0).last.slice(1)) - (next += 1))}`;

/** On the real servers only with the commands that start them can they be killed. */
const ours = !onRealServers || process.env['TAGSWITCH_TEST_FREESWITCH_COMMAND'] !== undefined;

t.setTimeout(240_000);

t.before(async () => {
  ends = await startEnds();
  ({ system, caller, callee } = ends);
});

t.teardown(() => ends.stop());

async function establish(number: string): Promise<{ call: AgentCall; leg: AgentCall }> {
  const before = callee.calls.length;
  const call = await caller.call(system.sip, number);
  const status = await finalOf(call);
  if (status !== 200) throw new Error(`the call got ${String(status)}`);
  // A leg of an earlier test may come late: this call's is the one that was acknowledged.
  const acknowledged = (): AgentCall | undefined => callee.calls.slice(before).find(({ acks }) => acks > 0);
  await until(() => acknowledged() !== undefined, 'ACK at the callee');
  const leg = acknowledged();
  if (leg === undefined) throw new Error('no leg');
  return { call, leg };
}

t.test('Redis is stopped for 10 s at the end of a call', async (t) => {
  const number = numberOf();
  const { call, leg } = await establish(number);
  system.signal('redis-server', 'SIGSTOP');
  t.equal((await call.send('BYE')).status, 200);
  await until(() => leg.bye !== undefined, 'BYE at the callee');
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  system.signal('redis-server', 'SIGCONT');
  t.match(await system.record(number, 20_000), { result: 'answered', fault: 'caller' });
  await system.ready();
});

t.test('Redis is down when a call comes: the cached directory connects it, level none', async (t) => {
  const link = await system.allocate('answers', 'session-1');
  system.signal('redis-server', 'SIGSTOP');
  const { call } = await establish(link.number);
  const page = await system.api('POST', '/v1/allocations', {
    endpoint: 'answers',
    site: 'site',
    session: 'session-2',
  });
  t.match(
    page,
    { status: 200, body: { level: 'none', number: '+12125550150', link: null } },
    'pages keep their printed number',
  );
  await call.send('BYE');
  // What it was asked meanwhile is in its socket: were it only continued, it would still say whose number it was.
  await system.killAndAwait('redis-server');
  t.match(await system.record(link.number, 20_000), { result: 'answered', why: 'storeDown', level: 'none' });
});

t.test('what was applied since the start outlives a restart of the application', async (t) => {
  await system.allocate('answers', 'session-0');
  const other = declarationOf([
    { name: 'answers', ring: [[`sip:agent@127.0.0.1:${String(callee.sip.port)}`]] },
  ]).replace('name: carrier', 'name: another-carrier');
  await system.apply(other.replace('trunk: carrier', 'trunk: another-carrier'));
  const before = system.pid('application');
  await system.killAndAwait('application');
  t.not(system.pid('application'), before);
  t.equal(await system.directoryVersion(), 2, 'the start file did not come back');
  const { call } = await establish(numberOf());
  await call.send('BYE');
});

t.test('Redis is killed and started again: what was allocated and recorded is still there', async (t) => {
  const link = await system.allocate('answers', 'session-3');
  // The append-only file is synced each second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await system.killAndAwait('redis-server');
  const again = await system.allocate('answers', 'session-3');
  t.equal(again.number, link.number);
  const { call } = await establish(link.number);
  await call.send('BYE');
  t.match(await system.record(link.number), { result: 'answered', session: 'session-3', why: 'linked' });
});

if (ours) {
  t.test('drachtio-server is killed and started again in a call', async (t) => {
    const number = numberOf();
    const { call, leg } = await establish(number);
    await system.killAndAwait('sip-server');
    t.equal((await call.send('BYE')).status, 200);
    await until(() => leg.bye !== undefined, 'BYE at the callee');
    t.match(await system.record(number), { result: 'answered', fault: 'caller' });
    const after = numberOf();
    const second = await establish(after);
    t.equal((await second.leg.send('BYE')).status, 200, 'and the next call is taken');
    t.match(await system.record(after), { result: 'answered', fault: 'callee' });
  });

  t.test('a media node that is silent: 408 within 2 s', async (t) => {
    const number = numberOf();
    system.signal('media-server', 'SIGSTOP');
    const asked = Date.now();
    const call = await caller.call(system.sip, number);
    const status = await finalOf(call, 5000);
    const took = Date.now() - asked;
    t.equal(status, 408);
    t.ok(took < 2000, `after ${String(took)} ms`);
    const told = { result: 'failed', fault: 'ours', reason: { status: 408 }, answeredAt: null };
    t.match(await system.record(number), told);
    system.signal('media-server', 'SIGCONT');
    // It wakes up with the INVITE in its hands, for a caller who is gone.
    await system.ready();
    const { call: next } = await establish(numberOf());
    await next.send('BYE');
    t.match(await system.record(number), told, 'and the record says what the caller was told');
  });

  t.test('no media node: the call goes straight to its destination', async (t) => {
    const number = numberOf();
    await system.kill('media-server');
    // Its event socket's end is what tells the application.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { call, leg } = await establish(number);
    t.match(
      leg.invite.body.toString(),
      new RegExp(`m=audio ${String(call.media.port)} `),
      'the session description is untouched',
    );
    t.equal((await call.send('BYE')).status, 200);
    await until(() => leg.bye !== undefined, 'BYE at the callee');
    t.match(await system.record(number), { result: 'answered', media: 'direct', mediaNode: null });
    await system.revive('media-server');
  });
}
