import t from 'tap';
import { createMetrics } from '../../src/observe/metrics.js';
import { until } from '../support/until.js';

t.test('the delay of the event loop is how late it is, not how often it is looked at', async (t) => {
  const metrics = createMetrics();
  const delay = async (quantile: string) => {
    const { body } = await metrics.text();
    const line = new RegExp(`^tagswitch_event_loop_delay_seconds\\{quantile="${quantile}"\\} (\\S+)$`, 'm');
    return Number(line.exec(body)?.[1]);
  };
  const busyMs = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  };
  const pass = (ms: number) => {
    const end = performance.now() + ms;
    return until(() => performance.now() > end);
  };
  // It is looked at ten times a second: a look before, and one that is late.
  await pass(250);
  busyMs(400);
  await pass(20);
  const most = await delay('1');
  t.ok(most > 0.25 && most < 1, `late by ${String(most)} s`);
  await pass(500);
  const middle = await delay('0.5');
  t.ok(middle >= 0 && middle < 0.05, `by ${String(middle)} s in the middle, when nothing is`);
  t.notMatch((await metrics.text()).body, /eventloop/, 'one figure for one thing');
});
