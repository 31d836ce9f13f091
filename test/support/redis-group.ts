import { redisCli } from './redis-cluster.js';
import { freePort } from '../../src/start/ports.js';
import { TestRedis } from './redis.js';
import { until } from './until.js';

const GROUP = 'main';

/** A master, its replica, and three Sentinels of which two must agree. */
export class SentinelGroup {
  readonly master: TestRedis;
  readonly replica: TestRedis;
  readonly sentinels: readonly TestRedis[];
  /** What goes into `REDIS_URL`. */
  readonly url: string;

  private constructor(master: TestRedis, replica: TestRedis, sentinels: readonly TestRedis[]) {
    this.master = master;
    this.replica = replica;
    this.sentinels = sentinels;
    this.url = `redis-sentinel://${sentinels.map((one) => `127.0.0.1:${String(one.port)}`).join(',')}/${GROUP}`;
  }

  /** Resolves once the replica follows and the Sentinels know of each other. */
  static async start(): Promise<SentinelGroup> {
    const [master, replica] = await Promise.all([startServer(), startServer()]);
    await redisCli(replica, 'replicaof', '127.0.0.1', String(master.port));
    await until(async () =>
      (await redisCli(replica, 'info', 'replication')).includes('master_link_status:up'),
    );
    const sentinels: TestRedis[] = [];
    for (let i = 0; i < 3; i++) {
      sentinels.push(await TestRedis.startSentinel(await freePort(), GROUP, master.port, 2));
    }
    await until(async () => {
      for (const one of sentinels) {
        const known = await redisCli(one, 'info', 'sentinel');
        if (!/status=ok,.*slaves=1,sentinels=3/.test(known)) return false;
      }
      return true;
    }, 20_000);
    return new SentinelGroup(master, replica, sentinels);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, this.master, this.replica].map((one) => one.stop()));
  }
}

async function startServer(): Promise<TestRedis> {
  return TestRedis.start(['--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0'], await freePort());
}
