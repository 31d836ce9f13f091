import { onRealServers, System } from '../e2e/system.js';
import { until } from '../support/until.js';
import { summary } from './latencies.js';
import { failures, LoadEnds } from './load-ends.js';
import type { Part, Progress } from './part.js';
import { switchWay, throughWay } from './ways.js';

const RATES = [100, 250, 300];
/** From here on up no rate is required. */
const REQUIRED = 250;

/**
 * One-second calls that go straight to their destination, as the only media node is drained: more and more of them a second. sipp at
 * both ends shares the machine.
 */
export async function directPart(quick: boolean, progress: Progress): Promise<Part> {
  const seconds = quick ? 3 : 15;
  const ends = await LoadEnds.open();
  try {
    const system = await System.start(ends.declaration(), 'info');
    try {
      await drained(system);
      const rates: Record<string, unknown> = {};
      const faults: string[] = [];
      await ends.load(system.sip, quick ? 100 : 1000, 50);
      for (const perSecond of RATES.slice(0, quick ? 1 : RATES.length)) {
        progress(`direct: ${String(perSecond)}/s`);
        const { load, cpuMs } = await throughWay(switchWay(system), ends, perSecond * seconds, perSecond);
        rates[perSecond] = {
          caller: load.caller,
          callee: load.callee,
          probesFailed: load.probes.failed,
          inviteToRingingMs: summary(load.probes.toRinging),
          cpuMsPerCall: cpuMs,
        };
        if (perSecond <= REQUIRED)
          faults.push(...failures([load]).map((fault) => `direct: ${fault} at ${String(perSecond)}/s`));
      }
      return { figures: { servers: onRealServers ? 'drachtio-server' : 'standalone', rates }, faults };
    } finally {
      await system.stop();
    }
  } finally {
    await ends.close();
  }
}

/** No node takes calls any more. */
async function drained(system: System): Promise<void> {
  const listed = async (): Promise<string> => (await system.command('node', 'list')).out;
  const name = /^\S+/.exec(await listed())?.[0] ?? '';
  const { code, err } = await system.command('node', 'drain', name);
  if (code !== 0) throw new Error(`the node was not drained: ${err}`);
  await until(async () => (await listed()).includes('  drained'), 20_000);
}
