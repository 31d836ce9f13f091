import { causeOf } from '../causes.js';
import { openSound, play, wait } from '../media/player.js';
import { bridge, type AfterBridge } from './bridge.js';
import type { CallerLeg } from './caller-leg.js';
import type { Ground } from './ground.js';

/** What an application works on. */
export interface Running {
  readonly ground: Ground;
  readonly caller: CallerLeg;
  /** Ends the call after a time, in ms, with a cause; replaces an earlier one. */
  readonly scheduleHangup: (ms: number, cause: string) => void;
}

export type Next = AfterBridge | { readonly go: 'execute'; readonly to: readonly string[] };

const on: Next = { go: 'on' };

type Application = (running: Running, data: string) => Next | Promise<Next>;

/** The applications that this server has; any other name ends the call with DESTINATION_OUT_OF_ORDER. */
export const applications: Readonly<Record<string, Application | undefined>> = {
  set: ({ caller }, data) => {
    assign(caller, data);
    return on;
  },
  multiset: ({ caller }, data) => {
    const other = /^\^\^(.)/s.exec(data);
    for (const pair of (other ? data.slice(3) : data).split(other?.[1] ?? ' '))
      if (pair !== '') assign(caller, pair);
    return on;
  },
  export: ({ caller }, data) => {
    const [name, value] = assignment(data);
    if (name === '') return on;
    const { variables } = caller.channel;
    variables.set(name, value);
    const exported = (variables.get('export_vars') ?? '')
      .split(',')
      .filter((one) => one !== '' && one !== name);
    variables.set('export_vars', [...exported, name].join(','));
    return on;
  },
  unset: ({ caller }, data) => {
    caller.channel.variables.set(data.trim(), undefined);
    return on;
  },
  log: ({ ground, caller }, data) => {
    // What a plan writes may hold a caller's number: only that it wrote something is kept.
    ground.log('info', 'the dialplan logged a line', { uuid: caller.channel.uuid, length: data.length });
    return on;
  },
  answer: async ({ caller }) => {
    await caller.answer();
    return on;
  },
  pre_answer: async ({ caller }) => {
    await caller.preAnswer();
    return on;
  },
  ring_ready: ({ caller }) => {
    caller.ringReady();
    return on;
  },
  sleep: async ({ caller }, data) => {
    const ms = Number(data.trim());
    await wait(Number.isFinite(ms) ? ms : 0, caller.signal);
    return on;
  },
  playback: async ({ ground, caller }, data) => {
    await caller.preAnswer();
    const { stream, channel } = caller;
    if (!stream) return on;
    try {
      await play(await openSound(data), stream, caller.signal);
      channel.variables.set('current_application_response', 'FILE PLAYED');
    } catch (error) {
      channel.variables.set('current_application_response', 'FILE NOT FOUND');
      ground.log('warning', 'a sound could not be played', {
        uuid: channel.uuid,
        reason: (error as Error).message,
      });
    }
    return on;
  },
  bridge: ({ ground, caller }, data) => (data === '' ? on : bridge(ground, caller, data)),
  transfer: (_, data) => ({ go: 'transfer', to: data.trim().split(/\s+/) }),
  execute_extension: (_, data) => ({ go: 'execute', to: data.trim().split(/\s+/) }),
  respond: ({ caller }, data) => {
    const [, code, phrase] = /^\s*([0-9]{3})(?:\s+(.*))?$/s.exec(data) ?? [];
    caller.respond(code === undefined ? 488 : Number(code), phrase);
    return on;
  },
  hangup: ({ caller }, data) => {
    caller.hangup((data.trim() === '' ? undefined : causeOf(data.trim())) ?? 'NORMAL_CLEARING');
    return on;
  },
  sched_hangup: ({ scheduleHangup }, data) => {
    const [when = '', cause = 'ALLOTTED_TIMEOUT'] = data.trim().split(/\s+/);
    const seconds = when.startsWith('+') ? Number(when.slice(1)) : Number(when) - Date.now() / 1000;
    if (Number.isFinite(seconds)) scheduleHangup(Math.max(0, seconds * 1000), cause);
    return on;
  },
};

function assignment(data: string): readonly [string, string] {
  const [name = '', value = ''] = data.split(/=(.*)/s);
  return [name.trim(), value];
}

function assign(caller: CallerLeg, data: string): void {
  const [name, value] = assignment(data);
  if (name !== '') caller.channel.variables.set(name, value === '_undef_' ? undefined : value);
}
