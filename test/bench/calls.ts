import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLogger } from '../../src/observe/logger.js';
import { RedisClients } from '../../src/redis/clients.js';
import { onRealServers, System } from '../e2e/system.js';
import { freePort } from '../support/redis.js';
import { checkRecords, type RecordCheck } from './call-records.js';
import { rounded, type Latencies } from './latencies.js';
import {
  cpuPerCall,
  growths,
  Holdings,
  leaks,
  LINGER_MS,
  preload,
  SETTLE_MS,
  type State,
} from './leftovers.js';
import { fictionalNumbers } from './numbers.js';
import type { Part, Progress } from './part.js';
import { Probe, type ProbeResult } from './probe.js';
import { sipp, type SippResult } from './sipp.js';

const PER_SECOND = 50;
/** Programs that have only just started, and whose code is not compiled yet, do not do more on a small machine. */
const WARM_UP_PER_SECOND = 20;
const PROBES_PER_SECOND = 5;
const LOAD_NUMBERS = '+12025550100-+12025550199';
const PROBE_NUMBER = '+12125550100';
/** Half of the numbers have a live link while they are called. */
const LINKS = 50;
/**
 * One-second calls through the whole switch at 50 a second, sipp at both ends, and beside them a caller and a callee of
 * ours that measure what the switch adds. First calls to warm up, then those that count.
 */
export async function callsPart(quick: boolean, progress: Progress): Promise<Part> {
  const [warmUp, count] = quick ? [100, 300] : [1000, 3000];
  const restore = preload(fileURLToPath(new URL('../../../test/bench/gc-on-signal.cjs', import.meta.url)));
  const probe = await Probe.open();
  try {
    const calleePort = await freePort();
    progress('calls: the ends alone');
    const direct = await probe.calls(`127.0.0.1:${probe.sip.port}`, PROBE_NUMBER, callers(60, 0), 20);
    progress('calls: starting the switch');
    const system = await System.start(declaration(calleePort, probe.sip.port), 'info');
    const redis = new RedisClients(system.redisUrl, createLogger('error'));
    try {
      await redis.ready(10_000);
      for (let i = 0; i < LINKS; i++) await system.allocate('load', `session-${i}`);
      const bench = new CallBench(system, probe, calleePort);
      const holdings = new Holdings(system, redis.background);
      progress(`calls: ${warmUp} to warm up`);
      const warm = await bench.load(warmUp, WARM_UP_PER_SECOND);
      const before = await holdings.settled(quick ? 0 : LINGER_MS);
      progress(`calls: ${count} at ${PER_SECOND}/s`);
      const cpuBefore = holdings.cpu();
      const load = await bench.load(count, PER_SECOND);
      const cpuAfter = holdings.cpu();
      progress('calls: looking for what is left');
      const after = await holdings.settled(quick ? 0 : LINGER_MS, before);
      const records = await bench.records();
      const made = count + load.probes.toRinging.count;
      return {
        figures: {
          servers: onRealServers ? 'drachtio-server and FreeSWITCH' : 'standalone',
          calls: { warmUp, counted: count, perSecond: PER_SECOND, probesPerSecond: PROBES_PER_SECOND },
          caller: load.caller,
          callee: load.callee,
          probesFailed: load.probes.failed,
          cpuMsPerCall: cpuPerCall(cpuBefore, cpuAfter, made),
          inviteToInviteMs: figures(load.probes.toCallee),
          inviteToRingingMs: figures(load.probes.toRinging),
          inviteToRingingWithoutSwitchMs: figures(direct.toRinging),
          records,
          before,
          after,
        },
        faults: faultsOf(quick, [warm, load], records, before, after).map((fault) => `calls: ${fault}`),
      };
    } finally {
      await redis.close('the bench is over');
      await system.stop();
    }
  } finally {
    await probe.close();
    restore();
  }
}

interface LoadSeen {
  readonly caller: SippResult;
  readonly callee: SippResult;
  readonly probes: ProbeResult;
}

class CallBench {
  readonly #system: System;
  readonly #probe: Probe;
  readonly #calleePort: number;
  /** How each caller's one call is to have ended. */
  readonly #results = new Map<string, string>();

  constructor(system: System, probe: Probe, calleePort: number) {
    this.#system = system;
    this.#probe = probe;
    this.#calleePort = calleePort;
  }

  async load(count: number, perSecond: number): Promise<LoadSeen> {
    const probing = Math.round((count * PROBES_PER_SECOND) / perSecond);
    const all = callers(count + probing, this.#results.size);
    const [load, probes] = [all.slice(0, count), all.slice(count)];
    const numbers = Array.from({ length: 100 }, (_, i) => `+${12025550100 + i}`);
    const list = load.map((caller, i) => ({ caller, number: numbers[i % numbers.length] ?? '' }));
    for (const caller of load) this.#results.set(caller, 'answered');
    for (const caller of probes) this.#results.set(caller, 'busy');

    const callee = sipp('callee', { port: this.#calleePort, calls: count, perSecond });
    // sipp has no way to say that it listens; an INVITE that comes too early would be a retransmission.
    await wait(500);
    const [seenByCaller, seenByCallee, seenByProbe] = await Promise.all([
      sipp('caller', {
        port: await freePort(),
        calls: count,
        to: this.#system.sip,
        list,
        perSecond,
      }),
      callee,
      this.#probe.calls(this.#system.sip, PROBE_NUMBER, probes, PROBES_PER_SECOND),
    ]);
    return { caller: seenByCaller, callee: seenByCallee, probes: seenByProbe };
  }

  /** Once all are there, or are not coming. */
  async records(): Promise<RecordCheck> {
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const check = await checkRecords(this.#system, this.#results);
      if (check.missing + check.wrong === 0 || performance.now() > deadline) return check;
      await wait(500);
    }
  }
}

/** Numbers of callers, from the one after the first `skip`, none of which is called. */
function callers(count: number, skip: number): string[] {
  return fictionalNumbers(10_000 + skip + count).slice(10_000 + skip);
}

function declaration(calleePort: number, probePort: number): string {
  return `    trunks:
      - name: carrier
        addresses: [127.0.0.1/32]
    sites:
      - name: site
        origins: [self]
        printedNumber: '+12125550150'
        heartbeatMs: 60000
        holdMs: 3600000
    endpoints:
      - name: load
        destinations: ['sip:agent@127.0.0.1:${calleePort}']
      - name: probe
        destinations: ['sip:agent@127.0.0.1:${probePort}']
    pools:
      - name: load
        numbers: ['${LOAD_NUMBERS}']
        trunk: carrier
        endpoint: load
        defaultEndpoint: load
      - name: probe
        numbers: ['${PROBE_NUMBER}']
        trunk: carrier
        endpoint: probe
        defaultEndpoint: probe
`;
}

function figures(latencies: Latencies) {
  return {
    samples: latencies.count,
    p50: rounded(latencies.quantile(0.5)),
    p99: rounded(latencies.quantile(0.99)),
  };
}

function faultsOf(
  quick: boolean,
  loads: readonly LoadSeen[],
  records: RecordCheck,
  before: State,
  after: State,
): string[] {
  const faults = leaks(before, after);
  for (const { caller, callee, probes } of loads) {
    const failed = caller.failed + callee.failed + probes.failed;
    if (failed > 0) faults.push(`${failed} calls failed: ${caller.errors || callee.errors || 'probes'}`);
  }
  const { expected, missing, surplus, wrong } = records;
  if (missing + surplus + wrong > 0)
    faults.push(`records of ${expected} calls: ${missing} missing, ${surplus} too many, ${wrong} wrong`);
  // The short run is over before its first transactions are: its memory says nothing.
  if (quick) return faults;
  faults.push(...growths(before, after));
  return faults;
}
