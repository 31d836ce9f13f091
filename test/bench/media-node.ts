import { System } from '../e2e/system.js';
import { BareSwitch } from './bare-switch.js';
import { Latencies, median, rounded, summary } from './latencies.js';
import { cpuPerCall, cpuTimes } from './leftovers.js';
import { failures, LoadEnds, type LoadSeen } from './load-ends.js';
import { freeSwitchCommand, loadPlainNode } from './load-plain-node.js';
import type { Part, Progress } from './part.js';
import { cpuMs } from './processes.js';

/** With the probe's five a second about half of what one FreeSWITCH carries on two cores that it shares with all the rest. */
const PER_SECOND = 20;
/** What FreeSWITCH may take more for a call of ours. */
const MOST = 1.05;

interface Round {
  readonly load: LoadSeen;
  readonly cpuMs: Readonly<Partial<Record<string, number>>>;
}

/**
 * The same calls through the whole switch, through FreeSWITCH alone with a dialplan that asks Redis itself, and through the
 * two servers with a program that only proxies, in turn: what FreeSWITCH takes for a call, what drachtio-server and the
 * application add until it rings, and how much of the application's time is drachtio-srf's.
 */
export async function mediaNodePart(quick: boolean, progress: Progress): Promise<Part> {
  const command = freeSwitchCommand();
  if (command === undefined) return { figures: { notTaken: 'there is no FreeSWITCH to start' }, faults: [] };
  const [rounds, warmUp, count] = quick ? [1, 40, 100] : [3, 100, 400];
  const ends = await LoadEnds.open();
  const ours: Round[] = [];
  const alone: Round[] = [];
  const bare: Round[] = [];
  const drachtio = process.env['TAGSWITCH_TEST_DRACHTIO_COMMAND'];
  try {
    for (let round = 0; round < rounds; round++) {
      // Neither is always the one that finds the machine as the other left it.
      const turns = [
        async () => ours.push(await throughTheSwitch(ends, warmUp, count)),
        async () => alone.push(await throughFreeSwitchAlone(command, ends, warmUp, count)),
        ...(drachtio === undefined
          ? []
          : [async () => bare.push(await throughBareSwitch(command, drachtio, ends, warmUp, count))]),
      ];
      if (round % 2 === 1) turns.reverse();
      for (const turn of turns) {
        progress(`mediaNode: round ${String(round + 1)} of ${String(rounds)}`);
        await turn();
      }
    }
  } finally {
    await ends.close();
  }
  const cpu = (all: readonly Round[], program: string): number[] =>
    all.map((one) => one.cpuMs[program] ?? Number.NaN);
  const freeSwitch = { ours: cpu(ours, 'media-server'), alone: cpu(alone, 'media-server') };
  const toAlone = rounded(median(freeSwitch.ours.map((ms, i) => ms / (freeSwitch.alone[i] ?? Number.NaN))));
  const faults = failures([...ours, ...alone, ...bare].map(({ load }) => load));
  if (!quick && toAlone > MOST)
    faults.push(
      `FreeSWITCH takes ${String(toAlone)} times as much for a call, at most ${String(MOST)} expected`,
    );
  return {
    figures: {
      calls: { rounds, each: count, perSecond: PER_SECOND },
      freeSwitchCpuMsPerCall: freeSwitch,
      freeSwitchToAlone: toAlone,
      applicationCpuMsPerCall: cpu(ours, 'application'),
      bareProxyCpuMsPerCall: cpu(bare, 'application'),
      drachtioCpuMsPerCall: cpu(ours, 'sip-server'),
      inviteToRingingMs: ringing(ours),
      inviteToRingingAloneMs: ringing(alone),
    },
    faults: faults.map((fault) => `mediaNode: ${fault}`),
  };
}

function ringing(rounds: readonly Round[]) {
  const all = new Latencies();
  for (const { load } of rounds) all.add(load.probes.toRinging);
  return summary(all);
}

async function throughTheSwitch(ends: LoadEnds, warmUp: number, count: number): Promise<Round> {
  const system = await System.start(ends.declaration(), 'info');
  try {
    await ends.load(system.sip, warmUp, PER_SECOND);
    const before = cpuTimes(system);
    const load = await ends.load(system.sip, count, PER_SECOND);
    return { load, cpuMs: cpuPerCall(before, cpuTimes(system), load.results.size) };
  } finally {
    await system.stop();
  }
}

async function throughFreeSwitchAlone(
  command: string,
  ends: LoadEnds,
  warmUp: number,
  count: number,
): Promise<Round> {
  const { load, cpuMsPerCall } = await loadPlainNode(command, ends, { warmUp, count, perSecond: PER_SECOND });
  return { load, cpuMs: { 'media-server': cpuMsPerCall } };
}

async function throughBareSwitch(
  command: string,
  drachtio: string,
  ends: LoadEnds,
  warmUp: number,
  count: number,
): Promise<Round> {
  const bare = await BareSwitch.start(command, drachtio, ends.ways());
  try {
    await ends.load(bare.sip, warmUp, PER_SECOND);
    const before = cpuMs(bare.pid);
    const load = await ends.load(bare.sip, count, PER_SECOND);
    return { load, cpuMs: { application: rounded((cpuMs(bare.pid) - before) / load.results.size) } };
  } finally {
    await bare.stop();
  }
}
