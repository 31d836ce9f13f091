import { writeCallIds, type CallIds } from '../calls/call-ids.js';
import type { Plan, PlannedGroup, PlannedLeg } from '../routing/plan.js';

/** What a plan is written with. */
export interface DialContext extends CallIds {
  /** The address that legs leave through, as the media node reaches it: `host:port`, with `;transport=tcp` or `tls` where it is not UDP. */
  readonly switchAddress: string;
  /** The number that the callee sees, digits with or without `+`; undefined for an anonymous caller. */
  readonly caller: string | undefined;
  /** How a leg's trunk writes it; as it is, where absent. */
  readonly written?: (caller: string, leg: PlannedLeg) => string;
  /** The token of one leg. */
  readonly token: (leg: PlannedLeg) => string;
}

/** What drachtio-server 0.9 adds to a request that it proxies; the rest is cut off without a word. */
export const HEADER_BYTES = 1023;

/** FreeSWITCH's profile of that name, in freeswitch-conf/sip_profiles. */
const PROFILE = 'tagswitch';

/** The headers of a plan, and how many of its legs found no room in them. */
export interface PlanHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly left: number;
}

/**
 * The plan as headers of the INVITE to the media node. What does not fit is left out from its end: the last ways out
 * first, then the last ring groups; a leg is never cut. The dialplan (freeswitch-conf/dialplan/tagswitch.xml) accepts
 * this one form and no other: legs in `,` ring together, groups in `|` one after the other, one header a round.
 */
export function planHeaders(plan: Plan, context: DialContext): PlanHeaders {
  const headers: Record<string, string> = {
    'X-Tagswitch-Call': writeCallIds(context),
    'X-Tagswitch-Caller': '',
  };
  const shownTo = (leg: PlannedLeg): string => {
    const { caller, written } = context;
    return shown(caller === undefined ? undefined : (written?.(caller, leg) ?? caller));
  };
  // As most legs write it; the others say in their brackets how they do.
  const common =
    mostCommon(plan.rounds.flat().flatMap(({ legs }) => legs.map(shownTo))) ?? shown(context.caller);
  headers['X-Tagswitch-Caller'] = common;
  if (plan.whisper !== undefined) headers['X-Tagswitch-Whisper'] = soundOf(plan.whisper);
  if (plan.maxCallMs !== undefined) headers['X-Tagswitch-Limit'] = String(Math.ceil(plan.maxCallMs / 1000));
  let room = HEADER_BYTES - bytesOf(headers);
  let left = 0;
  plan.rounds.forEach((groups, round) => {
    const name = round === 0 ? 'X-Tagswitch-Plan' : `X-Tagswitch-Plan-${String(round + 1)}`;
    const { text, dropped } = dialString(
      groups,
      {
        ...context,
        own: (leg) => {
          const caller = shownTo(leg);
          return caller === common ? '' : `,origination_caller_id_number=${caller}`;
        },
      },
      room - lineBytes(name, ''),
    );
    left += dropped;
    if (text === '') return;
    headers[name] = text;
    room -= lineBytes(name, text);
  });
  return { headers, left };
}

/** The headers of a call that is connected to nobody: the caller hears `sound` before he is refused. */
export function announcementHeaders(sound: string, ids: CallIds): Readonly<Record<string, string>> {
  return {
    'X-Tagswitch-Call': writeCallIds(ids),
    'X-Tagswitch-Announce': soundOf(sound),
  };
}

/** `tone`, or a sound file of the media node. */
function soundOf(sound: string): string {
  return sound === 'tone' ? 'tone' : `file:${sound}`;
}

function bytesOf(headers: Readonly<Record<string, string>>): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + lineBytes(name, value), 0);
}

/** `name: value` and its line end; all of it is ASCII. */
function lineBytes(name: string, value: string): number {
  return name.length + value.length + 4;
}

/** As many of the legs as fit into `room` bytes, in their order. */
function dialString(
  groups: readonly PlannedGroup[],
  context: DialContext & { readonly own: (leg: PlannedLeg) => string },
  room: number,
): { text: string; dropped: number } {
  let text = '';
  let dropped = 0;
  for (const { legs, ringMs } of groups) {
    const seconds = String(Math.max(1, Math.round(ringMs / 1000)));
    let between = text === '' ? '' : '|';
    for (const leg of legs) {
      const next = `${between}[leg_timeout=${seconds}${context.own(leg)}]sofia/${PROFILE}/sip:leg.${context.token(leg)}@${context.switchAddress}`;
      if (dropped > 0 || text.length + next.length > room) dropped += 1;
      else {
        text += next;
        between = ',';
      }
    }
  }
  return { text, dropped };
}

function mostCommon(list: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const one of list) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

/** The dialplan takes digits alone: what is no number is shown as no number. */
function shown(caller: string | undefined): string {
  return caller !== undefined && /^\+?[0-9]{1,20}$/.test(caller) ? caller : 'anonymous';
}
