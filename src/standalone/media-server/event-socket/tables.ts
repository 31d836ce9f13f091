import { hostname } from 'node:os';
import type { Channel } from '../channel/channel.js';
import { localStamp } from '../channel/clock.js';

/** A row of FreeSWITCH's table `channels` or view `basic_calls`: every value is text. */
export type Row = Readonly<Record<string, string>>;

/** `{"row_count":N,"rows":[...]}`, without rows when there are none, as FreeSWITCH writes it. */
export function rows(all: readonly Row[]): string {
  return JSON.stringify(all.length === 0 ? { row_count: 0 } : { row_count: all.length, rows: all });
}

/** A channel as a row of `show channels as json`. */
export function channelRow(channel: Channel): Row {
  const { profile } = channel;
  const codec = channel.codec ?? '';
  const rate = channel.codec === undefined ? '' : '8000';
  const bits = channel.codec === undefined ? '' : '64000';
  return {
    ...shared(channel),
    application: channel.get('current_application') ?? '',
    application_data: channel.get('current_application_data') ?? '',
    dialplan: 'XML',
    context: profile.context,
    read_codec: codec,
    read_rate: rate,
    read_bit_rate: bits,
    write_codec: codec,
    write_rate: rate,
    write_bit_rate: bits,
    secure: '',
    hostname: hostname(),
    initial_cid_name: profile.originalCallerIdName,
    initial_cid_num: profile.originalCallerIdNumber,
    initial_ip_addr: profile.networkAddress,
    initial_dest: profile.destinationNumber,
    initial_dialplan: 'XML',
    initial_context: profile.context,
  };
}

/** A caller's channel and the one it is bridged with, as a row of `show calls as json`. */
export function callRow(channel: Channel): Row {
  const other = channel.other?.type === 'originatee' ? channel.other.channel : undefined;
  const b = other ? shared(other) : undefined;
  const names = Object.keys(shared(channel)).filter((name) => name !== 'call_uuid');
  return {
    ...shared(channel),
    hostname: hostname(),
    ...Object.fromEntries(names.map((name) => [`b_${name}`, b?.[name] ?? ''])),
    call_created_epoch: other ? epoch(channel.times.bridged) : '',
  };
}

function shared(channel: Channel): Row {
  const { profile, times } = channel;
  return {
    uuid: channel.uuid,
    direction: channel.direction,
    created: localStamp(times.created),
    created_epoch: epoch(times.created),
    name: channel.name,
    state: channel.state,
    cid_name: profile.callerIdName,
    cid_num: profile.callerIdNumber,
    ip_addr: profile.networkAddress,
    dest: profile.destinationNumber,
    presence_id: channel.get('presence_id') ?? '',
    presence_data: channel.get('presence_data') ?? '',
    accountcode: channel.get('accountcode') ?? '',
    callstate: channel.callState,
    callee_name: profile.calleeIdName,
    callee_num: profile.calleeIdNumber,
    callee_direction: '',
    call_uuid: channel.callUuid,
    sent_callee_name: '',
    sent_callee_num: '',
  };
}

function epoch(micros: number): string {
  return String(Math.floor(micros / 1_000_000));
}
