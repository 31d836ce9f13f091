import type { HostPort } from '../addresses.js';
import { Exit } from '../directory/commands.js';
import { parseTime, TIME_WORDS } from '../http/call-query.js';
import type { RouteView } from '../http/route.js';
import { displayNumber, isE164 } from '../numbers/e164.js';
import { ATTESTATIONS } from '../routing/attestation.js';
import { ApiFault, CallApi } from './api.js';
import { readArguments } from './arguments.js';
import { DEMO_KEY, isKey, type Lines } from './io.js';

export interface RouteIo extends Lines {
  readonly http: HostPort;
}

const OPTIONS = {
  caller: 'a number in E.164',
  at: 'a time in ISO 8601',
  attestation: ATTESTATIONS.join(', '),
  json: null,
  key: 'an API key',
} as const;

/**
 * `tagswitch route NUMBER`: who would be rung by a call, and why, without one.
 * @returns 0; 1 when the switch does not say; 2 for bad arguments
 */
export async function routeCommand(argv: readonly string[], io: RouteIo): Promise<number> {
  const read = readArguments(argv, { words: ['NUMBER'], options: OPTIONS });
  if ('faults' in read) return refuse(io, read.faults);
  const number = read.words[0] ?? '';
  const { options } = read;
  const [caller, at, attestation] = [options.get('caller'), options.get('at'), options.get('attestation')];
  const key = options.get('key') ?? DEMO_KEY;
  const faults: string[] = [];
  if (!isE164(number)) faults.push('NUMBER: expected a number in E.164, +12025550100');
  if (caller !== undefined && !isE164(caller))
    faults.push('--caller: expected a number in E.164, +12025550123');
  // Not `Date.parse`: it takes a time without a zone for one of this machine's.
  const time = at === undefined ? undefined : parseTime(at);
  if (at !== undefined && time === undefined) faults.push(`--at: expected ${TIME_WORDS}`);
  if (attestation !== undefined && !(ATTESTATIONS as readonly string[]).includes(attestation))
    faults.push(`--attestation: expected one of ${ATTESTATIONS.join(', ')}`);
  if (!isKey(key)) faults.push('--key: expected an API key, printable ASCII characters without blanks');
  if (faults.length > 0) return refuse(io, faults);
  try {
    const route = await new CallApi(io.http, key).route({
      number,
      ...(caller === undefined ? {} : { caller }),
      ...(time === undefined ? {} : { at: new Date(time).toISOString() }),
      ...(attestation === undefined ? {} : { attestation }),
    });
    if (options.has('json')) io.out(JSON.stringify(route, undefined, 2));
    else for (const line of routeText(route)) io.out(line);
    return Exit.done;
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    io.err(`tagswitch route: ${error.message}`);
    return Exit.refused;
  }
}

function refuse(io: RouteIo, faults: readonly string[]): number {
  for (const fault of faults) io.err(`tagswitch route: ${fault}`);
  return Exit.badInput;
}

const STANDS: Readonly<Record<string, string>> = {
  linked: 'it is linked to it now',
  lastHolder: 'that is the last one that held it',
  poolDefault: 'nobody held it, and that is the default of its pool',
};
const BECAUSE: Readonly<Record<string, string>> = {
  area: 'by a rule, for the area of the caller',
  attestation: "by a rule, for the attestation of the caller's number",
  closed: 'as overflow, for the one before is closed',
  full: 'as overflow, for the one before has as many calls as it may',
};
const TURNED_AWAY: Readonly<Record<string, string>> = {
  closed: '480: it is closed, and has no overflow that is open',
  full: '486: it has as many calls as it may',
  unknownNumber: '404: nobody held the number, and its pool has no default endpoint',
  noWayOut: '480: none of its destinations can be reached, no trunk of theirs has a gateway',
};

/** The way of a call in sentences, one a line. */
export function routeText({ number, at, standsFor, steps, turnedAway, plan }: RouteView): string[] {
  const lines = [`A call to ${displayNumber(number, 'international')} at ${at}`];
  if (standsFor !== null)
    lines.push(`stands for ${standsFor.name}: ${STANDS[standsFor.why] ?? standsFor.why}.`);
  for (const { name, because } of steps.slice(1))
    lines.push(`goes to ${name}, ${BECAUSE[because] ?? because}.`);
  if (turnedAway !== null) lines.push(`gets ${TURNED_AWAY[turnedAway] ?? turnedAway}.`);
  plan?.rounds.forEach((groups, round) => {
    lines.push(round === 0 ? 'rings' : `rings, when that way is out of order (${String(round + 1)}.)`);
    for (const { ringMs, legs } of groups) {
      const texts = legs.map(({ to, trunk }) => (trunk === null ? to : `${to} over ${trunk}`));
      lines.push(`  ${String(ringMs / 1000)} s: ${texts.join(' and ')}`);
    }
  });
  if (plan?.whisper !== null && plan?.whisper !== undefined)
    lines.push(`The callee alone hears ${plan.whisper} first.`);
  if (plan?.maxCallMs !== null && plan?.maxCallMs !== undefined)
    lines.push(`It ends ${String(plan.maxCallMs / 1000)} s after its answer.`);
  return lines;
}
