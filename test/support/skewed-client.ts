/** A worker that is a client of the number store on a machine whose clock is wrong; see `test/redis/clocks.long.ts`. */
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Pool, Site } from '../../src/directory/model.js';
import { Allocator } from '../../src/numbers/allocator.js';
import { CALL_DEADLINE_MS, RedisClients } from '../../src/redis/clients.js';
import { RedisScripts } from '../../src/redis/scripts.js';
import { keepingLogger } from './logger.js';

/** What the worker is to do. */
export interface Skew {
  readonly url: string;
  readonly name: string;
  readonly account: string;
  readonly endpoint: string;
  readonly site: Site;
  readonly pool: Pool;
  /** By how much its clock is wrong, ms: each for one page, in turn. */
  readonly offsets: readonly number[];
  readonly forMs: number;
}

/** A number that was given to it. */
export interface Given {
  readonly session: string;
  readonly number: string;
  /** As the page was told last, ms. */
  readonly until: number;
  readonly ended: boolean;
}

const { url, name, account, endpoint, site, pool, offsets, forMs } = workerData as Skew;
const rightNow = Date.now.bind(Date);
let offset = 0;
Date.now = () => rightNow() + offset;

const clients = new RedisClients(url, keepingLogger());
await clients.ready(10_000);
const allocator = new Allocator(new RedisScripts(clients.call, CALL_DEADLINE_MS));
const given: Given[] = [];
const end = rightNow() + forMs;
for (let i = 0; rightNow() < end; i++) {
  offset = offsets[i % offsets.length] ?? 0;
  const session = `${name}${String(i)}`;
  const page = await allocator.allocate(
    { account, site: site.id, endpoint, session },
    { pools: [pool], site },
  );
  if (page.link !== null && page.until !== null) {
    const { link, number } = page;
    const claim = { session, number, until: page.until };
    const renewed = await allocator.renew(account, link, [site.id], claim);
    if (renewed.state !== 'renewed') throw new Error(`a link that began just now is ${renewed.state}`);
    const ended = i % 2 === 0 && (await allocator.end(account, link, [site.id])) === 'done';
    given.push({ session, number, until: renewed.until, ended });
  }
  await wait(50);
}
await clients.close('the worker is done');
parentPort?.postMessage(given);
