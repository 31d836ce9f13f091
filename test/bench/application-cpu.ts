import { System } from '../e2e/system.js';
import { BareSwitch } from './bare-switch.js';
import { failures, LoadEnds } from './load-ends.js';
import type { Part, Progress } from './part.js';
import { freeSwitchCommand } from './plain-node.js';
import { switchWay, throughWay, type Round, type Way } from './ways.js';

/** With the probe's five a second nearly all that one FreeSWITCH carries on two cores that it shares with all the rest. */
const PER_SECOND = 40;

/**
 * What the application takes of the CPU for a call through drachtio-server and FreeSWITCH, once the compiler has seen it all;
 * and beside it a program that only proxies: how much of that is drachtio-srf's.
 */
export async function applicationCpuPart(quick: boolean, progress: Progress): Promise<Part> {
  const freeSwitch = freeSwitchCommand();
  const drachtio = process.env['TAGSWITCH_TEST_DRACHTIO_COMMAND'];
  if (freeSwitch === undefined || drachtio === undefined)
    return { figures: { notTaken: 'there is no drachtio-server or FreeSWITCH to start' }, faults: [] };
  const [warmUp, count] = quick ? [40, 80] : [3_000, 1_500];
  const ends = await LoadEnds.open();
  const through = async (name: string, way: Way): Promise<Round> => {
    progress(`applicationCpu: ${name}`);
    await ends.load(way.sip, warmUp, PER_SECOND);
    return throughWay(way, ends, count, PER_SECOND);
  };
  try {
    const bare = await BareSwitch.start(freeSwitch, drachtio, ends.ways());
    const proxied = await through('a program that only proxies', bare).finally(() => bare.stop());
    const system = await System.start(ends.declaration(), 'info');
    const whole = await through('the switch', switchWay(system)).finally(() => system.stop());
    return {
      figures: {
        calls: { warmUp, count, perSecond: PER_SECOND },
        cpuMsPerCall: whole.cpuMs,
        bareProxyCpuMsPerCall: proxied.cpuMs,
      },
      faults: failures([proxied.load, whole.load]).map((fault) => `applicationCpu: ${fault}`),
    };
  } finally {
    await ends.close();
  }
}
