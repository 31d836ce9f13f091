import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../../src/start/ports.js';
import { fictionalNumbers } from './numbers.js';
import { Probe, type ProbeResult } from './probe.js';
import { sipp, type Audio, type SippResult } from './sipp.js';

const PROBES_PER_SECOND = 5;
export const PROBE_NUMBER = '+12125550100';
/** Called in turn. */
export const LOAD_NUMBERS: readonly string[] = Array.from(
  { length: 100 },
  (_, i) => `+${String(12025550100 + i)}`,
);

/** What both ends saw, and how each caller's one call is to have ended. */
export interface LoadSeen {
  readonly caller: SippResult;
  readonly callee: SippResult;
  readonly probes: ProbeResult;
  readonly results: ReadonlyMap<string, string>;
}

/** sipp at both ends of one-second calls, and beside them a caller and a callee of ours that measure what is between. */
export class LoadEnds {
  readonly probe: Probe;
  readonly calleePort: number;
  #calls = 0;

  private constructor(probe: Probe, calleePort: number) {
    this.probe = probe;
    this.calleePort = calleePort;
  }

  static async open(): Promise<LoadEnds> {
    return new LoadEnds(await Probe.open(), await freePort());
  }

  /** `count` calls to `to`, host:port, and five a second of the probe's. `audio`: what the caller sends is relayed, or transcoded. */
  async load(to: string, count: number, perSecond: number, audio?: Audio): Promise<LoadSeen> {
    const probing = Math.round((count * PROBES_PER_SECOND) / perSecond);
    const all = this.callers(count + probing);
    const [load, probes] = [all.slice(0, count), all.slice(count)];
    const list = load.map((caller, i) => ({ caller, number: LOAD_NUMBERS[i % LOAD_NUMBERS.length] ?? '' }));
    const heard = audio === undefined ? {} : { audio };
    const callee = sipp('callee', { port: this.calleePort, calls: count, perSecond, ...heard });
    // sipp has no way to say that it listens; an INVITE that comes too early would be a retransmission.
    await wait(500);
    const [seenByCaller, seenByCallee, seenByProbe] = await Promise.all([
      sipp('caller', { port: await freePort(), calls: count, to, list, perSecond, ...heard }),
      callee,
      this.probe.calls(to, PROBE_NUMBER, probes, PROBES_PER_SECOND),
    ]);
    return {
      caller: seenByCaller,
      callee: seenByCallee,
      probes: seenByProbe,
      results: new Map([
        ...load.map((caller) => [caller, 'answered'] as const),
        ...probes.map((caller) => [caller, 'busy'] as const),
      ]),
    };
  }

  /** Numbers of so many callers who have not called yet. */
  callers(count: number): string[] {
    this.#calls += count;
    return fictionalNumbers(10_000 + this.#calls).slice(-count);
  }

  async close(): Promise<void> {
    await this.probe.close();
  }

  /** Where each number leads, host:port, for one who does without the switch. */
  ways(): ReadonlyMap<string, string> {
    const callee = `127.0.0.1:${String(this.calleePort)}`;
    return new Map([
      ...LOAD_NUMBERS.map((number) => [number, callee] as const),
      [PROBE_NUMBER, `127.0.0.1:${String(this.probe.sip.port)}`] as const,
    ]);
  }

  /** What the switch is to know of both ends. */
  declaration(): string {
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
        destinations: ['sip:agent@127.0.0.1:${this.calleePort}']
      - name: probe
        destinations: ['sip:agent@127.0.0.1:${this.probe.sip.port}']
    pools:
      - name: load
        numbers: ['${LOAD_NUMBERS[0] ?? ''}-${LOAD_NUMBERS.at(-1) ?? ''}']
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
}

/** A sentence for each load of which a call failed. */
export function failures(loads: readonly LoadSeen[]): string[] {
  return loads.flatMap(({ caller, callee, probes }) => {
    const failed = caller.failed + callee.failed + probes.failed;
    return failed > 0 ? [`${failed} calls failed: ${caller.errors || callee.errors || 'probes'}`] : [];
  });
}
