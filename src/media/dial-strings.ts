import type { Plan, PlannedGroup, PlannedLeg } from '../routing/plan.js';

/** What a plan is written with. */
export interface DialContext {
  readonly call: string;
  readonly account: string;
  /** The address that legs leave through, as the media node reaches it: `host:port`, with `;transport=tcp` for TCP. */
  readonly switchAddress: string;
  /** The number that the callee sees, digits with or without `+`; undefined for an anonymous caller. */
  readonly caller: string | undefined;
  /** The token of one leg. */
  readonly token: (leg: PlannedLeg) => string;
}

/** FreeSWITCH's profile of that name, in freeswitch-conf/sip_profiles. */
const PROFILE = 'tagswitch';

/**
 * The plan as headers of the INVITE to the media node. The dialplan (freeswitch-conf/dialplan/tagswitch.xml) accepts
 * this one form and no other: legs in `,` ring together, groups in `|` one after the other, one header a round.
 */
export function planHeaders(plan: Plan, context: DialContext): Record<string, string> {
  const headers: Record<string, string> = {
    'X-Tagswitch-Call': context.call,
    'X-Tagswitch-Account': context.account,
    'X-Tagswitch-Caller': shown(context.caller),
  };
  if (plan.whisper !== undefined)
    headers['X-Tagswitch-Whisper'] = plan.whisper === 'tone' ? 'tone' : `file:${plan.whisper}`;
  plan.rounds.forEach((groups, round) => {
    headers[round === 0 ? 'X-Tagswitch-Plan' : `X-Tagswitch-Plan-${String(round + 1)}`] = dialString(
      groups,
      context,
    );
  });
  return headers;
}

function dialString(groups: readonly PlannedGroup[], context: DialContext): string {
  return groups
    .map(({ legs, ringMs }) => {
      const seconds = String(Math.max(1, Math.round(ringMs / 1000)));
      return legs
        .map(
          (leg) =>
            `[leg_timeout=${seconds}]sofia/${PROFILE}/sip:leg.${context.token(leg)}@${context.switchAddress}`,
        )
        .join(',');
    })
    .join('|');
}

/** The dialplan takes digits alone: what is no number is shown as no number. */
function shown(caller: string | undefined): string {
  return caller !== undefined && /^\+?[0-9]{1,20}$/.test(caller) ? caller : 'anonymous';
}
