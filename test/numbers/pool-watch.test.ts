import t from 'tap';
import { mintId } from '../../src/ids.js';
import { PoolWatch } from '../../src/numbers/pool-watch.js';
import { GAP_BINS, HOUR_MS, type PoolTraffic } from '../../src/numbers/traffic.js';
import { createMetrics } from '../../src/observe/metrics.js';
import type { Account } from '../../src/directory/model.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';

const HOUR = 500_000;

function world(everyMs?: number) {
  const pool = mintId('pool');
  const logger = keepingLogger();
  const metrics = createMetrics(false);
  const state = { numbers: 18, pools: [pool], asked: 0, fault: undefined as Error | undefined };
  const account = (): Account => ({
    id: 'acc_x',
    name: 'x',
    timeZone: 'UTC',
    apiKeys: [],
    sites: [],
    endpoints: [],
    trunks: [],
    pools: state.pools.map((id) => ({ id, name: 'main', numbers: [] })),
  });
  const traffic = async (): Promise<PoolTraffic> => {
    state.asked += 1;
    if (state.fault !== undefined) throw state.fault;
    const gaps = new Array<number>(GAP_BINS).fill(0);
    const hour = { hour: HOUR - 1, fresh: 190, none: 10, held: 6, heldMs: 6 * 180_000, gaps };
    return { now: HOUR * HOUR_MS, numbers: state.numbers, busy: 0, hours: [hour] };
  };
  const watch = new PoolWatch({
    directory: () => ({ apiVersion: 'tagswitch/v1', version: 1, nextSerial: 1, accounts: [account()] }),
    traffic,
    metrics,
    logger,
    ...(everyMs !== undefined && { everyMs }),
  });
  return { pool, logger, metrics, state, watch };
}

t.test('a pool that is too small is said once, with what to do; and once when it is not', async (t) => {
  const { pool, logger, metrics, state, watch } = world();
  t.teardown(() => watch.close());
  await watch.look();
  await watch.look();
  t.equal(logger.lines.length, 1);
  t.match(logger.lines[0], {
    level: 'warn',
    text: 'a pool is too small',
    fields: {
      pool,
      numbers: 18,
      warnings: [{ what: 'reuseMs' }, { what: 'wrongHolder' }],
      proposal: { add: Number },
    },
  });
  const { body } = await metrics.text();
  t.match(body, `tagswitch_pool_offered_erlangs{pool="${pool}"} 10\n`);
  t.match(body, `tagswitch_pool_blocked_share{pool="${pool}"} 0.05\n`);
  t.match(body, new RegExp(`tagswitch_pool_utilisation{pool="${pool}"} 0\\.5`));

  state.numbers = 120;
  await watch.look();
  t.match(
    logger.lines[1],
    { level: 'warn', fields: { warnings: [{ what: 'wrongHolder' }] } },
    'another mark: told anew',
  );
  state.numbers = 1000;
  await watch.look();
  await watch.look();
  t.match(logger.lines[2], { level: 'info', text: 'a pool is large enough again' });
  t.equal(logger.lines.length, 3);

  state.pools = [];
  await watch.look();
  t.notMatch((await metrics.text()).body, pool, 'a pool that is gone has no metrics');
});

t.test('without Redis it says nothing and asks again; it looks by itself until it is closed', async (t) => {
  const { logger, state, watch } = world(5);
  state.fault = new Error('away');
  await until(() => state.asked > 2);
  t.same(
    logger.lines.filter(({ level }) => level !== 'debug'),
    [],
  );
  state.fault = undefined;
  await until(() => logger.lines.some(({ level }) => level === 'warn'));
  await watch.close();
  await watch.close();
  const { asked } = state;
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(state.asked, asked, 'no more after the close');
});
