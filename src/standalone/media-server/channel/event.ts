import { hostname } from 'node:os';
import type { Channel } from './channel.js';
import { channelStates } from './channel.js';
import { localStamp, nowMicros } from './clock.js';

/** An event as it goes out: names and values, in order. */
export type EventFields = Record<string, string>;

/** The events of channels that this server tells. */
export type ChannelEventName =
  | 'CHANNEL_CREATE'
  | 'CHANNEL_PROGRESS'
  | 'CHANNEL_PROGRESS_MEDIA'
  | 'CHANNEL_ANSWER'
  | 'CHANNEL_BRIDGE'
  | 'CHANNEL_UNBRIDGE'
  | 'CHANNEL_HOLD'
  | 'CHANNEL_UNHOLD'
  | 'CHANNEL_HANGUP'
  | 'CHANNEL_HANGUP_COMPLETE'
  | 'CHANNEL_DESTROY';

/** What is the same in every event of this process. */
export interface EventOrigin {
  readonly coreUuid: string;
  readonly address: string;
  nextSequence(): number;
}

/** The head of an event: name, node, time, sequence. */
export function eventHead(origin: EventOrigin, name: string): EventFields {
  const now = nowMicros();
  return {
    'Event-Name': name,
    'Core-UUID': origin.coreUuid,
    'FreeSWITCH-Hostname': hostname(),
    'FreeSWITCH-Switchname': hostname(),
    'FreeSWITCH-IPv4': origin.address,
    'FreeSWITCH-IPv6': '::1',
    'Event-Date-Local': localStamp(now),
    'Event-Date-GMT': new Date(now / 1000).toUTCString(),
    'Event-Date-Timestamp': String(now),
    'Event-Sequence': String(origin.nextSequence()),
  };
}

/** An event of a channel: its head, `extra`, the channel's data and all its variables. */
export function channelEvent(
  origin: EventOrigin,
  name: ChannelEventName | 'CHANNEL_DATA',
  channel: Channel,
  extra: EventFields = {},
): EventFields {
  // One object from head to end: of these, with well over a hundred fields, each copy costs as much as the making.
  const event = eventHead(origin, name);
  Object.assign(event, extra);
  addChannelData(event, channel);
  for (const [variable, value] of channel.variables) event[`variable_${variable}`] = value;
  return event;
}

/** What can be said of an event of a channel before it is made; the names are those of its fields. */
export function knownOf(channel: Channel): EventFields {
  return { 'Call-Direction': channel.direction, 'Unique-ID': channel.uuid };
}

function addChannelData(event: EventFields, channel: Channel): void {
  const stateNumber =
    channel.answerState === 'hangup'
      ? Math.max(10, channelStates[channel.state])
      : channelStates[channel.state];
  const { codec } = channel;
  event['Channel-State'] = channel.state;
  event['Channel-Call-State'] = channel.callState;
  event['Channel-State-Number'] = String(stateNumber);
  event['Channel-Name'] = channel.name;
  event['Unique-ID'] = channel.uuid;
  event['Call-Direction'] = channel.direction;
  event['Presence-Call-Direction'] = channel.direction;
  event['Channel-HIT-Dialplan'] = String(channel.hitDialplan);
  event['Channel-Call-UUID'] = channel.callUuid;
  event['Answer-State'] = channel.answerState;
  if (channel.cause !== undefined) event['Hangup-Cause'] = channel.cause;
  if (codec !== undefined) {
    for (const way of ['Read', 'Write']) {
      event[`Channel-${way}-Codec-Name`] = codec;
      event[`Channel-${way}-Codec-Rate`] = '8000';
      event[`Channel-${way}-Codec-Bit-Rate`] = '64000';
    }
  }
  addProfile(event, 'Caller', channel, channel.profileIndex);
  if (channel.other !== undefined) {
    event['Other-Type'] = channel.other.type;
    addProfile(event, 'Other-Leg', channel.other.channel);
  }
}

function addProfile(
  event: EventFields,
  prefix: 'Caller' | 'Other-Leg',
  channel: Channel,
  index?: number,
): void {
  const { profile, times } = channel;
  const callee =
    profile.calleeIdNumber === ''
      ? {}
      : { 'Callee-ID-Name': profile.calleeIdName, 'Callee-ID-Number': profile.calleeIdNumber };
  const fields: EventFields = {
    Direction: channel.direction,
    'Logical-Direction': channel.direction,
    Username: profile.username,
    Dialplan: 'XML',
    'Caller-ID-Name': profile.callerIdName,
    'Caller-ID-Number': profile.callerIdNumber,
    'Orig-Caller-ID-Name': profile.originalCallerIdName,
    'Orig-Caller-ID-Number': profile.originalCallerIdNumber,
    ...callee,
    'Network-Addr': profile.networkAddress,
    ANI: profile.ani,
    'Destination-Number': profile.destinationNumber,
    'Unique-ID': channel.uuid,
    Source: 'mod_sofia',
    Context: profile.context,
    'Channel-Name': channel.name,
    ...(index === undefined ? {} : { 'Profile-Index': String(index) }),
    'Profile-Created-Time': String(times.profileCreated),
    'Channel-Created-Time': String(times.created),
    'Channel-Answered-Time': String(times.answered),
    'Channel-Progress-Time': String(times.progress),
    'Channel-Progress-Media-Time': String(times.progressMedia),
    'Channel-Hangup-Time': String(times.hangup),
    'Channel-Transfer-Time': String(times.transfer),
    'Channel-Resurrect-Time': '0',
    'Channel-Bridged-Time': String(times.bridged),
    'Channel-Last-Hold': '0',
    'Channel-Hold-Accum': '0',
    'Screen-Bit': 'true',
    'Privacy-Hide-Name': 'false',
    'Privacy-Hide-Number': 'false',
  };
  for (const name in fields) event[`${prefix}-${name}`] = fields[name] ?? '';
}
