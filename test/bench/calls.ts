import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLogger } from '../../src/observe/logger.js';
import { RedisClients } from '../../src/redis/clients.js';
import { onRealServers, System } from '../e2e/system.js';
import { checkRecords, type RecordCheck } from './call-records.js';
import { summary } from './latencies.js';
import { growths, Holdings, leaks, LINGER_MS, preload, SETTLE_MS, type State } from './leftovers.js';
import { failures, LoadEnds, PROBE_NUMBER, type LoadSeen } from './load-ends.js';
import type { Part, Progress } from './part.js';
import { switchWay, throughWay } from './ways.js';

const PER_SECOND = 50;
/** Programs that have only just started, and whose code is not compiled yet, do not do more on a small machine. */
const WARM_UP_PER_SECOND = 20;
/** Half of the numbers have a live link while they are called. */
const LINKS = 50;

/**
 * One-second calls through the whole switch at 50 a second, sipp at both ends, and beside them a caller and a callee of
 * ours that measure what the switch adds. First calls to warm up, then those that count.
 */
export async function callsPart(quick: boolean, progress: Progress): Promise<Part> {
  const [warmUp, count] = quick ? [100, 300] : [1000, 3000];
  const restore = preload(fileURLToPath(new URL('../../../test/bench/gc-on-signal.cjs', import.meta.url)));
  const ends = await LoadEnds.open();
  try {
    progress('calls: the ends alone');
    const self = `127.0.0.1:${ends.probe.sip.port}`;
    const direct = await ends.probe.calls(self, PROBE_NUMBER, ends.callers(60), 20);
    progress('calls: starting the switch');
    const system = await System.start(ends.declaration(), 'info');
    const redis = new RedisClients(system.redisUrl, createLogger('error'));
    try {
      await redis.ready(10_000);
      for (let i = 0; i < LINKS; i++) await system.allocate('load', `session-${i}`);
      const holdings = new Holdings(system, redis.background);
      progress(`calls: ${warmUp} to warm up`);
      const warm = await ends.load(system.sip, warmUp, WARM_UP_PER_SECOND);
      const before = await holdings.settled(quick ? 0 : LINGER_MS);
      progress(`calls: ${count} at ${PER_SECOND}/s`);
      const { load, cpuMs } = await throughWay(switchWay(system), ends, count, PER_SECOND);
      progress('calls: looking for what is left');
      const after = await holdings.settled(quick ? 0 : LINGER_MS, before);
      const records = await recorded(system, new Map([...warm.results, ...load.results]));
      return {
        figures: {
          servers: onRealServers ? 'drachtio-server and FreeSWITCH' : 'standalone',
          calls: { warmUp, counted: count, perSecond: PER_SECOND, probed: load.results.size - count },
          caller: load.caller,
          callee: load.callee,
          probesFailed: load.probes.failed,
          cpuMsPerCall: cpuMs,
          inviteToInviteMs: summary(load.probes.toCallee),
          inviteToRingingMs: summary(load.probes.toRinging),
          inviteToRingingWithoutSwitchMs: summary(direct.toRinging),
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
    await ends.close();
    restore();
  }
}

/** What the call log says, once all is there, or is not coming. */
async function recorded(system: System, results: ReadonlyMap<string, string>): Promise<RecordCheck> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const check = await checkRecords(system, results);
    if (check.missing + check.wrong === 0 || performance.now() > deadline) return check;
    await wait(500);
  }
}

function faultsOf(
  quick: boolean,
  loads: readonly LoadSeen[],
  records: RecordCheck,
  before: State,
  after: State,
): string[] {
  const faults = [...leaks(before, after), ...failures(loads)];
  const { expected, missing, surplus, wrong } = records;
  if (missing + surplus + wrong > 0)
    faults.push(`records of ${expected} calls: ${missing} missing, ${surplus} too many, ${wrong} wrong`);
  // The short run is over before its first transactions are: its memory says nothing.
  if (!quick) faults.push(...growths(before, after));
  return faults;
}
