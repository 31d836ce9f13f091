import type { Cause } from '../causes.js';
import type { DialLeg, UndialableLeg } from '../dialplan/dial-string.js';
import { openSound, play, wait } from '../media/player.js';
import type { CalleeLeg } from './callee-leg.js';
import type { CallerLeg } from './caller-leg.js';
import type { Log } from '../log.js';

export type Originated =
  | { readonly kind: 'won'; readonly leg: CalleeLeg; readonly tried: readonly CalleeLeg[] }
  | {
      readonly kind: 'lost';
      readonly cause: Cause;
      readonly timedOut: boolean;
      readonly tried: readonly CalleeLeg[];
    };

/** How legs that ring together are rung. Durations in ms, 0 for none. */
export interface RingRules {
  readonly timeoutMs: number;
  /** `true`: media before the answer changes nothing. `ring_ready`: nor does it, but the caller is told that it rings. */
  readonly earlyMedia: 'wins' | 'ignored' | 'ring_ready';
  readonly ignoreRinging: boolean;
  legTimeoutMs(leg: CalleeLeg): number;
  confirmOf(leg: CalleeLeg): ConfirmRules | undefined;
  readonly log: Log;
}

/** What the callee hears, and must press, before he is connected. `exec`: nothing to press, `file` is an application. */
export interface ConfirmRules {
  readonly key: string;
  readonly file: string | undefined;
  readonly readTimeoutMs: number;
  /** Ringing time counted anew from here; 0: none at all any more; undefined: as it was. */
  readonly timeoutMs: number | undefined;
}

/** A leg that is rung, with what became of it. */
interface Rung {
  readonly leg: CalleeLeg;
  timer: NodeJS.Timeout | undefined;
  confirming: boolean;
  confirmed: boolean;
}

/** Rings legs together until one wins, none is left, time is up or the caller gives up. The losers are cancelled. */
export async function ringTogether(
  caller: CallerLeg,
  wanted: readonly (DialLeg | UndialableLeg)[],
  make: (dial: DialLeg) => CalleeLeg | Cause,
  rules: RingRules,
): Promise<Originated> {
  const rung: Rung[] = [];
  let firstFailure: Cause | undefined;
  for (const one of wanted) {
    const made = 'uri' in one ? make(one) : one.cause;
    if (typeof made === 'string') firstFailure ??= made;
    else rung.push({ leg: made, timer: undefined, confirming: false, confirmed: false });
  }
  const tried = rung.map(({ leg }) => leg);
  let undo = (): void => undefined;
  const outcome = await new Promise<CalleeLeg | Cause | 'timeout'>((resolve) => {
    const check = (): void => {
      if (caller.over) return resolve('ORIGINATOR_CANCEL');
      for (const one of rung) {
        const won = consider(one, caller, rules, wanted.length, check);
        if (won) return resolve(one.leg);
      }
      // The cause of a group is that of its first leg, as in FreeSWITCH.
      if (rung.every(({ leg }) => leg.over))
        resolve(rung[0]?.leg.channel.cause ?? firstFailure ?? 'DESTINATION_OUT_OF_ORDER');
    };
    const whole = setTimeout(() => resolve('timeout'), rules.timeoutMs);
    const gone = (): void => resolve('ORIGINATOR_CANCEL');
    caller.signal.addEventListener('abort', gone);
    undo = () => {
      clearTimeout(whole);
      caller.signal.removeEventListener('abort', gone);
      for (const { leg, timer } of rung) {
        clearTimeout(timer);
        leg.onChange = undefined;
      }
    };
    for (const one of rung) {
      one.leg.onChange = check;
      arm(one, rules.legTimeoutMs(one.leg));
      void one.leg.start();
    }
    check();
  });
  undo();
  const winner = typeof outcome === 'string' ? undefined : outcome;
  const reason = loserCause(outcome, rung.length);
  for (const { leg } of rung) {
    if (leg === winner) continue;
    leg.hangup(reason);
    leg.report();
  }
  if (winner) return { kind: 'won', leg: winner, tried };
  const timedOut = outcome === 'timeout';
  return { kind: 'lost', cause: timedOut ? 'NO_ANSWER' : (outcome as Cause), timedOut, tried };
}

function loserCause(outcome: CalleeLeg | Cause | 'timeout', legs: number): Cause {
  if (outcome === 'timeout') return 'NO_ANSWER';
  if (outcome === 'ORIGINATOR_CANCEL') return 'ORIGINATOR_CANCEL';
  return legs > 1 ? 'LOSE_RACE' : 'NO_ANSWER';
}

function arm(one: Rung, ms: number): void {
  clearTimeout(one.timer);
  one.timer = ms > 0 ? setTimeout(() => one.leg.hangup('ALLOTTED_TIMEOUT'), ms) : undefined;
}

/** Looks at one leg after a change; true when it has won. */
function consider(one: Rung, caller: CallerLeg, rules: RingRules, legs: number, again: () => void): boolean {
  const { leg } = one;
  if (leg.over) return false;
  if (leg.ringing && !rules.ignoreRinging) caller.ringReady();
  const early = leg.state === 'early';
  if (early && rules.earlyMedia === 'ring_ready' && legs === 1 && !rules.ignoreRinging) caller.ringReady();
  if (one.confirmed) return true;
  if (leg.state !== 'answered' && !(early && rules.earlyMedia === 'wins')) return false;
  const confirm = rules.confirmOf(leg);
  if (!confirm) return true;
  if (!one.confirming) {
    one.confirming = true;
    if (confirm.timeoutMs !== undefined) arm(one, confirm.timeoutMs);
    confirmed(leg, confirm, rules.log).then(
      (yes) => {
        one.confirmed = yes;
        again();
      },
      (error: unknown) => {
        rules.log('error', 'confirmation failed', { uuid: leg.channel.uuid, reason: (error as Error).name });
        leg.hangup('DESTINATION_OUT_OF_ORDER');
      },
    );
  }
  return false;
}

/** Plays to the callee alone and, unless nothing is to be pressed, waits for his digits. */
async function confirmed(leg: CalleeLeg, rules: ConfirmRules, log: Log): Promise<boolean> {
  const { stream, signal, channel } = leg;
  if (!stream) return false;
  const sound = async (source: string, until: AbortSignal): Promise<void> => {
    try {
      await play(await openSound(source), stream, until);
    } catch (error) {
      log('warning', 'a sound could not be played', { uuid: channel.uuid, reason: (error as Error).message });
    }
  };
  if (rules.key.toLowerCase() === 'exec') {
    const [application = '', argument = ''] = (rules.file ?? '').split(/ (.*)/s);
    if (application !== 'playback') {
      log('error', 'only playback can be run for a confirmation', { uuid: channel.uuid, application });
      leg.hangup('DESTINATION_OUT_OF_ORDER');
      return false;
    }
    await sound(argument, signal);
  } else {
    while (!signal.aborted && (await digits(leg, rules, sound)) !== rules.key);
  }
  if (leg.over) return false;
  for (const name of ['group_confirm_key', 'group_confirm_file']) channel.variables.set(name, undefined);
  channel.variables.set('group_dial_status', 'winner');
  return true;
}

/** One try: the sound, broken off by the first digit, then as many digits as the key has, or the time for them. */
async function digits(
  leg: CalleeLeg,
  rules: ConfirmRules,
  sound: (source: string, until: AbortSignal) => Promise<void>,
): Promise<string> {
  const { stream } = leg;
  if (!stream) return '';
  const pressed = new AbortController();
  const complete = new AbortController();
  let heard = '';
  stream.onDigit = (digit) => {
    heard += digit;
    pressed.abort();
    if (heard.length >= rules.key.length) complete.abort();
  };
  await sound(rules.file ?? 'silence_stream://250', AbortSignal.any([leg.signal, pressed.signal]));
  await wait(rules.readTimeoutMs, AbortSignal.any([leg.signal, complete.signal]));
  stream.onDigit = undefined;
  return heard;
}
