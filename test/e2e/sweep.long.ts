/** A call of which nothing more is heard. */
import t from 'tap';
import { mintId } from '../../src/ids.js';
import { Resolver } from '../../src/numbers/resolver.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';
import { numbersOf } from './declaration.js';
import { finalOf, startEnds, type Ends } from './ends.js';
import type { System } from './system.js';

t.setTimeout(180_000);

let ends: Ends;
let system: System;

t.before(async () => {
  ends = await startEnds();
  ({ system } = ends);
  // A record tells the ids of the account, its endpoint and trunk.
  const call = await ends.caller.call(system.sip, numbersOf(0).last);
  t.equal(await finalOf(call), 200);
  await call.send('BYE');
});

t.teardown(() => ends.stop());

t.test('the application dies between the lookup and the proxying: the sweep closes the record', async (t) => {
  const redis = new RedisClients(system.redisUrl, keepingLogger());
  t.teardown(() => redis.close('test'));
  await redis.ready(5000);
  let known: { readonly account: string; readonly endpoint: string; readonly trunk: string } | undefined;
  await until(async () => {
    const found = (await system.records()).find((record) => record.endpoint !== null);
    known = found as unknown as typeof known;
    return known !== undefined;
  });
  if (known === undefined) return;
  const number = numbersOf(0).first;
  // What a process does before it plans, and no more.
  await new Resolver(new RedisScripts(redis.call), () => true).resolve({
    account: known.account,
    pool: mintId('pool'),
    number,
    defaultEndpoint: known.endpoint,
    call: mintId('call'),
    at: Date.now() - 60_000,
    trunk: known.trunk,
    test: false,
  });
  const record = await system.record(number, 60_000);
  t.match(record, { result: 'failed', fault: 'ours', reason: { text: 'no step followed' } });
});
