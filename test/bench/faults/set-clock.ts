import { setTimeout as wait } from 'node:timers/promises';
import { SettableClock } from '../../e2e/settable-clock.js';
import type { System } from '../../e2e/system.js';
import { allRecords } from '../call-records.js';
import type { Stage } from './kinds.js';

const STEP_MS = 3_600_000;
/** With the wrong time, before it is set right again. */
const WRONG_MS = 5000;
/** No call of the load takes longer than the established ones, in which this much is not contained. */
const LONGEST_MS = 120_000;

/**
 * The clock of the application's machine is set by an hour while calls come, ring, are up and end, and set right again 5 s later.
 * `by` is +1 for forwards first, -1 for backwards first. Redis and the media node are on other machines.
 */
export function clockSet(by: 1 | -1): () => Promise<Stage> {
  return () => {
    const clock = new SettableClock();
    const seen: string[] = [];
    let held = '';
    return Promise.resolve({
      started: async (system: System) => {
        clock.started();
        held = (await system.allocate('end0', 'session-0-0')).number;
      },
      strike: async (system: System) => {
        for (const [i, offset] of [by * STEP_MS, 0].entries()) {
          clock.set(system, offset);
          seen.push(...(await linksAfter(system, held, i)));
          if (i === 0) await wait(WRONG_MS);
        }
      },
      checked: async (system: System) => {
        await clock.told(system, 2);
        return [...seen, ...(await oddTimes(system))];
      },
      close: () => {
        clock.close();
        return Promise.resolve();
      },
    });
  };
}

/** All numbers are held: whoever had one keeps it, and nobody else gets one. */
async function linksAfter(system: System, held: string, i: number): Promise<string[]> {
  const holder = await system.allocate('end0', 'session-0-0');
  const stranger = await system.allocate('end0', `stranger-${String(i)}`);
  return [
    ...(holder.level === 'session' && holder.number === held ? [] : ['a page lost its number']),
    ...(stranger.level === 'none' ? [] : [`a held number was given away: ${stranger.level}`]),
  ];
}

/** Records whose times contradict each other, or are an hour off the machine's. */
async function oddTimes(system: System): Promise<string[]> {
  const odd: string[] = [];
  for await (const record of allRecords(system)) {
    const { startedAt, ringingAt, answeredAt, endedAt, ringMs, talkMs } = record;
    const times = [startedAt, ringingAt, answeredAt, endedAt].flatMap((at) =>
      at === null ? [] : [Date.parse(at)],
    );
    const inOrder = times.every((at, i) => i === 0 || at >= (times[i - 1] ?? 0));
    const short = (times.at(-1) ?? 0) - (times[0] ?? 0) <= LONGEST_MS;
    const sensible = [ringMs, talkMs].every((ms) => ms === null || (ms >= 0 && ms <= LONGEST_MS));
    if (!inOrder || !short || !sensible)
      odd.push(
        JSON.stringify({ startedAt, ringingAt, answeredAt, endedAt, ringMs, talkMs, media: record.media }),
      );
  }
  return odd.length === 0
    ? []
    : [`${String(odd.length)} records have odd times: ${odd.slice(0, 3).join(' ')}`];
}
