import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisClient } from '../../src/redis/clients.js';
import { until } from '../support/until.js';
import { descriptors, residentBytes } from './processes.js';

/** What a process holds when nothing is under way. */
export interface Held {
  readonly descriptors: number;
  readonly sockets: number;
  readonly residentBytes: number;
  /** JavaScript objects and buffers after a forced collection; absent for a program that is not ours. */
  readonly usedBytes?: number;
}

/** What Redis holds for the switch. */
export interface HeldInRedis {
  /** Those that stay. */
  readonly keys: number;
  /** Those that end by themselves: what is noted of a caller for his redial, one key a caller. */
  readonly passingKeys: number;
  readonly streamEntries: number;
  readonly liveCalls: number;
}

/** Loads the program that collects garbage on SIGUSR2 into every Node program that is started from here on. */
export function preloadCollector(file: string): () => void {
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `${before ?? ''} --require=${file}`.trim();
  return () => {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  };
}

/** What `pid` holds; a program with the collector (see above) collects its garbage first. */
export async function held(pid: number, collects: boolean): Promise<Held> {
  const usedBytes = collects ? await collect(pid) : undefined;
  const { all, sockets } = descriptors(pid);
  return {
    descriptors: all,
    sockets,
    residentBytes: residentBytes(pid),
    ...(usedBytes !== undefined && { usedBytes }),
  };
}

async function collect(pid: number): Promise<number> {
  const file = join(tmpdir(), `tagswitch-bench-memory-${pid}.json`);
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  let said = '';
  await until(() => {
    try {
      said = readFileSync(file, 'utf8');
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return false;
    }
  });
  rmSync(file);
  const { heapUsed, external } = JSON.parse(said) as NodeJS.MemoryUsage;
  return heapUsed + external;
}

export async function heldInRedis(client: RedisClient): Promise<HeldInRedis> {
  const names = await client.keys('*');
  let streamEntries = 0;
  let liveCalls = 0;
  let passingKeys = 0;
  for (const name of names) {
    if ((await client.pttl(name)) >= 0) passingKeys += 1;
    if (name.endsWith(':live')) liveCalls += await client.hlen(name);
    if ((await client.type(name)) === 'stream') streamEntries += await client.xlen(name);
  }
  return { keys: names.length - passingKeys, passingKeys, streamEntries, liveCalls };
}
