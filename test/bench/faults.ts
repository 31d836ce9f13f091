import { setTimeout as wait } from 'node:timers/promises';
import { onRealServers } from '../e2e/system.js';
import { KINDS } from './faults/kinds.js';
import { runFault } from './faults/run.js';
import type { Part, Progress } from './part.js';

const FULL = { perSecond: 20, established: 20, beforeMs: 4000, afterMs: 16_000 };
const QUICK = { perSecond: 10, established: 10, beforeMs: 2000, afterMs: 12_000 };
/** The ports of the standalone servers, and the real ones, are free again. */
const BETWEEN_MS = 500;

/** Every fault of `faults/kinds.ts` in turn, each with a switch of its own, under calls. */
export async function faultsPart(quick: boolean, progress: Progress): Promise<Part> {
  const figures: Record<string, unknown> = {
    servers: onRealServers ? 'drachtio-server and FreeSWITCH' : 'standalone',
    load: quick ? QUICK : FULL,
  };
  const faults: string[] = [];
  for (const kind of KINDS) {
    progress(`faults: ${kind.name}`);
    const { outcome, broken } = await runFault(kind, quick ? QUICK : FULL);
    const { examples, ...counts } = outcome;
    figures[kind.name] = counts;
    faults.push(...broken.map((fault) => `faults: ${kind.name}: ${fault}`));
    if (broken.length > 0) for (const example of examples) progress(example);
    await wait(BETWEEN_MS);
  }
  return { figures, faults };
}
