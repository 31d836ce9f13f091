import { randomUUID } from 'node:crypto';
import { q850, type Cause } from '../causes.js';
import { localStamp, nowMicros } from './clock.js';
import { Variables } from './variables.js';

export type Direction = 'inbound' | 'outbound';
export type CallState = 'DOWN' | 'RINGING' | 'EARLY' | 'ACTIVE' | 'HELD' | 'HANGUP';
export type AnswerState = 'ringing' | 'early' | 'answered' | 'hangup';

/** FreeSWITCH's states of a channel, as events name and number them. */
export const channelStates = {
  CS_INIT: 2,
  CS_EXECUTE: 4,
  CS_EXCHANGE_MEDIA: 5,
  CS_CONSUME_MEDIA: 7,
  CS_HANGUP: 10,
  CS_REPORTING: 11,
  CS_DESTROY: 12,
} as const;
export type ChannelState = keyof typeof channelStates;

/** Who calls whom, as the `Caller-` fields of events tell it. */
export interface CallerProfile {
  username: string;
  callerIdName: string;
  callerIdNumber: string;
  originalCallerIdName: string;
  originalCallerIdNumber: string;
  calleeIdName: string;
  calleeIdNumber: string;
  networkAddress: string;
  ani: string;
  destinationNumber: string;
  context: string;
}

/** Microseconds since the epoch; 0 for what has not happened. */
export interface ChannelTimes {
  profileCreated: number;
  created: number;
  answered: number;
  progress: number;
  progressMedia: number;
  bridged: number;
  hangup: number;
  transfer: number;
}

/** What one leg is and was, for events, variables and the spool. It decides nothing and sends nothing. */
export class Channel {
  readonly uuid = randomUUID();
  readonly direction: Direction;
  readonly name: string;
  readonly profile: CallerProfile;
  readonly variables = new Variables();
  readonly times: ChannelTimes;
  readonly sessionId: number;
  state: ChannelState = 'CS_INIT';
  callState: CallState = 'DOWN';
  answerState: AnswerState = 'ringing';
  callUuid: string;
  cause: Cause | undefined;
  profileIndex = 1;
  codec: 'PCMU' | 'PCMA' | undefined;
  hitDialplan = false;
  /** The channel that this one was made for, or the one that was won for it. */
  other: { readonly type: 'originator' | 'originatee'; readonly channel: Channel } | undefined;

  readonly #global: (name: string) => string | undefined;

  /** `global`: the node's variables, for those that the channel has not. */
  constructor(
    direction: Direction,
    name: string,
    profile: CallerProfile,
    sessionId: number,
    global: (name: string) => string | undefined,
  ) {
    this.#global = global;
    this.direction = direction;
    this.name = name;
    this.profile = profile;
    this.sessionId = sessionId;
    this.callUuid = this.uuid;
    const created = nowMicros();
    this.times = {
      profileCreated: created,
      created,
      answered: 0,
      progress: 0,
      progressMedia: 0,
      bridged: 0,
      hangup: 0,
      transfer: 0,
    };
    this.variables.setAll([
      ['direction', direction],
      ['uuid', this.uuid],
      ['session_id', String(sessionId)],
      ['channel_name', name],
    ]);
  }

  get answered(): boolean {
    return this.times.answered > 0;
  }

  get early(): boolean {
    return this.times.progressMedia > 0;
  }

  /** A variable, else a field of the profile, else a variable of the node: as all of FreeSWITCH sees them. */
  get(name: string): string | undefined {
    return this.variables.get(name) ?? this.field(name) ?? this.#global(name);
  }

  /** A field of the caller's profile by the name that conditions use. */
  field(name: string): string | undefined {
    const { profile } = this;
    switch (name.toLowerCase()) {
      case 'dialplan':
        return 'XML';
      case 'source':
        return 'mod_sofia';
      case 'username':
        return profile.username;
      case 'caller_id_name':
        return profile.callerIdName;
      case 'caller_id_number':
        return profile.callerIdNumber;
      case 'callee_id_name':
        return profile.calleeIdName;
      case 'callee_id_number':
        return profile.calleeIdNumber;
      case 'network_addr':
        return profile.networkAddress;
      case 'ani':
        return profile.ani;
      case 'destination_number':
        return profile.destinationNumber;
      case 'context':
        return profile.context;
      case 'uuid':
        return this.uuid;
      case 'chan_name':
        return this.name;
      default:
        return undefined;
    }
  }

  /** The variables that FreeSWITCH writes when a channel reports: causes, stamps and durations. */
  writeEnd(): void {
    const { times, variables } = this;
    const cause = this.cause ?? 'NORMAL_CLEARING';
    variables.setAll([
      ['hangup_cause', cause],
      ['hangup_cause_q850', String(q850(cause))],
      ['digits_dialed', 'none'],
    ]);
    const stamps: readonly (readonly [string, number])[] = [
      ['start', times.created],
      ['profile_start', times.profileCreated],
      ['answer', times.answered],
      ['bridge', times.bridged],
      ['progress', times.progress],
      ['progress_media', times.progressMedia],
      ['end', times.hangup],
    ];
    for (const [name, micros] of stamps) if (micros > 0) variables.set(`${name}_stamp`, localStamp(micros));
    for (const [name, micros] of stamps) {
      variables.set(`${name}_epoch`, String(Math.floor(micros / 1_000_000)));
      variables.set(`${name}_uepoch`, String(micros));
    }
    variables.set('caller_id', `"${this.profile.callerIdName}" <${this.profile.callerIdNumber}>`);
    const since = (from: number, to: number): number => (from > 0 && to > from ? to - from : 0);
    const spans: readonly (readonly [string, number])[] = [
      ['duration', since(times.created, times.hangup)],
      ['billsec', since(times.answered, times.hangup)],
      ['progresssec', since(times.created, times.progress)],
      ['answersec', since(times.created, times.answered)],
      ['waitsec', since(times.created, times.bridged)],
      ['progress_mediasec', since(times.created, times.progressMedia)],
      ['flow_billsec', since(times.created, times.hangup)],
    ];
    for (const [name, micros] of spans) variables.set(name, String(Math.round(micros / 1_000_000)));
    for (const [name, micros] of spans) {
      const milli = name === 'duration' ? 'mduration' : name.replace(/sec$/, 'msec');
      variables.set(milli, String(Math.round(micros / 1000)));
      variables.set(name === 'duration' ? 'uduration' : name.replace(/sec$/, 'usec'), String(micros));
    }
  }
}
