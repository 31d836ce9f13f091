import { causeOf, type Cause } from '../causes.js';
import type { Channel } from '../channel/channel.js';
import { channelEvent, type EventOrigin } from '../channel/event.js';
import { callRow, channelRow, rows } from './tables.js';

/** Runs what follows `api` and gives its text. Never throws. */
export type Api = (line: string) => string;

/** What the commands look at and act on. */
export interface Switchboard {
  readonly origin: EventOrigin;
  readonly profile: {
    readonly name: string;
    readonly url: string;
    readonly context: string;
    readonly rtpIp: string;
  };
  readonly startedAt: number;
  readonly maxSessions: number;
  readonly sessionsPerSecond: number;
  readonly counters: {
    sessions: number;
    peak: number;
    callsIn: number;
    callsOut: number;
    failedIn: number;
    failedOut: number;
  };
  readonly paused: { inbound: boolean; outbound: boolean };
  channels(): readonly Channel[];
  channel(uuid: string): Channel | undefined;
  global(name: string): string | undefined;
  globals(): ReadonlyMap<string, string>;
  hangup(channel: Channel, cause: Cause): void;
  /** Reads the configuration again; the text of the fault when it is bad, and then the old one stays. */
  reload(): string | undefined;
}

const noChannel = '-ERR No such channel!\n';

/** FreeSWITCH's commands of mod_commands and mod_sofia that this server has. */
export function createApi(board: Switchboard): Api {
  return (line) => {
    const [command = '', ...words] = line.trim().split(/\s+/);
    const run = commands[command.toLowerCase()];
    return run ? run(board, words) : `-ERR ${command} Command not found!\n`;
  };
}

type ApiCommand = (board: Switchboard, words: readonly string[]) => string;

const commands: Readonly<Record<string, ApiCommand | undefined>> = {
  status: (board) => statusText(board),
  uptime: (board) => `${Math.floor((Date.now() - board.startedAt) / 1000)}\n`,
  show: (board, words) => show(board, words),
  sofia: (board, words) => sofia(board, words),
  fsctl: (board, words) => control(board, words),
  uuid_kill(board, [uuid = '', causeText]) {
    const channel = board.channel(uuid);
    if (!channel) return noChannel;
    board.hangup(channel, (causeText === undefined ? undefined : causeOf(causeText)) ?? 'NORMAL_CLEARING');
    return '+OK\n';
  },
  uuid_exists: (board, [uuid = '']) => String(board.channel(uuid) !== undefined),
  uuid_dump(board, [uuid = '', format = 'txt']) {
    const channel = board.channel(uuid);
    if (!channel) return noChannel;
    const event = channelEvent(board.origin, 'CHANNEL_DATA', channel);
    if (format === 'json') return JSON.stringify(event);
    if (format === 'xml') return '-ERR xml is not supported\n';
    const shown = format === 'plain' ? (value: string) => value : encodeURIComponent;
    return `${Object.entries(event)
      .map(([name, value]) => `${name}: ${shown(value)}\n`)
      .join('')}\n`;
  },
  uuid_getvar(board, [uuid = '', name]) {
    if (name === undefined) return '-USAGE: <uuid> <var>\n';
    const channel = board.channel(uuid);
    return channel ? (channel.get(name) ?? '_undef_') : noChannel;
  },
  global_getvar(board, [name]) {
    if (name !== undefined) return board.global(name) ?? '';
    // The password is a variable too, and has no business in a listing.
    const shown = [...board.globals()].filter(([key]) => !/secret|password/i.test(key));
    return shown.map(([key, value]) => `${key}=${value}\n`).join('');
  },
  hupall(board, [causeText, ...pairs]) {
    const cause = (causeText === undefined ? undefined : causeOf(causeText)) ?? 'MANAGER_REQUEST';
    const asked = pairs.flatMap((name, at) => (at % 2 === 0 ? [[name, pairs[at + 1] ?? ''] as const] : []));
    const matches = (channel: Channel): boolean =>
      asked.every(([name, value]) => channel.get(name) === value);
    for (const channel of board.channels()) if (matches(channel)) board.hangup(channel, cause);
    const [first] = asked;
    const matching = first === undefined ? '' : ` matching [${first[0]}]=[${first[1]}]`;
    const more = asked.length > 1 ? '...' : '';
    return `+OK hangup all channels${matching}${more} with cause${first === undefined ? '' : ':'} ${cause}\n`;
  },
  reloadxml(board) {
    const fault = board.reload();
    return fault === undefined ? '+OK [Success]\n' : `-ERR [${fault}]\n`;
  },
};

function statusText(board: Switchboard): string {
  const { counters } = board;
  return [
    `UP ${duration(Date.now() - board.startedAt)}`,
    'FreeSWITCH (Version tagswitch standalone media server) is ready',
    `${counters.sessions} session(s) since startup`,
    `${board.channels().length} session(s) - peak ${counters.peak}, last 5min ${counters.peak} `,
    `0 session(s) per Sec out of max ${board.sessionsPerSecond}, peak 0, last 5min 0 `,
    `${board.maxSessions} session(s) max`,
    'min idle cpu 0.00/100.00',
    '',
  ].join('\n');
}

/** `0 years, 0 days, ...`, as `status` and the heartbeat have it. */
export function duration(ms: number): string {
  const parts: readonly (readonly [string, number])[] = [
    ['year', Math.floor(ms / 31_536_000_000)],
    ['day', Math.floor(ms / 86_400_000) % 365],
    ['hour', Math.floor(ms / 3_600_000) % 24],
    ['minute', Math.floor(ms / 60_000) % 60],
    ['second', Math.floor(ms / 1000) % 60],
    ['millisecond', ms % 1000],
    ['microsecond', 0],
  ];
  return parts.map(([unit, count]) => `${count} ${unit}${count === 1 ? '' : 's'}`).join(', ');
}

function show(board: Switchboard, words: readonly string[]): string {
  const [what = '', as, format] = words.map((word) => word.toLowerCase());
  const channels = board.channels();
  if (what === 'channels' && as === 'count') return `\n${channels.length} total.\n`;
  const callers = channels.filter((channel) => channel.other?.type !== 'originator');
  if (what === 'calls' && as === 'count') return `\n${callers.length} total.\n`;
  if (as !== 'as' || format !== 'json') return '-ERR only "as json" and "count" are supported\n';
  if (what === 'channels') return rows(channels.map(channelRow));
  if (what === 'calls') return rows(callers.map(callRow));
  return '-ERR only channels and calls can be shown\n';
}

function sofia(board: Switchboard, words: readonly string[]): string {
  const line = '='.repeat(97);
  const { profile, counters } = board;
  if (words[0] !== 'status') return '-ERR only sofia status is supported\n';
  if (words.length === 1) {
    const cells = [
      profile.name.padStart(25),
      'profile',
      `  ${profile.url.padStart(40)}`,
      `RUNNING (${board.channels().length})`,
    ];
    return [
      ['Name'.padStart(25), '   Type', `  ${'Data'.padStart(40)}`, 'State'].join('\t'),
      line,
      cells.join('\t'),
      line,
      '1 profile 0 aliases',
      '',
    ].join('\n');
  }
  if (words[1] !== 'profile') return 'Invalid Syntax!\n';
  if (words[2] !== profile.name) return 'Invalid Profile!\n';
  const facts: readonly (readonly [string, string | number])[] = [
    ['Name', profile.name],
    ['Dialplan', 'XML'],
    ['Context', profile.context],
    ['RTP-IP', profile.rtpIp],
    ['URL', profile.url],
    ['BIND-URL', `${profile.url};transport=udp,tcp`],
    ['CODECS IN', 'PCMU,PCMA'],
    ['CODECS OUT', 'PCMU,PCMA'],
    ['DTMF-MODE', 'rfc2833'],
    ['CALLS-IN', counters.callsIn],
    ['FAILED-CALLS-IN', counters.failedIn],
    ['CALLS-OUT', counters.callsOut],
    ['FAILED-CALLS-OUT', counters.failedOut],
    ['REGISTRATIONS', 0],
  ];
  return [line, ...facts.map(([name, value]) => `${name.padEnd(17)}\t${value}`), ''].join('\n');
}

function control(board: Switchboard, words: readonly string[]): string {
  const [what = '', side] = words.map((word) => word.toLowerCase());
  const sides =
    side === 'inbound' || side === 'outbound' ? ([side] as const) : (['inbound', 'outbound'] as const);
  switch (what) {
    case 'pause':
    case 'resume':
      for (const each of sides) board.paused[each] = what === 'pause';
      return '+OK\n';
    case 'pause_check':
      return String(sides.every((each) => board.paused[each]));
    case 'ready_check':
      return 'true';
    case 'shutdown_check':
      return 'false';
    case 'hupall':
      for (const channel of board.channels()) board.hangup(channel, 'MANAGER_REQUEST');
      return '+OK\n';
    case 'last_sps':
      return `+OK last sessions per second: 0\n`;
    case 'sps':
      return `+OK sessions per second: ${board.sessionsPerSecond}\n`;
    case 'max_sessions':
      return `+OK max sessions: ${board.maxSessions}\n`;
    default:
      return '-ERR fsctl: only pause, resume, pause_check, ready_check, shutdown_check, hupall, sps and max_sessions are supported\n';
  }
}
