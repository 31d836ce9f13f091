import { Redis } from 'ioredis';
import t from 'tap';
import { DirectoryCache } from '../../src/directory/cache.js';
import type { DirectoryIndex } from '../../src/directory/directory-index.js';
import type { Directory } from '../../src/directory/model.js';
import { EMPTY_DIRECTORY } from '../../src/directory/resolve.js';
import { RedisClients } from '../../src/redis/clients.js';
import { RedisDirectoryStore } from '../../src/redis/directory-store.js';
import { keepingLogger } from '../support/logger.js';
import { TestRedis } from '../support/redis.js';

function directory(version: number, timeZone = 'UTC'): Directory {
  const account = {
    id: 'acc_x',
    name: 'x',
    timeZone,
    apiKeys: [],
    sites: [],
    endpoints: [],
    pools: [],
    trunks: [],
  } as const;
  return { ...EMPTY_DIRECTORY, version, accounts: [account] };
}

/** A Redis of one test's own, and clients for it. */
async function world(t: { teardown: (end: () => Promise<void>) => void }) {
  const redis = await TestRedis.start();
  const clients = new RedisClients(redis.url, keepingLogger());
  t.teardown(async () => {
    await clients.close('the test is over');
    await redis.stop();
  });
  await clients.ready(5000);
  return { redis, clients, store: new RedisDirectoryStore(clients.background) };
}

/** Resolves with the ms that passed until the cache has the version. */
function follows(cache: DirectoryCache, version: number): Promise<number> {
  const began = performance.now();
  return new Promise((resolve) => {
    const done = (index: DirectoryIndex): void => {
      if (index.version !== version) return;
      end();
      resolve(performance.now() - began);
    };
    const end = cache.onChange(done);
    done(cache.current);
  });
}

t.test('a document is replaced at once and whole, by one writer', async (t) => {
  const { clients, store } = await world(t);
  t.strictSame(await store.read(), EMPTY_DIRECTORY);
  const writers = Array.from({ length: 20 }, (_, i) => directory(1, `Etc/GMT+${i % 12}`));
  const won = await Promise.all(writers.map((next) => store.publish(next)));
  t.equal(won.filter(Boolean).length, 1, 'one of twenty');
  t.strictSame(await store.read(), writers[won.indexOf(true)]);
  t.equal(await store.publish(directory(3)), false, 'a version is not left out');
  t.equal(await store.publish(directory(1)), false, 'nor written twice');
  t.equal(await store.publish(directory(2)), true);
  t.equal((await store.read()).version, 2);
  await clients.background.script('FLUSH');
  t.equal(await store.publish(directory(3)), true, 'also when Redis forgot the script');

  await clients.background.hset('ts:directory', 'document', JSON.stringify({ apiVersion: 'tagswitch/v9' }));
  await t.rejects(store.read(), { code: 'badDirectory' });
});

t.test('a running process follows within a second, with a subscription and without', async (t) => {
  const { clients, store } = await world(t);
  await store.publish(directory(1));

  const subscriber = clients.dedicated('directory');
  const cache = await DirectoryCache.open(
    new RedisDirectoryStore(clients.background, () => subscriber),
    keepingLogger(),
  );
  t.teardown(() => cache.close('the test is over'));
  t.equal(cache.current.version, 1);
  const changes: string[] = [];
  const stop = cache.onChange((next, previous) => changes.push(`${previous.version} -> ${next.version}`));

  const listening = async (): Promise<void> => {
    while (!/sub=1/.test(String(await clients.background.client('LIST', 'TYPE', 'PUBSUB')))) {
      await new Promise(setImmediate);
    }
  };
  await listening();
  let quickest = Infinity;
  for (let version = 2; version <= 6; version++) {
    await store.publish(directory(version));
    quickest = Math.min(quickest, await follows(cache, version));
  }
  t.ok(quickest < 100, `told in ${quickest.toFixed(1)} ms, without waiting for the next look`);
  t.equal(cache.current.directory.accounts[0]?.timeZone, 'UTC');

  // The connection breaks: it comes back by itself, and what was published meanwhile is not lost.
  await clients.background.client('KILL', 'TYPE', 'PUBSUB');
  await store.publish(directory(7));
  t.ok((await follows(cache, 7)) < 1000, 'over a broken subscription');
  await listening();

  subscriber.disconnect();
  for (let version = 8; version <= 9; version++) {
    await store.publish(directory(version));
    const took = await follows(cache, version);
    t.ok(took < 1000, `without a subscription: ${took.toFixed(0)} ms`);
  }
  t.strictSame(changes, ['1 -> 2', '2 -> 3', '3 -> 4', '4 -> 5', '5 -> 6', '6 -> 7', '7 -> 8', '8 -> 9']);

  stop();
  await store.publish(directory(10));
  await follows(cache, 10);
  t.equal(changes.length, 8, 'a listener that went hears nothing');

  await Promise.all([cache.close('one'), cache.close('two')]);
  await store.publish(directory(11));
  const other = await DirectoryCache.open(store, keepingLogger());
  await store.publish(directory(12));
  await follows(other, 12);
  t.equal(cache.current.version, 10, 'closed: stays as it was');
  await other.close('done');
});

t.test('the store is away: calls go on by what is known', async (t) => {
  const { redis, clients, store } = await world(t);
  await store.publish(directory(1));
  const logger = keepingLogger();
  const cache = await DirectoryCache.open(
    new RedisDirectoryStore(clients.background, () => clients.dedicated('directory')),
    logger,
  );
  t.teardown(() => cache.close('the test is over'));
  cache.onChange(() => {
    throw new Error('a listener of somebody');
  });

  redis.pause();
  const late = store.publish(directory(2));
  t.equal(cache.current.version, 1, 'at once, from memory');
  redis.resume();
  await late;
  await follows(cache, 2);
  t.ok(
    logger.lines.some(({ text }) => text === 'a listener failed on a changed directory'),
    'and it holds nothing up',
  );

  // Redis comes back empty: nobody has applied that.
  await redis.kill();
  await redis.start();
  const lost = () =>
    logger.lines.some(({ level, text }) => level === 'error' && text.startsWith('the store has lost'));
  while (!lost()) await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(cache.current.version, 2);
  t.equal(cache.current.accountById('acc_x')?.name, 'x', 'the known directory stays in force');

  await store.publish(directory(1, 'Europe/Berlin'));
  await follows(cache, 1);
  t.equal(cache.current.directory.accounts[0]?.timeZone, 'Europe/Berlin', 'applied again: followed again');
});

t.test('a read that fails is repeated', async (t) => {
  let version = 1;
  let failures = 0;
  let tell: (version: number) => void = () => undefined;
  const store = {
    read: () => (failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve(directory(version))),
    publish: () => Promise.resolve(false),
    watch: (changed: (version: number) => void) => {
      tell = changed;
      return Promise.resolve(() => Promise.resolve());
    },
  };
  const logger = keepingLogger();
  const cache = await DirectoryCache.open(store, logger);
  version = 2;
  failures = 2;
  tell(2);
  await follows(cache, 2);
  t.equal(logger.lines.filter(({ text }) => text === 'the directory could not be read').length, 2);
  await cache.close('done');
  failures = 1;
  await t.rejects(
    DirectoryCache.open(store, logger),
    { message: 'away' },
    'at the start there is nothing to hold',
  );
});

t.test('in a cluster', async (t) => {
  const node = await TestRedis.startNode();
  const admin = new Redis(node.port);
  // A node that has met no other does not know its address.
  await admin.config('SET', 'cluster-announce-ip', '127.0.0.1');
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  while (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const clients = new RedisClients(`redis-cluster://127.0.0.1:${node.port}`, keepingLogger());
  t.teardown(async () => {
    admin.disconnect();
    await clients.close('the test is over');
    await node.stop();
  });
  await clients.ready(10_000);
  const store = new RedisDirectoryStore(clients.background, () => clients.dedicated('directory'));
  t.equal(await store.publish(directory(1)), true);
  t.equal(await store.publish(directory(1)), false);
  const cache = await DirectoryCache.open(store, keepingLogger());
  await store.publish(directory(2));
  t.ok((await follows(cache, 2)) < 1000);
  await cache.close('done');
});
