import { onRealServers } from '../e2e/system.js';
import { rounded } from './latencies.js';
import type { LoadEnds, LoadSeen } from './load-ends.js';
import { PlainNode, type Change } from './plain-node.js';
import { cpuMs } from './processes.js';
import type { Audio } from './sipp.js';

export interface PlainLoad {
  /** Calls before those that are measured. */
  readonly warmUp: number;
  readonly count: number;
  readonly perSecond: number;
  readonly audio?: Audio | undefined;
  readonly changes?: readonly Change[] | undefined;
  /** Events that somebody listens to, and of whose legs. */
  readonly events?: readonly string[] | undefined;
  readonly only?: readonly (readonly [string, string])[] | undefined;
}

/** The command that starts a FreeSWITCH of the bench's; `undefined` where there is none. */
export function freeSwitchCommand(): string | undefined {
  return onRealServers ? process.env['TAGSWITCH_TEST_FREESWITCH_COMMAND'] : undefined;
}

/** Calls through a FreeSWITCH that is started for them, and what it took for each of them, in ms of CPU. */
export async function loadPlainNode(
  command: string,
  ends: LoadEnds,
  { warmUp, count, perSecond, audio, changes, events, only = [] }: PlainLoad,
): Promise<{ load: LoadSeen; cpuMsPerCall: number }> {
  const node = await PlainNode.start(command, ends.ways(), changes);
  const listener = events === undefined ? undefined : await node.events();
  try {
    await listener?.subscribe(events ?? [], only);
    await ends.load(node.sip, warmUp, perSecond);
    const before = cpuMs(node.pid);
    const load = await ends.load(node.sip, count, perSecond, audio);
    return { load, cpuMsPerCall: rounded((cpuMs(node.pid) - before) / load.results.size) };
  } finally {
    listener?.close();
    await node.stop();
  }
}
