import type { System } from '../e2e/system.js';
import { cpuPerCall, cpuTimes, type Program } from './leftovers.js';
import type { LoadEnds, LoadSeen } from './load-ends.js';

/** Something that takes calls, and what its programs have taken of the CPU, ms. */
export interface Way {
  readonly sip: string;
  cpuTimes(): Readonly<Partial<Record<Program, number>>>;
}

/** The whole switch. */
export function switchWay(system: System): Way {
  return { sip: system.sip, cpuTimes: () => cpuTimes(system) };
}

/** Calls through it, and what a call took of each program's CPU, ms. */
export interface Round {
  readonly load: LoadSeen;
  readonly cpuMs: Readonly<Partial<Record<string, number>>>;
}

export async function throughWay(way: Way, ends: LoadEnds, count: number, perSecond: number): Promise<Round> {
  const before = way.cpuTimes();
  const load = await ends.load(way.sip, count, perSecond);
  return { load, cpuMs: cpuPerCall(before, way.cpuTimes(), load.results.size) };
}
