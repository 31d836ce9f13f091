import { System } from '../e2e/system.js';
import { Latencies, median, rounded, summary } from './latencies.js';
import { failures, LoadEnds } from './load-ends.js';
import type { Part, Progress } from './part.js';
import { freeSwitchCommand, PlainNode } from './plain-node.js';
import { cpuMs } from './processes.js';
import { switchWay, throughWay, type Round, type Way } from './ways.js';

/** With the probe's five a second about half of what one FreeSWITCH carries on two cores that it shares with all the rest. */
const PER_SECOND = 20;
/** What FreeSWITCH may take more for a call of ours. */
const MOST = 1.05;

/**
 * The same calls through the whole switch and through a FreeSWITCH alone beside it, with a dialplan that asks Redis itself, in
 * turn: what FreeSWITCH takes for a call, and what drachtio-server and the application add until it rings.
 */
export async function mediaNodePart(quick: boolean, progress: Progress): Promise<Part> {
  const command = freeSwitchCommand();
  if (command === undefined) return { figures: { notTaken: 'there is no FreeSWITCH to start' }, faults: [] };
  const [rounds, warmUp, count] = quick ? [2, 40, 50] : [12, 200, 100];
  const ends = await LoadEnds.open();
  const ours: Round[] = [];
  const alone: Round[] = [];
  try {
    const system = await System.start(ends.declaration(), 'info');
    try {
      const node = await PlainNode.start(command, ends.ways());
      try {
        const ways: readonly [Way, Round[]][] = [
          [switchWay(system), ours],
          [{ sip: node.sip, cpuTimes: () => ({ 'media-server': cpuMs(node.pid) }) }, alone],
        ];
        for (const [{ sip }] of ways) await ends.load(sip, warmUp, PER_SECOND);
        for (let round = 0; round < rounds; round++) {
          progress(`mediaNode: round ${String(round + 1)} of ${String(rounds)}`);
          // Neither is always the one that finds the machine as the other left it.
          for (const [way, seen] of round % 2 === 0 ? ways : [...ways].reverse())
            seen.push(await throughWay(way, ends, count, PER_SECOND));
        }
      } finally {
        await node.stop();
      }
    } finally {
      await system.stop();
    }
  } finally {
    await ends.close();
  }
  const cpu = (all: readonly Round[], program: string): number[] =>
    all.map((one) => one.cpuMs[program] ?? Number.NaN);
  const freeSwitch = { ours: cpu(ours, 'media-server'), alone: cpu(alone, 'media-server') };
  // Of all together: who goes first in a round has what is left of his own calls before, in one round this, in the next that.
  const toAlone = rounded(sum(freeSwitch.ours) / sum(freeSwitch.alone));
  const faults = failures([...ours, ...alone].map(({ load }) => load));
  if (!quick && toAlone > MOST)
    faults.push(
      `FreeSWITCH takes ${String(toAlone)} times as much for a call, at most ${String(MOST)} expected`,
    );
  return {
    figures: {
      calls: { rounds, each: count, perSecond: PER_SECOND },
      freeSwitchCpuMsPerCall: freeSwitch,
      freeSwitchToAlone: toAlone,
      applicationCpuMsPerCall: rounded(median(cpu(ours, 'application'))),
      drachtioCpuMsPerCall: rounded(median(cpu(ours, 'sip-server'))),
      inviteToRingingMs: ringing(ours),
      inviteToRingingAloneMs: ringing(alone),
    },
    faults: faults.map((fault) => `mediaNode: ${fault}`),
  };
}

function sum(all: readonly number[]): number {
  return all.reduce((whole, one) => whole + one, 0);
}

function ringing(rounds: readonly Round[]) {
  const all = new Latencies();
  for (const { load } of rounds) all.add(load.probes.toRinging);
  return summary(all);
}
