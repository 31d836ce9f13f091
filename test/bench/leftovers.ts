import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { RedisClient } from '../../src/redis/clients.js';
import { onRealServers, type System } from '../e2e/system.js';
import { until } from '../support/until.js';
import { rounded } from './latencies.js';
import { cpuMs, descriptors, residentBytes } from './processes.js';

/** Transactions and what hangs on them stay for 64 * T1 = 32 s after a call (RFC 3261, timers B, H, J). */
export const LINGER_MS = 35_000;
/** For connections that wait for their idle end, records on their way, and links between processes. */
export const SETTLE_MS = 30_000;
/**
 * How much more memory may be in use after the calls than before. Not resident memory: the programs keep what their peak
 * took, and a load for a minute has more transactions alive than a warm-up.
 */
const MOST_GROWTH = 1.1;

const PROGRAMS = ['application', 'sip-server', 'media-server', 'redis-server'] as const;
export type Program = (typeof PROGRAMS)[number];
/** Those that are Node programs of ours. */
const collects = (program: Program): boolean =>
  program === 'application' || (program !== 'redis-server' && !onRealServers);

/** What the whole switch holds. */
export interface State {
  readonly redis: HeldInRedis;
  readonly programs: Partial<Record<Program, Held>>;
}

/** What a process holds when nothing is under way. */
export interface Held {
  readonly descriptors: number;
  readonly sockets: number;
  /** What the other descriptors lead to. */
  readonly others: readonly string[];
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

/** Loads `file`, a CommonJS program, into every Node program that is started from here on. @returns what undoes it */
export function preload(file: string): () => void {
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `${before ?? ''} --require=${file}`.trim();
  return () => {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  };
}

/** What `pid` holds; a program with the collector (see above) collects its garbage first. */
async function held(pid: number, collects: boolean): Promise<Held> {
  const usedBytes = collects ? await collect(pid) : undefined;
  const { all, sockets, others } = descriptors(pid);
  return {
    descriptors: all,
    sockets,
    others,
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

async function heldInRedis(client: RedisClient): Promise<HeldInRedis> {
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

/** Of the programs that the bench may look at: on servers of somebody else's only those that it started. */
function pidsOf(system: System): [Program, number][] {
  return PROGRAMS.flatMap((program): [Program, number][] => {
    try {
      return [[program, system.pid(program)]];
    } catch {
      return [];
    }
  });
}

/** CPU time that each program has taken, ms. */
export function cpuTimes(system: System): Partial<Record<Program, number>> {
  return Object.fromEntries(pidsOf(system).map(([program, pid]) => [program, cpuMs(pid)]));
}

/** Looks at what a switch holds, again and again. */
export class Holdings {
  readonly #system: System;
  readonly #redis: RedisClient;

  constructor(system: System, redis: RedisClient) {
    this.#system = system;
    this.#redis = redis;
  }

  /** What is held `lingerMs` after the last call, once nothing is under way: no more than `base`, unless that never comes. */
  async settled(lingerMs: number, base?: State): Promise<State> {
    await wait(lingerMs);
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const state = await this.#state(false);
      const quiet = base === undefined ? state.redis.liveCalls === 0 : leaks(base, state).length === 0;
      if (quiet || performance.now() > deadline) return this.#state(true);
      await wait(250);
    }
  }

  async #state(collect: boolean): Promise<State> {
    const programs: Partial<Record<Program, Held>> = {};
    for (const [program, pid] of pidsOf(this.#system))
      programs[program] = await held(pid, collect && collects(program));
    return { redis: await heldInRedis(this.#redis), programs };
  }
}

/** Those of `after` that were not there before, or not as often. */
function newOnes(before: readonly string[], after: readonly string[]): string[] {
  const left = [...before];
  return after.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** What there is more of than before, memory aside. */
export function leaks(before: State, after: State): string[] {
  const more = (what: string, was: number, is: number): string[] =>
    is > was ? [`${is - was} more ${what} than before (${was})`] : [];
  return [
    ...more('keys in Redis', before.redis.keys, after.redis.keys),
    ...more('live calls in Redis', 0, after.redis.liveCalls),
    ...Object.entries(after.programs).flatMap(([program, { descriptors, sockets, others }]) => {
      const was = before.programs[program as Program];
      return [
        ...more(
          `descriptors of ${program} (${newOnes(was?.others ?? [], others).join(', ')})`,
          was?.descriptors ?? 0,
          descriptors,
        ),
        ...more(`sockets of ${program}`, was?.sockets ?? 0, sockets),
      ];
    }),
  ];
}

/** The programs that use more memory than before by more than they may. */
export function growths(before: State, after: State): string[] {
  return Object.entries(after.programs).flatMap(([program, { usedBytes }]) => {
    if (usedBytes === undefined) return [];
    const growth = usedBytes / (before.programs[program as Program]?.usedBytes ?? Number.NaN);
    return growth <= MOST_GROWTH
      ? []
      : [
          `${program} uses ${rounded(growth)} times the memory that it used before, at most ${MOST_GROWTH} expected`,
        ];
  });
}

/** CPU time a call, ms, of each program. */
export function cpuPerCall(
  before: Partial<Record<Program, number>>,
  after: Partial<Record<Program, number>>,
  calls: number,
): Partial<Record<Program, number>> {
  return Object.fromEntries(
    Object.entries(after).map(([program, ms]) => [
      program,
      rounded((ms - (before[program as Program] ?? Number.NaN)) / calls),
    ]),
  );
}
