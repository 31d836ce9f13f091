import { readCallIds, type CallIds } from './call-ids.js';
import { Seq } from './events.js';
import type { Ended } from './events.js';
import { endByNode } from './termination.js';

/** What FreeSWITCH tells at the end of a caller leg, whether by its event socket or by its spool. Times in ms since the epoch. */
export interface CallerLegEnd extends CallIds {
  /** FreeSWITCH's own id of the leg. */
  readonly uuid: string;
  readonly startedAt: number;
  readonly ringingAt?: number;
  readonly answeredAt?: number;
  readonly endedAt: number;
  readonly cause: string;
  readonly disposition?: string;
  readonly status?: number;
  readonly attempt?: string;
  readonly bridged?: string;
  /** The callee's leg that it was connected to, by the token in its address `leg.TOKEN@...`. */
  readonly legToken?: string;
}

/** An event of FreeSWITCH's as JSON: names to texts. */
export type ChannelEvent = Readonly<Record<string, unknown>>;

/** Says in words whom a leg token rings; undefined for a token that is not ours. */
export type DestinationOf = (token: string) => string | undefined;

/** The columns of the spool, in this order: `freeswitch-conf/autoload_configs/cdr_csv.conf.xml` writes them. */
export const SPOOL_COLUMNS = [
  'presence_data',
  'uuid',
  'start_uepoch',
  'progress_uepoch',
  'progress_media_uepoch',
  'answer_uepoch',
  'end_uepoch',
  'hangup_cause',
  'hangup_cause_q850',
  'sip_hangup_disposition',
  'sip_term_status',
  'originate_disposition',
  'last_bridge_proto_specific_hangup_cause',
  'bridge_channel',
] as const;

/** The headers of an event that are read here. */
export const LEG_EVENT_HEADERS: readonly string[] = [
  'Event-Name',
  'Call-Direction',
  'Unique-ID',
  'variable_sip_h_X-Tagswitch-Call',
  ...SPOOL_COLUMNS.map((column) => `variable_${column}`),
];

type Column = (typeof SPOOL_COLUMNS)[number];
type Read = (column: Column) => string;

const LEG_TOKEN = /(?:^|[/:])leg\.([A-Za-z0-9_-]{1,200})@/;
const MAX_LINE = 4_096;

/** The end that a CHANNEL_HANGUP_COMPLETE tells; undefined for callee legs, other events, and calls that are not ours. */
export function legEndFromEvent(event: ChannelEvent): CallerLegEnd | undefined {
  if (text(event, 'Event-Name') !== 'CHANNEL_HANGUP_COMPLETE' || text(event, 'Call-Direction') !== 'inbound')
    return undefined;
  const ids = callOf(event);
  if (ids === undefined) return undefined;
  return legEnd(ids, (column) =>
    column === 'uuid' ? text(event, 'Unique-ID') : text(event, `variable_${column}`),
  );
}

/**
 * The end that one line of the spool tells; undefined for a torn or foreign line. A line that a crash tore has the next
 * one behind it: what follows the last call id is tried then.
 */
export function legEndFromLine(line: string): CallerLegEnd | undefined {
  const fields = csvFields(line);
  if (fields?.length === SPOOL_COLUMNS.length) return legEndFromFields(fields);
  const next = line.lastIndexOf('"call_');
  if (next <= 0) return undefined;
  const rest = csvFields(line.slice(next));
  return rest?.length === SPOOL_COLUMNS.length ? legEndFromFields(rest) : undefined;
}

function legEndFromFields(fields: readonly string[]): CallerLegEnd | undefined {
  const read: Read = (column) => fields[SPOOL_COLUMNS.indexOf(column)] ?? '';
  const ids = readCallIds(read('presence_data'));
  return ids === undefined ? undefined : legEnd(ids, read);
}

/** Which call an event is about: by the variable that the dialplan sets, or else by the header that the call came with. */
export function callOf(event: ChannelEvent): CallIds | undefined {
  return readCallIds(text(event, 'variable_presence_data') || text(event, 'variable_sip_h_X-Tagswitch-Call'));
}

function legEnd(ids: CallIds, read: Read): CallerLegEnd | undefined {
  const endedAt = milliseconds(read('end_uepoch'));
  const startedAt = milliseconds(read('start_uepoch'));
  const cause = read('hangup_cause');
  if (endedAt === undefined || startedAt === undefined || cause === '') return undefined;
  const answeredAt = milliseconds(read('answer_uepoch'));
  const ringingAt = firstOf(
    milliseconds(read('progress_uepoch')),
    milliseconds(read('progress_media_uepoch')),
  );
  const status = Number(read('sip_term_status'));
  const legToken = LEG_TOKEN.exec(read('bridge_channel'))?.[1];
  return {
    ...ids,
    uuid: read('uuid'),
    startedAt,
    ...(ringingAt !== undefined && { ringingAt }),
    ...(answeredAt !== undefined && { answeredAt }),
    endedAt,
    cause,
    ...given('disposition', read('sip_hangup_disposition')),
    ...(Number.isInteger(status) && status >= 200 && status <= 699 && { status }),
    ...given('attempt', read('originate_disposition')),
    ...given('bridged', read('last_bridge_proto_specific_hangup_cause')),
    ...(legToken !== undefined && { legToken }),
  };
}

/** The one event `ended` of a caller leg: the same fields in the same order, whichever way the end was told. */
export function endedByNode(leg: CallerLegEnd, destinationOf: DestinationOf): Ended {
  const { ringingAt, answeredAt, attempt, disposition, status, bridged } = leg;
  const destination = leg.legToken === undefined ? undefined : destinationOf(leg.legToken);
  const termination = endByNode({
    answered: answeredAt !== undefined,
    cause: leg.cause,
    ...(attempt !== undefined && { attempt }),
    ...(disposition !== undefined && { disposition }),
    ...(status !== undefined && { status }),
    ...(bridged !== undefined && { bridged }),
  });
  return {
    v: 1,
    kind: 'ended',
    account: leg.account,
    call: leg.call,
    seq: Seq.endedByNode,
    at: leg.endedAt,
    ...termination,
    ...(destination !== undefined && { destination }),
    startedAt: leg.startedAt,
    ...(ringingAt !== undefined && { ringingAt }),
    ...(answeredAt !== undefined && { answeredAt }),
  };
}

function text(event: ChannelEvent, name: string): string {
  const value = event[name];
  return typeof value === 'string' ? value : '';
}

function given<Name extends string>(name: Name, value: string): { readonly [N in Name]?: string } {
  return value === '' ? {} : ({ [name]: value } as { readonly [N in Name]: string });
}

/** FreeSWITCH's microseconds since the epoch as milliseconds; undefined for 0, "did not happen". */
function milliseconds(microseconds: string): number | undefined {
  if (!/^\d{1,16}$/.test(microseconds)) return undefined;
  const value = Math.floor(Number(microseconds) / 1_000);
  return value > 0 ? value : undefined;
}

function firstOf(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** The fields of a line whose every field stands in quotes, with doubled quotes inside; undefined when it has another form. */
function csvFields(line: string): string[] | undefined {
  if (line.length > MAX_LINE) return undefined;
  const fields: string[] = [];
  let rest = line.replace(/\r$/, '');
  for (;;) {
    const field = /^"((?:[^"]|"")*)"(,|$)/.exec(rest);
    if (field === null) return undefined;
    fields.push((field[1] ?? '').replaceAll('""', '"'));
    rest = rest.slice(field[0].length);
    if (field[2] === '') return fields;
  }
}
