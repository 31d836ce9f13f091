import { System } from '../../e2e/system.js';
import { FaultLoad, type Measure, type Outcome } from './load.js';
import type { Kind } from './kinds.js';

export interface FaultResult {
  readonly outcome: Outcome;
  /** What was required and does not hold, a sentence each. */
  readonly broken: readonly string[];
}

/** One switch, one load, one fault. */
export async function runFault(kind: Kind, measure: Measure): Promise<FaultResult> {
  const stage = await kind.stage();
  const load = await FaultLoad.open();
  let system: System | undefined;
  try {
    const started = (system = await System.start(load.declaration, 'info', stage.environment ?? {}));
    await load.link(started);
    await stage.started?.(started);
    await load.run(started, () => stage.strike(started), measure);
    await started.ready();
    const outcome = await load.outcome(started);
    const more = (await stage.checked?.(started)) ?? [];
    return { outcome, broken: [...brokenBy(outcome, kind), ...more] };
  } finally {
    await system?.stop();
    await load.close();
    await stage.close?.();
  }
}

/** Whatever fails: no record lost, no call astray, and calls that are up stay up unless they were in what died. */
function brokenBy(outcome: Outcome, { mayDrop }: Kind): string[] {
  const none = (count: number, what: string): string[] => (count > 0 ? [`${String(count)} ${what}`] : []);
  return [
    ...none(outcome.recordsLost, 'records lost'),
    ...none(outcome.recordsWrong, 'records wrong'),
    ...none(outcome.wrongDestination, 'calls to a wrong destination'),
    ...(mayDrop === true ? [] : none(outcome.dropped, 'established calls dropped')),
  ];
}
