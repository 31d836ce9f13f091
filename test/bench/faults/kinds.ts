import { setTimeout as wait } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { startSecond } from '../../e2e/second-application.js';
import type { System } from '../../e2e/system.js';
import { redisCli } from '../../support/redis-cluster.js';
import { SentinelGroup } from '../../support/redis-group.js';
import { freePort } from '../../../src/start/ports.js';
import { TestRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { clockSet } from './set-clock.js';
import { socketCut } from './cut-socket.js';
import { callLogDiskFull, dataDiskFull, dataDiskFullWithoutRedis, onlyDiskFull } from './full-disk.js';

/** What is around the switch while one fault is tried. */
export interface Stage {
  /** Of the switch, beside what every test sets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** After the switch has started and before the load. */
  started?(system: System): Promise<void>;
  /** The fault, from its beginning to its end; what is broken for good is mended. */
  strike(system: System): Promise<void>;
  /** After the load: what else does not hold, a sentence each. */
  checked?(system: System): Promise<readonly string[]>;
  close?(): Promise<void>;
}

export interface Kind {
  readonly name: string;
  /** The calls themselves were in what died. */
  readonly mayDrop?: true;
  readonly stage: () => Promise<Stage>;
}

const PAUSE_MS = 5000;
const AWAY_MS = 8000;

const killed = (name: Parameters<System['pid']>[0]): (() => Promise<Stage>) => {
  return () => Promise.resolve({ strike: (system) => system.killAndAwait(name) });
};

export const KINDS: readonly Kind[] = [
  { name: 'the application killed, the only one', stage: killed('application') },
  { name: 'one application of two killed', stage: oneOfTwo },
  { name: 'the SIP server killed', stage: killed('sip-server') },
  { name: 'the media server killed, the only one', mayDrop: true, stage: killed('media-server') },
  { name: 'the event socket cut at six moments', stage: () => socketCut(20_261) },
  { name: 'Redis paused for 5 s', stage: redisPaused },
  { name: 'Redis killed, back after 8 s', stage: redisAway },
  { name: 'Redis failed over by Sentinel', stage: failover },
  { name: "the call log's disk full for 8 s", stage: callLogDiskFull },
  { name: "the data folder's disk full for 6 s", stage: dataDiskFull },
  {
    name: "the data folder's disk full for 6 s, Redis killed and back before",
    stage: () => dataDiskFullWithoutRedis('Redis'),
  },
  {
    name: "the data folder's disk full for 6 s, Redis killed and back after",
    stage: () => dataDiskFullWithoutRedis('disk'),
  },
  { name: 'the only disk full for 6 s', stage: onlyDiskFull },
  { name: 'the clock set an hour forwards, and back after 5 s', stage: clockSet(1) },
  { name: 'the clock set an hour back, and forwards after 5 s', stage: clockSet(-1) },
];

async function oneOfTwo(): Promise<Stage> {
  const port = await freePort();
  let second: ChildProcess | undefined;
  return {
    started: async (system) => {
      second = await startSecond(system, port);
    },
    strike: (system) => system.killAndAwait('application'),
    close: async () => {
      second?.kill('SIGKILL');
      return Promise.resolve();
    },
  };
}

function redisPaused(): Promise<Stage> {
  return Promise.resolve({
    strike: async (system: System) => {
      system.signal('redis-server', 'SIGSTOP');
      await wait(PAUSE_MS);
      system.signal('redis-server', 'SIGCONT');
    },
  });
}

/** As the launcher's own: what was acknowledged is in its file, but for what the last second brought. */
export const KEPT = ['--appendonly', 'yes', '--appendfsync', 'everysec'];

async function redisAway(): Promise<Stage> {
  const redis = await TestRedis.start(KEPT);
  return {
    environment: { REDIS_URL: redis.url },
    strike: async () => {
      await redis.crash();
      await wait(AWAY_MS);
      await redis.start();
    },
    close: () => redis.stop(),
  };
}

async function failover(): Promise<Stage> {
  const group = await SentinelGroup.start();
  return {
    environment: { REDIS_URL: group.url },
    strike: async () => {
      await group.master.crash();
      // Sentinel cuts the connections of a server that it gives another role, this one's among them.
      const role = () => redisCli(group.replica, 'role').catch((error: unknown) => String(error));
      await until(async () => (await role()).startsWith('master'), 30_000);
    },
    close: () => group.stop(),
  };
}
