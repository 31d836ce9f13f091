import { causes, type Cause } from '../causes.js';
import { isTrue } from '../configuration/load.js';
import { nowMicros } from '../channel/clock.js';
import { parseDialString, type DialLeg } from '../dialplan/dial-string.js';
import { CalleeLeg } from './callee-leg.js';
import type { CallerLeg } from './caller-leg.js';
import type { Ground } from './ground.js';
import { ringTogether, type ConfirmRules, type Originated, type RingRules } from './originate.js';

/** Ringing time when nobody says another. */
const defaultTimeoutSeconds = 60;

/** Variables of the caller that count as if they stood in the braces of the dial string. */
const inherited = [
  'group_confirm_key',
  'group_confirm_file',
  'group_confirm_timeout',
  'group_confirm_cancel_timeout',
  'group_confirm_read_timeout',
  'group_confirm_early_ok',
  'ignore_early_media',
  'ignore_ring_ready',
  'originate_continue_on_timeout',
] as const;

/** What the dialplan does next. */
export type AfterBridge = { readonly go: 'on' } | { readonly go: 'transfer'; readonly to: readonly string[] };

/**
 * The application `bridge`: rings the groups of a dial string one after the other, connects the caller with the first
 * leg that wins, and stays until one of them hangs up. Ends the caller, goes on, or asks for a transfer, as
 * FreeSWITCH's variables say (continue_on_fail, transfer_on_fail, hangup_after_bridge).
 */
export async function bridge(ground: Ground, caller: CallerLeg, dialString: string): Promise<AfterBridge> {
  const plan = parseDialString(dialString);
  const { variables } = caller.channel;
  const settings = new Map<string, string>();
  for (const name of inherited) {
    const value = variables.get(name);
    if (value !== undefined) settings.set(name, value);
  }
  for (const [name, value] of plan.variables) settings.set(name, value);
  variables.set('originate_disposition', 'failure');
  variables.set('DIALSTATUS', 'INVALIDARGS');
  for (const name of ['originated_legs', 'originate_causes']) variables.set(name, undefined);

  let result: Originated = { kind: 'lost', cause: 'DESTINATION_OUT_OF_ORDER', timedOut: false, tried: [] };
  for (const group of plan.groups) {
    const rules = ringRules(ground, caller, settings);
    result = await ringTogether(
      caller,
      group,
      (dial) => makeLeg(ground, caller, dial, plan.variables),
      rules,
    );
    note(caller, result);
    if (result.kind === 'won' || caller.over) break;
    if (result.timedOut && !isTrue(settings.get('originate_continue_on_timeout'))) break;
  }
  if (result.kind === 'lost') {
    const cause = caller.over ? 'ORIGINATOR_CANCEL' : result.cause;
    setDisposition(caller, cause);
    variables.set('originate_failed_cause', cause);
    return afterFailure(caller, cause);
  }
  setDisposition(caller, 'SUCCESS');
  return connected(ground, caller, result.leg);
}

function makeLeg(
  ground: Ground,
  caller: CallerLeg,
  dial: DialLeg,
  shared: ReadonlyMap<string, string>,
): CalleeLeg | Cause {
  if (dial.profile !== ground.configuration().profile.name) return 'INVALID_PROFILE';
  const exported = (caller.channel.get('export_vars') ?? '')
    .split(',')
    .flatMap((name): [string, string][] => {
      const value = caller.channel.get(name);
      // `nolocal:` is a part of the name on the caller's leg, where nothing looks for it.
      return name === '' || value === undefined ? [] : [[name.replace(/^nolocal:/, ''), value]];
    });
  try {
    const leg = new CalleeLeg(ground, caller, dial, [...exported, ...shared, ...dial.variables]);
    ground.add(leg);
    return leg;
  } catch {
    return 'INVALID_URL';
  }
}

function ringRules(ground: Ground, caller: CallerLeg, settings: ReadonlyMap<string, string>): RingRules {
  const given = positive(settings.get('originate_timeout')) ?? positive(caller.channel.get('call_timeout'));
  const ignore = settings.get('ignore_early_media');
  const earlyOk = settings.get('group_confirm_early_ok');
  const wins = !isTrue(ignore) && ignore !== 'ring_ready' && (earlyOk === undefined || isTrue(earlyOk));
  return {
    timeoutMs: (given ?? defaultTimeoutSeconds) * 1000,
    earlyMedia: wins ? 'wins' : ignore === 'ring_ready' ? 'ring_ready' : 'ignored',
    ignoreRinging: isTrue(settings.get('ignore_ring_ready')),
    legTimeoutMs: (leg) => (positive(leg.channel.get('leg_timeout')) ?? 0) * 1000,
    confirmOf: (leg) => confirmRules((name) => leg.channel.get(name) ?? settings.get(name)),
    log: ground.log,
  };
}

function confirmRules(value: (name: string) => string | undefined): ConfirmRules | undefined {
  const key = value('group_confirm_key');
  if (key === undefined || key === '') return undefined;
  const timeout = value('group_confirm_timeout');
  const cancels = isTrue(value('group_confirm_cancel_timeout'));
  const file = value('group_confirm_file');
  return {
    key,
    file: file === undefined || file === 'undef' ? undefined : file,
    readTimeoutMs: positive(value('group_confirm_read_timeout')) ?? 5000,
    timeoutMs:
      timeout !== undefined && /^[0-9]+$/.test(timeout) ? Number(timeout) * 1000 : cancels ? 0 : undefined,
  };
}

function positive(text: string | undefined): number | undefined {
  const value = Number.parseInt(text ?? '', 10);
  return value > 0 ? value : undefined;
}

/** Notes what became of each leg, where FreeSWITCH notes it. */
function note(caller: CallerLeg, { tried }: Originated): void {
  const { variables } = caller.channel;
  const push = (name: string, value: string): void => {
    const before = variables.get(name);
    const list =
      before === undefined ? [] : before.startsWith('ARRAY::') ? before.slice(7).split('|:') : [before];
    const all = [...list, value];
    variables.set(name, all.length === 1 ? value : `ARRAY::${all.join('|:')}`);
  };
  for (const { channel } of tried) {
    push(
      'originated_legs',
      `${channel.uuid};${channel.profile.calleeIdName};${channel.profile.calleeIdNumber}`,
    );
    push('originate_causes', `${channel.uuid};${channel.cause ?? 'NONE'}`);
  }
}

const dialStatus: Partial<Readonly<Record<Cause, string>>> = {
  ORIGINATOR_CANCEL: 'CANCEL',
  USER_BUSY: 'BUSY',
  NO_ANSWER: 'NOANSWER',
  DESTINATION_OUT_OF_ORDER: 'INVALIDARGS',
  INVALID_PROFILE: 'INVALIDARGS',
  CALL_REJECTED: 'DONTCALL',
};

function setDisposition(caller: CallerLeg, cause: Cause): void {
  caller.channel.variables.set('originate_disposition', cause);
  caller.channel.variables.set('DIALSTATUS', dialStatus[cause] ?? cause);
}

/** Media flows until one hangs up. */
async function connected(ground: Ground, caller: CallerLeg, callee: CalleeLeg): Promise<AfterBridge> {
  const a = caller.channel;
  const b = callee.channel;
  caller.partner = callee;
  const codec = callee.stream?.codec;
  const taken = callee.state === 'answered' ? await caller.answer(codec) : await caller.preAnswer(codec);
  if (!taken) callee.hangup(caller.channel.cause ?? 'INCOMPATIBLE_DESTINATION');
  a.other = { type: 'originatee', channel: b };
  a.profile.calleeIdName = b.profile.calleeIdName;
  a.profile.calleeIdNumber = b.profile.calleeIdNumber;
  const bridged = !caller.over && !callee.over && caller.stream !== undefined && callee.stream !== undefined;
  if (bridged) {
    a.times.bridged = b.times.bridged = nowMicros();
    for (const [mine, theirs] of [
      [a, b],
      [b, a],
    ] as const) {
      mine.variables.setAll([
        ['last_bridge_to', theirs.uuid],
        ['bridge_channel', theirs.name],
        ['bridge_uuid', theirs.uuid],
        ['signal_bond', theirs.uuid],
      ]);
    }
    b.state = 'CS_EXCHANGE_MEDIA';
    if (callee.stream) caller.stream?.connect(callee.stream);
    ground.tell('CHANNEL_BRIDGE', a, { 'Bridge-A-Unique-ID': a.uuid, 'Bridge-B-Unique-ID': b.uuid });
    await untilEnd(caller, callee);
  }
  caller.stream?.disconnect();
  if (bridged) a.variables.set('last_bridge_role', 'originator');
  callee.hangup(a.cause ?? 'NORMAL_CLEARING');
  if (bridged && a.cause) b.variables.set('bridge_hangup_cause', a.cause);
  callee.report();
  if (bridged) {
    if (b.cause) a.variables.set('bridge_hangup_cause', b.cause);
    ground.tell('CHANNEL_UNBRIDGE', a, { 'Bridge-A-Unique-ID': a.uuid, 'Bridge-B-Unique-ID': b.uuid });
  }
  const cause = b.cause ?? 'NORMAL_CLEARING';
  if (caller.over) return { go: 'on' };
  if (!b.answered) return afterFailure(caller, cause);
  if (isTrue(a.get('hangup_after_bridge'))) caller.hangup(cause);
  return { go: 'on' };
}

/** Resolves when either leg ends; meanwhile a leg that was only early is answered through when its far end answers. */
function untilEnd(caller: CallerLeg, callee: CalleeLeg): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      callee.onChange = undefined;
      caller.signal.removeEventListener('abort', done);
      callee.signal.removeEventListener('abort', done);
      resolve();
    };
    callee.onChange = () => {
      if (callee.state !== 'answered' || caller.state === 'answered') return;
      void caller.answer(callee.stream?.codec).then((taken) => {
        if (!taken) callee.hangup('INCOMPATIBLE_DESTINATION');
      });
    };
    caller.signal.addEventListener('abort', done);
    callee.signal.addEventListener('abort', done);
    if (caller.over || callee.over) done();
    else callee.onChange(); // he may have answered while the caller's media was being opened
  });
}

/** What FreeSWITCH does with a caller whom nobody answered (its `switch_channel_handle_cause`). */
export function afterFailure(caller: CallerLeg, cause: Cause): AfterBridge {
  if (caller.over) return { go: 'on' };
  const names = (list: string): boolean =>
    list.split(',').some((one) => one.toUpperCase() === cause || one === String(causes[cause]));
  const goesOn = caller.channel.get('continue_on_fail');
  const [transferCauses, exten, ...rest] = (caller.channel.get('transfer_on_fail') ?? '')
    .split(' ')
    .filter((word) => word !== '');
  if (goesOn !== undefined) {
    if (isTrue(goesOn) || names(goesOn)) return { go: 'on' };
  } else if (cause === 'NO_ANSWER' || cause === 'NO_USER_RESPONSE' || cause === 'ORIGINATOR_CANCEL') {
    return { go: 'on' };
  }
  if (transferCauses !== undefined) {
    // FreeSWITCH takes `true` for "go on", not for "transfer, whatever the cause".
    if (isTrue(transferCauses)) return { go: 'on' };
    const to = exten === undefined || exten.toLowerCase() === 'auto_cause' ? cause : exten;
    if (names(transferCauses)) return { go: 'transfer', to: [to, ...rest] };
  }
  caller.hangup(cause);
  return { go: 'on' };
}
