import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TestRedis } from './redis.js';
import { until } from './until.js';

const run = promisify(execFile);
const SLOTS = 16_384;
const MASTERS = 3;

/** Runs one command on a server; rejects with what redis-cli said when Redis answers with an error. */
export async function redisCli(server: TestRedis, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-e', '-s', server.url, ...args]);
  return stdout.trim();
}

/** One server of the cluster. Who is master changes with a failover; `id` stays, also when it is started again. */
export interface Member {
  readonly server: TestRedis;
  readonly id: string;
}

/** Three masters with a third of the slots each, one replica for each of them, on 127.0.0.1. */
export class RedisCluster {
  /** What goes into `REDIS_URL`. */
  readonly url: string;
  /** The first three begin as masters; member 3 + i begins as the replica of member i. */
  readonly members: readonly Member[];

  private constructor(members: readonly Member[]) {
    this.members = members;
    this.url = `redis-cluster://${members.map(({ server }) => `127.0.0.1:${String(server.port)}`).join(',')}`;
  }

  /**
   * `nodeTimeoutMs`: after how long a silent master counts as gone (cluster-node-timeout); `more`: arguments of
   * redis-server. Resolves when all is in sync.
   */
  static async start(nodeTimeoutMs = 1_000, more: readonly string[] = []): Promise<RedisCluster> {
    const members = await Promise.all(
      Array.from({ length: 2 * MASTERS }, async (): Promise<Member> => {
        const server = await TestRedis.startNode(nodeTimeoutMs, more);
        return { server, id: await redisCli(server, 'cluster', 'myid') };
      }),
    );
    const cluster = new RedisCluster(members);
    try {
      await cluster.#join();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** The slot of an account's keys. */
  async slotOf(account: string): Promise<number> {
    return Number(await redisCli(this.#any(), 'cluster', 'keyslot', `{account:${account}}`));
  }

  /** The master of a slot, as `witness` sees it; by default the first member that runs. */
  async masterOf(slot: number, witness: TestRedis = this.#any()): Promise<Member> {
    for (const line of (await redisCli(witness, 'cluster', 'nodes')).split('\n')) {
      const [id, , flags = '', , , , , , ...ranges] = line.split(' ');
      if (!flags.includes('master') || flags.includes('fail')) continue;
      const owns = ranges.some((range) => {
        const [from = '', to = from] = range.split('-');
        return Number(from) <= slot && slot <= Number(to);
      });
      const member = this.members.find((one) => one.id === id);
      if (owns && member !== undefined) return member;
    }
    throw new Error(`no master has the slot ${String(slot)}`);
  }

  /** The running replica of a master whose copy is up to date. */
  async replicaOf(master: Member): Promise<Member> {
    for (const member of this.members) {
      if (member === master || !member.server.running) continue;
      const info = await redisCli(member.server, 'info', 'replication');
      if (
        info.includes(`master_port:${String(master.server.port)}`) &&
        info.includes('master_link_status:up')
      )
        return member;
    }
    throw new Error('the master has no replica that follows it');
  }

  /**
   * Moves a slot as `redis-cli --cluster reshard` does, its keys in as many commands as `batches` names; `between` runs
   * after each. Resolves with how long the slot was on the way, ms.
   */
  async moveSlot(
    slot: number,
    from: Member,
    to: Member,
    keysAtOnce: number,
    between: () => Promise<void> = () => Promise.resolve(),
  ): Promise<number> {
    const name = String(slot);
    const start = performance.now();
    await redisCli(to.server, 'cluster', 'setslot', name, 'importing', from.id);
    await redisCli(from.server, 'cluster', 'setslot', name, 'migrating', to.id);
    await between();
    for (;;) {
      const keys = await redisCli(from.server, 'cluster', 'getkeysinslot', name, String(keysAtOnce));
      if (keys === '') break;
      const target = ['127.0.0.1', String(to.server.port), '', '0', '5000', 'KEYS'];
      await redisCli(from.server, 'migrate', ...target, ...keys.split('\n'));
      await between();
    }
    // First the new owner, so that there is one at all times; then the others, who would learn it by gossip as well.
    for (const { server } of [to, from, ...this.members.filter((one) => one !== to && one !== from)]) {
      if (!server.running) continue;
      const role = await redisCli(server, 'role');
      if (role.startsWith('master')) await redisCli(server, 'cluster', 'setslot', name, 'node', to.id);
    }
    return performance.now() - start;
  }

  /** Resolves when every running member sees all slots served and every replica follows its master. */
  async settled(limitMs = 20_000): Promise<void> {
    await until(async () => {
      for (const { server } of this.members) {
        if (!server.running) continue;
        const info = await redisCli(server, 'cluster', 'info');
        if (!info.includes('cluster_state:ok') || !info.includes(`cluster_slots_ok:${String(SLOTS)}`))
          return false;
        const replication = await redisCli(server, 'info', 'replication');
        if (replication.includes('role:slave') && !replication.includes('master_link_status:up'))
          return false;
      }
      return true;
    }, limitMs);
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ server }) => server.stop()));
  }

  async #join(): Promise<void> {
    const [first, ...others] = this.members;
    if (first === undefined) throw new Error('a cluster has members');
    for (const [i, { server }] of this.members.slice(0, MASTERS).entries()) {
      const bounds = [i, i + 1].map((part) => Math.floor((part * SLOTS) / MASTERS));
      await redisCli(server, 'cluster', 'addslotsrange', String(bounds[0]), String((bounds[1] ?? 0) - 1));
      await redisCli(server, 'cluster', 'set-config-epoch', String(i + 1));
    }
    for (const { server } of others) {
      await redisCli(first.server, 'cluster', 'meet', '127.0.0.1', String(server.port), server.busPort);
    }
    await until(async () => {
      for (const { server } of this.members) {
        const lines = (await redisCli(server, 'cluster', 'nodes')).split('\n');
        if (
          lines.filter((line) => / connected/.test(line) && !line.includes('handshake')).length <
          2 * MASTERS
        )
          return false;
      }
      return true;
    }, 20_000);
    for (const [i, { server }] of this.members.slice(MASTERS).entries()) {
      await redisCli(server, 'cluster', 'replicate', this.members[i]?.id ?? '');
    }
    await this.settled();
  }

  #any(): TestRedis {
    const member = this.members.find(({ server }) => server.running);
    if (member === undefined) throw new Error('no member of the cluster runs');
    return member.server;
  }
}
