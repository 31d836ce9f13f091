/**
 * `npm run bench [-- [--quick] [part ...]]`: measures, and prints one JSON object on standard output; what it is doing
 * stands on standard error. `--quick` is short and for tests. The exit code is 1 when a condition does not hold, 2 for
 * wrong arguments. docs/reference/measurements.md says how each figure is taken.
 */
import { loadavg } from 'node:os';
import { allocationPart } from './allocation.js';
import { applicationCpuPart } from './application-cpu.js';
import { callsPart } from './calls.js';
import { decisionsPart } from './decisions.js';
import { directPart } from './direct.js';
import { faultsPart } from './faults.js';
import { httpLayersPart } from './http-layers.js';
import { machineFacts } from './machine.js';
import { mediaNodePart } from './media-node.js';
import { nodeSettingsPart } from './node-settings.js';
import type { Part, Progress } from './part.js';
import { poolSizePart } from './pool-size.js';
import { soakPart } from './soak.js';

const PARTS: Readonly<Record<string, (quick: boolean, progress: Progress) => Promise<Part>>> = {
  allocation: allocationPart,
  httpLayers: httpLayersPart,
  poolSize: poolSizePart,
  decisions: decisionsPart,
  calls: callsPart,
  mediaNode: mediaNodePart,
  applicationCpu: applicationCpuPart,
  nodeSettings: nodeSettingsPart,
  direct: directPart,
  faults: faultsPart,
  soak: soakPart,
};

async function bench(args: readonly string[]): Promise<number> {
  const quick = args.includes('--quick');
  const named = args.filter((arg) => arg !== '--quick');
  const unknown = named.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    process.stderr.write(
      `bench: there is no part ${unknown}; expected --quick or some of ${Object.keys(PARTS).join(', ')}\n`,
    );
    return 2;
  }
  const started = performance.now();
  const progress: Progress = (text) => {
    process.stderr.write(`bench: ${((performance.now() - started) / 1000).toFixed(0)} s: ${text}\n`);
  };
  const machine = await machineFacts();
  const figures: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (named.length > 0 && !named.includes(name)) continue;
    progress(name);
    const loadBefore = rounded(loadavg()[0]);
    const result = await part(quick, progress);
    figures[name] = { loadBefore, ...result.figures };
    faults.push(...result.faults);
  }
  process.stdout.write(
    `${JSON.stringify({ quick, machine, ...figures, doesNotHold: faults }, undefined, 2)}\n`,
  );
  for (const fault of faults) progress(`does not hold: ${fault}`);
  return faults.length > 0 ? 1 : 0;
}

const rounded = (load: number | undefined): number => Number((load ?? 0).toFixed(2));

bench(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
