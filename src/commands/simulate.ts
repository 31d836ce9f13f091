import { Exit } from '../directory/commands.js';
import { createLogger } from '../observe/logger.js';
import type { Outcome } from '../simulation/outcome.js';
import { BEHAVIOUR } from '../simulation/visits.js';
import { NoRedis, withPrivateRedis } from '../start/private-redis.js';
import { readArguments } from './arguments.js';
import { percent, type Lines } from './io.js';
import { runSimulation } from './run-simulation.js';

/** By option: its value when absent, the least and the most that are taken. */
const OPTIONS = {
  numbers: { or: 130, least: 1, most: 100_000 },
  'visits-per-hour': { or: BEHAVIOUR.visitsPerHour, least: 1, most: 100_000 },
  hours: { or: 120, least: 1, most: 8_760 },
  seed: { or: 1, least: 0, most: 2 ** 31 - 1 },
} as const;

type Option = keyof typeof OPTIONS;

/**
 * `tagswitch simulate`: visitors and callers on a clock against the real allocator, on a redis-server of its own.
 * @returns 0; 1 when there is no redis-server; 2 for bad arguments
 */
export async function simulateCommand(argv: readonly string[], io: Lines): Promise<number> {
  const read = readArguments(argv, {
    words: [],
    options: { numbers: 'COUNT', 'visits-per-hour': 'COUNT', hours: 'COUNT', seed: 'NUMBER', json: null },
  });
  const faults = 'faults' in read ? read.faults : [];
  const value = (name: Option): number => {
    const { or, least, most } = OPTIONS[name];
    const text = 'faults' in read ? undefined : read.options.get(name);
    if (text === undefined) return or;
    const given = /^\d{1,10}$/.test(text) ? Number(text) : -1;
    if (given < least || given > most)
      faults.push(`--${name}: expected a whole number from ${String(least)} to ${String(most)}`);
    return given;
  };
  const [numbers, visitsPerHour] = [value('numbers'), value('visits-per-hour')];
  const [hours, seed] = [value('hours'), value('seed')];
  if ('faults' in read || faults.length > 0) {
    for (const fault of faults) io.err(`tagswitch simulate: ${fault}`);
    return Exit.badInput;
  }
  try {
    const settings = { numbers, hours, seed, behaviour: { ...BEHAVIOUR, visitsPerHour } };
    const outcome = await withPrivateRedis((url) => runSimulation(url, settings, createLogger('silent')));
    const given = { seed, numbers, visitsPerHour, hours };
    if (read.options.has('json')) io.out(JSON.stringify({ ...given, ...outcome }));
    else for (const line of outcomeLines(given, outcome)) io.out(line);
    return Exit.done;
  } catch (error) {
    if (!(error instanceof NoRedis)) throw error;
    io.err(`tagswitch simulate: ${error.message}`);
    return Exit.refused;
  }
}

interface Given {
  readonly seed: number;
  readonly numbers: number;
  readonly visitsPerHour: number;
  readonly hours: number;
}

/** The outcome as a table for people. */
function outcomeLines(given: Given, outcome: Outcome): string[] {
  const { visits, blocked, calls, wrongNewest, wrongRanked } = outcome;
  const share = (part: number, all: number): string => percent(all === 0 ? 0 : part / all);
  const window = (given.numbers / given.visitsPerHour) * 60;
  const rows: readonly (readonly [string, string, string])[] = [
    ['visits', count(visits), ''],
    [
      'offered load, erlangs',
      outcome.offered.toFixed(1),
      `a number is held ${minutes(outcome.meanHoldMs)} on average`,
    ],
    [
      'visits without a number',
      share(blocked, visits),
      `Erlang B expects ${percent(outcome.expectedBlockedShare)}`,
    ],
    ['reuse window, minutes', window.toFixed(1), 'from showing a number to showing it to the next'],
    ['calls to numbers of the pool', count(calls), ''],
    ['wrong: newest holder alone', share(wrongNewest, calls), `${count(wrongNewest)} calls`],
    ['wrong: candidates and taps', share(wrongRanked, calls), `${count(wrongRanked)} calls`],
    ['Brier score', outcome.brier.toFixed(4), '0 is best; 0.25 is a coin'],
  ];
  return [
    `${count(given.numbers)} numbers, ${count(given.visitsPerHour)} visits an hour, ${count(given.hours)} hours, seed ${String(given.seed)}`,
    '',
    ...rows.map(([name, figure, note]) => `${name.padEnd(30)}${figure.padStart(9)}   ${note}`.trimEnd()),
    '',
    'stated probability        calls   mean stated   were right',
    ...outcome.bins.map(
      ({ from, to, calls: n, stated, right }) =>
        `${from.toFixed(1)} to ${to.toFixed(1)}`.padEnd(21) +
        count(n).padStart(10) +
        percent(stated).padStart(14) +
        percent(right).padStart(13),
    ),
  ];
}

function minutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} minutes`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
