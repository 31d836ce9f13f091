import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLogger } from '../../src/observe/logger.js';
import { RedisClients } from '../../src/redis/clients.js';
import { declarationOf, numbersOf } from '../e2e/declaration.js';
import { endsOf, SCENARIOS, type Ends } from '../e2e/signalling/scenarios.js';
import { CarrierSteps, scenarioXml } from '../e2e/signalling/steps.js';
import { onRealServers, System } from '../e2e/system.js';
import { sipp } from '../standalone/support/sipp.js';
import { freeRange } from '../support/free-range.js';
import { allRecords } from './call-records.js';
import {
  cpuPerCall,
  cpuTimes,
  growths,
  Holdings,
  leaks,
  LINGER_MS,
  preload,
  SETTLE_MS,
} from './leftovers.js';
import type { Part, Progress } from './part.js';

/** What carriers do in ordinary times, by the names of the scenarios: how many a second. 20 in all. */
const MIX: Readonly<Record<string, number>> = {
  'early-media-in-183': 4,
  'several-18x': 2,
  'hold-and-resume-by-the-caller': 3,
  'hold-and-resume-by-the-callee': 2,
  'codec-refused-by-the-callee': 2,
  'cancel-while-it-rings': 3,
  'cancel-in-early-media': 1,
  'byes-cross': 1,
  'redirection-is-not-followed': 1,
  options: 1,
};

/** A call that is refused, as the switch is overloaded, waits for what never comes: not longer than this, s. */
const WAITS_S = 25;

interface Kind {
  readonly name: string;
  readonly perSecond: number;
  readonly ends: Ends;
  readonly number: string;
  readonly port: number;
}

/** Mixed outcomes at 20 calls a second for half an hour, after two minutes to warm up: what is left of them. */
export async function soakPart(quick: boolean, progress: Progress): Promise<Part> {
  const [warmUp, seconds] = quick ? [10, 40] : [120, 1800];
  const restore = preload(fileURLToPath(new URL('../../../test/bench/gc-on-signal.cjs', import.meta.url)));
  const folder = mkdtempSync(join(tmpdir(), 'tagswitch-soak-'));
  const kinds = await mixed(folder);
  const system = await System.start(
    declarationOf(kinds.map(({ name, port }) => ({ name, ring: [[`sip:agent@127.0.0.1:${String(port)}`]] }))),
    'info',
  );
  const redis = new RedisClients(system.redisUrl, createLogger('error'));
  try {
    await redis.ready(10_000);
    const holdings = new Holdings(system, redis.background);
    progress(`soak: ${String(warmUp)} s to warm up`);
    const failedFirst = await load(kinds, folder, system, warmUp);
    const before = await holdings.settled(quick ? 0 : LINGER_MS);
    progress(`soak: ${String(seconds)} s`);
    const cpuBefore = cpuTimes(system);
    const failed = [...failedFirst, ...(await load(kinds, folder, system, seconds))];
    const cpu = cpuPerCall(cpuBefore, cpuTimes(system), seconds * 20);
    progress('soak: looking for what is left');
    const after = await holdings.settled(quick ? 0 : LINGER_MS, before);
    const screened = await system.screened();
    const records = await recorded(kinds, system, warmUp + seconds);
    const faults = [
      ...failed,
      ...records.filter(({ expected, right }) => expected !== right).map(faultOf),
      ...leaks(before, after),
      // The short run is over before its first transactions are: its memory says nothing.
      ...(quick ? [] : growths(before, after)),
    ];
    return {
      figures: {
        servers: onRealServers ? 'drachtio-server and FreeSWITCH' : 'standalone',
        seconds,
        perSecond: MIX,
        cpuMsPerCall: cpu,
        records,
        screened,
        before,
        after,
      },
      faults: faults.map((fault) => `soak: ${fault}`),
    };
  } finally {
    await redis.close('the bench is over');
    await system.stop();
    rmSync(folder, { recursive: true, force: true });
    restore();
  }
}

/** The kinds of calls, with the files that sipp reads. */
async function mixed(folder: string): Promise<readonly Kind[]> {
  const first = await freeRange(Object.keys(MIX).length);
  return Object.entries(MIX).map(([name, perSecond], at) => {
    const scenario = SCENARIOS.find((one) => one.name === name);
    const ends = scenario === undefined ? undefined : endsOf(scenario);
    if (ends === undefined) throw new Error(`no scenario ${name}`);
    const number = numbersOf(at).first;
    writeFileSync(
      join(folder, `${name}.carrier.xml`),
      scenarioXml(name, ends.carrier(new CarrierSteps(number))),
    );
    if (ends.callee !== undefined)
      writeFileSync(join(folder, `${name}.callee.xml`), scenarioXml(name, ends.callee));
    return { name, perSecond, ends, number, port: first + at };
  });
}

/** All kinds for so many seconds. @returns a sentence for each end of which a call failed */
async function load(
  kinds: readonly Kind[],
  folder: string,
  system: System,
  seconds: number,
): Promise<string[]> {
  const faults: string[] = [];
  await Promise.all(
    kinds.map(async ({ name, perSecond, ends, port }) => {
      const common = {
        calls: perSecond * seconds,
        seconds: seconds + 60,
        waits: WAITS_S,
        folder,
        patient: true,
      };
      const callee =
        ends.callee === undefined ? undefined : await sipp(`${name}.callee`, 'udp', { ...common, port });
      // sipp has no way to say that it listens; an INVITE that comes too early would be repeated.
      await wait(500);
      const carrier = await sipp(`${name}.carrier`, 'udp', {
        ...common,
        to: system.settings.sip.port,
        rate: perSecond,
      });
      for (const [end, run] of [
        ['carrier', carrier],
        ['callee', callee],
      ] as const) {
        const result = await run?.ended;
        if (result !== undefined && result.code !== 0)
          faults.push(`${name}: not all calls of the ${end} went as they should`);
      }
    }),
  );
  return faults;
}

interface Recorded {
  readonly name: string;
  readonly expected: number;
  /** Records that say what the calls were. */
  readonly right: number;
  readonly found: number;
}

const faultOf = ({ name, expected, found, right }: Recorded): string =>
  `${name}: ${String(found)} records of ${String(expected)} calls, ${String(right)} of them right`;

/** What the call log says, once all is there, or is not coming. */
async function recorded(kinds: readonly Kind[], system: System, seconds: number): Promise<Recorded[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const counts = new Map(kinds.map(({ number }) => [number, { found: 0, right: 0 }]));
    const outcomes = new Map(kinds.map(({ number, ends }) => [number, ends.record]));
    for await (const { number, result, fault } of allRecords(system)) {
      const count = counts.get(number);
      const outcome = outcomes.get(number);
      if (count === undefined) continue;
      count.found += 1;
      if (outcome?.result === result && (outcome.fault ?? fault) === fault) count.right += 1;
    }
    const all = kinds.map(({ name, number, perSecond, ends }) => ({
      name,
      expected: ends.record === null ? 0 : perSecond * seconds,
      ...(counts.get(number) ?? { found: 0, right: 0 }),
    }));
    if (all.every(({ expected, right }) => expected === right) || performance.now() > deadline) return all;
    await wait(500);
  }
}
