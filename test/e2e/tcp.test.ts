/** The main job with TCP throughout: carrier, media node and callee (design, rule 5: one transport, never a mix). */
import t from 'tap';
import { callOver, startEnds } from './ends.js';

t.setTimeout(120_000);

t.test('a call over TCP is bridged, recorded, and every far end is told a way back over TCP', async (t) => {
  const ends = await startEnds('tcp');
  t.teardown(() => ends.stop());
  await callOver(t, ends, 'tcp');
});
