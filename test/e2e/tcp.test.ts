/** The main job with TCP throughout: carrier, media node and callee (design, rule 5: one transport, never a mix). */
import t from 'tap';
import { Agent, until } from '../standalone/media-agent.js';
import { declarationOf } from './declaration.js';
import { System } from './system.js';

t.setTimeout(120_000);

t.test('a call over TCP is bridged, recorded, and every far end is told a way back over TCP', async (t) => {
  const callee = await Agent.start((call) => {
    call.reply(180);
    call.reply(200, '0 101');
  });
  const caller = await Agent.start();
  const destination = `sip:agent@127.0.0.1:${String(callee.sip.port)}`;
  const system = await System.start(declarationOf([{ name: 'answers', ring: [[destination]] }], 'tcp'));
  t.teardown(async () => {
    await system.stop();
    await caller.close();
    await callee.close();
  });
  const link = await system.allocate('answers', 'session-1');
  const call = await caller.call(system.sip, link.number, [], undefined, 'tcp');
  await until(() => (call.statuses.at(-1) ?? 0) >= 200, 'a final response', 10_000);
  t.equal(call.statuses.at(-1), 200);
  const [leg] = callee.calls;
  if (leg === undefined) throw new Error('no leg');
  await until(() => leg.acks > 0, 'ACK at the callee');
  t.match(leg.invite.get('Via') ?? '', /^SIP\/2\.0\/TCP/, 'the callee is called over TCP');
  for (const header of [...call.last.getAll('Record-Route'), ...leg.invite.getAll('Record-Route')])
    t.match(header, /transport=tcp/i, header);
  t.match(call.last.get('Contact') ?? '', /transport=tcp/i, 'the media node is reached over TCP');
  t.equal((await call.send('BYE')).status, 200);
  await until(() => leg.bye !== undefined, 'BYE at the callee');
  t.match(await system.record(link.number), {
    result: 'answered',
    fault: 'caller',
    session: 'session-1',
    media: 'bridged',
  });
});
