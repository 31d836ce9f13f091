/** Events that neither Redis nor the disk takes. */
import t from 'tap';
import type { CallEvent } from '../../src/calls/events.js';
import { HeldEvents } from '../../src/ledger/held-events.js';
import { callId, ringing, T0 } from '../calls/samples.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';

const event = (n: number): CallEvent => ringing(callId(n), { at: T0 + n });

function stage(most?: number) {
  const taken: number[] = [];
  const stored: number[] = [];
  const disk = { room: true };
  const logger = keepingLogger();
  const held = new HeldEvents({
    sink: {
      append: (one) => {
        if (!disk.room) return Promise.reject(new Error('ENOSPC'));
        taken.push(one.at - T0);
        return Promise.resolve();
      },
    },
    stored: (one) => void stored.push(one.at - T0),
    logger,
    retryMs: 10,
    ...(most !== undefined && { most }),
  });
  return { held, disk, taken, stored, logger };
}

t.test('with room nothing is held', async (t) => {
  const { held, taken, stored } = stage();
  await held.append(event(1));
  t.strictSame([held.count, taken, stored], [0, [1], [1]]);
  await held.close('test');
});

t.test('without room all are held, and stored in their order once there is room', async (t) => {
  const { held, disk, taken, stored, logger } = stage();
  disk.room = false;
  const all = Array.from({ length: 450 }, (_, n) => n);
  for (const n of all) await held.append(event(n));
  t.strictSame([held.count, stored], [450, []], 'in hand, but not said to be stored');
  disk.room = true;
  await until(() => held.count === 0);
  t.strictSame([taken, stored], [all, all], 'each once');
  t.match(
    logger.lines.map(({ level, text }) => `${level} ${text}`),
    [/^error neither Redis nor the disk/, /^warn .* are stored$/],
    'said once when it began and once when it was over',
  );
  await held.append(event(450));
  t.equal(taken.at(-1), 450);
  await held.close('test');
});

t.test('when too many are held, it says so', async (t) => {
  const { held, disk } = stage(3);
  disk.room = false;
  for (const n of [1, 2]) await held.append(event(n));
  t.equal(held.full, false);
  await held.append(event(3));
  t.equal(held.full, true);
  await held.append(event(4));
  t.equal(held.count, 4, 'what calls that are up tell is held nevertheless');
  disk.room = true;
  await until(() => !held.full);
  await held.close('test');
});

t.test('at the end it tries once more, and says what is lost', async (t) => {
  const { held, disk, taken, logger } = stage();
  disk.room = false;
  await held.append(event(1));
  disk.room = true;
  await held.close('test');
  t.strictSame(taken, [1]);
  t.notMatch(logger.lines, [{ text: /are lost/ }]);

  const other = stage();
  other.disk.room = false;
  await other.held.append(event(1));
  await other.held.close('test');
  t.match(other.logger.lines.at(-1), { level: 'error', fields: { lost: 1 }, text: /are lost/ });
  await t.rejects(other.held.append(event(2)), 'closed, it takes no more in hand');
});
