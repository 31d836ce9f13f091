/** The main job with TCP throughout: carrier, media node and callee (design, rule 5: one transport, never a mix). */
import t from 'tap';
import { until } from '../standalone/media-agent.js';
import { finalOf, startEnds } from './ends.js';

t.setTimeout(120_000);

t.test('a call over TCP is bridged, recorded, and every far end is told a way back over TCP', async (t) => {
  const ends = await startEnds('tcp');
  const { system, caller, callee } = ends;
  t.teardown(() => ends.stop());
  const link = await system.allocate('answers', 'session-1');
  const call = await caller.call(system.sip, link.number, [], undefined, 'tcp');
  t.equal(await finalOf(call), 200);
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
