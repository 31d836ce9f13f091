import { randomInt } from 'node:crypto';
import { causeOf, reasonOf, type Cause } from '../causes.js';
import type { Channel } from '../channel/channel.js';
import { nowMicros } from '../channel/clock.js';
import type { HeaderPairs } from '../../sip/message.js';
import type { ServerTransaction } from '../../sip/server-transaction.js';
import { repeatAnswer } from '../../sip/repeat-answer.js';
import {
  answerDirection,
  parseSdp,
  writeSdp,
  type MediaDirection,
  type OfferedCodec,
  type RemoteMedia,
} from '../media/sdp.js';
import type { MediaStream } from '../media/stream.js';
import type { Dialog } from './dialog.js';
import type { Ground } from './ground.js';

export type LegState = 'ringing' | 'early' | 'answered' | 'ended' | 'reported';

/** What may follow what. */
const steps: Readonly<Record<LegState, readonly LegState[]>> = {
  ringing: ['early', 'answered', 'ended'],
  early: ['answered', 'ended'],
  answered: ['ended'],
  ended: ['reported'],
  reported: [],
};

/** What this server lets others ask of it. */
export const allowed = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO';

/** One leg of a call: a channel, a dialog and a stream, with one beginning and one end. */
export abstract class Leg {
  readonly channel: Channel;
  protected readonly ground: Ground;
  readonly #ended = new AbortController();
  #state: LegState = 'ringing';
  stream: MediaStream | undefined;
  dialog: Dialog | undefined;
  /** The leg whose end and causes this one hears of. */
  partner: Leg | undefined;
  readonly #sdpSession = randomInt(1, 2 ** 31);
  #sdpVersion = 0;
  #held = false;
  /** Stops the repetition of a 2xx of ours. */
  #acknowledged: (() => void) | undefined;

  constructor(ground: Ground, channel: Channel) {
    this.ground = ground;
    this.channel = channel;
  }

  get state(): LegState {
    return this.#state;
  }

  get over(): boolean {
    return this.#state === 'ended' || this.#state === 'reported';
  }

  /** Aborted when the leg ends. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Tells the far end that it is over, as its state asks: BYE, CANCEL or a final response. */
  protected abstract sendEnd(cause: Cause, reason: string): void;

  /** The one way from state to state; false when there is none. */
  protected enter(next: LegState): boolean {
    if (!steps[this.#state].includes(next)) return false;
    this.#state = next;
    return true;
  }

  /** Ends the leg: the far end is told unless it said so itself. Idempotent. */
  hangup(cause: Cause): void {
    const { channel, partner } = this;
    if (!this.enter('ended')) return;
    channel.cause = cause;
    channel.answerState = 'hangup';
    partner?.channel.variables.set('last_bridge_hangup_cause', cause);
    const specific = channel.get('proto_specific_hangup_cause');
    if (specific !== undefined)
      partner?.channel.variables.set('last_bridge_proto_specific_hangup_cause', specific);
    this.ground.tell('CHANNEL_HANGUP', channel);
    this.#acknowledged?.();
    this.sendEnd(cause, channel.get('sip_reason') ?? reasonOf(cause));
    this.stream?.writeCounts(channel);
    this.stream?.close();
    this.#ended.abort();
  }

  /** After the end: the last events and the spool's line. Idempotent. */
  report(): void {
    if (!this.enter('reported')) return;
    const { channel } = this;
    channel.times.hangup = nowMicros();
    channel.state = 'CS_REPORTING';
    channel.callState = 'HANGUP';
    channel.writeEnd();
    this.ground.spool(channel);
    this.ground.tell('CHANNEL_HANGUP_COMPLETE', channel);
    channel.state = 'CS_DESTROY';
    this.ground.tell('CHANNEL_DESTROY', channel);
    this.ground.remove(this);
  }

  /** The far end rings: once. */
  protected markRinging(): boolean {
    const { channel } = this;
    if (channel.times.progress > 0 || this.over) return false;
    channel.times.progress = nowMicros();
    channel.callState = 'RINGING';
    this.ground.tell('CHANNEL_PROGRESS', channel);
    return true;
  }

  /** Media before the answer: once. */
  protected markEarly(): boolean {
    const { channel } = this;
    if (!this.enter('early')) return false;
    channel.times.progressMedia = nowMicros();
    channel.answerState = 'early';
    channel.callState = 'EARLY';
    channel.variables.set('endpoint_disposition', 'EARLY MEDIA');
    this.ground.tell('CHANNEL_PROGRESS_MEDIA', channel);
    return true;
  }

  protected markAnswered(): boolean {
    const { channel } = this;
    if (!this.enter('answered')) return false;
    channel.times.answered = nowMicros();
    channel.answerState = 'answered';
    channel.callState = 'ACTIVE';
    channel.variables.set('endpoint_disposition', 'ANSWER');
    this.ground.tell('CHANNEL_ANSWER', channel);
    return true;
  }

  /** Our description of the stream, as an offer or as the answer to one. */
  protected describe(
    codecs: readonly OfferedCodec[],
    telephoneEvent: number | undefined,
    direction: MediaDirection,
    offer?: RemoteMedia,
  ): string {
    this.#sdpVersion += 1;
    const sdp = writeSdp(
      {
        address: this.ground.configuration().profile.publicRtpIp,
        port: this.stream?.port ?? 0,
        codecs,
        telephoneEvent,
        direction,
        sessionId: this.#sdpSession,
        version: this.#sdpSession + this.#sdpVersion,
      },
      offer,
    );
    this.channel.variables.set('rtp_local_sdp_str', sdp);
    this.channel.variables.set('local_media_ip', this.ground.configuration().profile.publicRtpIp);
    this.channel.variables.set('local_media_port', String(this.stream?.port ?? 0));
    return sdp;
  }

  /** Points the stream at the far end in the codec that was agreed on. */
  protected connectTo(remote: RemoteMedia, audio: OfferedCodec): void {
    const { channel } = this;
    const { mayHear } = answerDirection(remote.direction);
    this.stream?.setFarEnd({
      address: remote.address,
      port: remote.port,
      audio,
      telephoneEvent: remote.telephoneEvent,
      mayHear,
    });
    channel.codec = audio.codec;
    channel.variables.setAll([
      ['read_codec', audio.codec],
      ['read_rate', '8000'],
      ['write_codec', audio.codec],
      ['write_rate', '8000'],
      ['rtp_use_codec_name', audio.codec],
      ['rtp_use_codec_rate', '8000'],
      ['rtp_use_codec_ptime', '20'],
      ['rtp_use_pt', String(audio.payloadType)],
      ['remote_media_ip', remote.address],
      ['remote_media_port', String(remote.port)],
      ['dtmf_type', remote.telephoneEvent === undefined ? 'none' : 'rfc2833'],
    ]);
  }

  /** Sends a 2xx with a body again and again until its ACK comes; without one the leg is ended. */
  protected answerUntilAcknowledged(send: () => void): void {
    const { clock, timers } = this.ground.sip;
    send();
    this.#acknowledged?.();
    this.#acknowledged = repeatAnswer(clock, timers, send, () => {
      this.channel.variables.set('sip_term_status', '408');
      this.hangup('RECOVERY_ON_TIMER_EXPIRE');
    });
  }

  /** The ACK to a 2xx of ours came. */
  acknowledged(): void {
    this.#acknowledged?.();
    this.#acknowledged = undefined;
  }

  /** A request of the far end inside of the dialog. */
  inDialog(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (!this.dialog?.accepts(request)) return void transaction.reply(500, { reason: 'CSeq out of order' });
    switch (request.method) {
      case 'BYE':
        return this.#bye(transaction);
      case 'INVITE':
        return this.#reinvite(transaction);
      case 'OPTIONS':
      case 'INFO':
        return void transaction.reply(200, { headers: this.common() });
      case 'REFER':
        return void transaction.reply(603, { headers: this.common() });
      default:
        return void transaction.reply(501, { headers: [['Allow', allowed], ...this.common()] });
    }
  }

  protected common(): HeaderPairs {
    return [
      ['User-Agent', this.ground.configuration().profile.userAgent],
      ['Allow', allowed],
    ];
  }

  #bye(transaction: ServerTransaction): void {
    transaction.reply(200, { headers: this.common() });
    const given = q850Reason(transaction.request);
    this.channel.variables.setAll([
      ['sip_term_status', '200'],
      ['proto_specific_hangup_cause', 'sip:200'],
      ['sip_term_cause', given?.number ?? '16'],
    ]);
    this.endedByFarEnd('recv_bye', given?.cause ?? 'NORMAL_CLEARING');
  }

  /** The far end ended it: nothing is to be sent. */
  protected endedByFarEnd(disposition: string, cause: Cause): void {
    if (this.over) return;
    this.farEndGone = true;
    this.channel.variables.set('sip_hangup_disposition', disposition);
    this.hangup(cause);
  }

  protected farEndGone = false;

  /** Hold, resume, a moved stream: answered here, the other leg does not notice. The codec stays. */
  #reinvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    const audio = this.stream?.farEnd?.audio;
    if (this.#state !== 'answered' || !audio) return void transaction.reply(491, { headers: this.common() });
    const remote = parseSdp(request.body.toString());
    const same = remote?.codecs.find((offered) => offered.codec === audio.codec);
    if (!remote || !same) return void transaction.reply(488, { headers: this.common() });
    this.dialog?.retarget(request);
    this.connectTo(remote, same);
    const { ours, mayHear } = answerDirection(remote.direction);
    const body = this.describe([same], remote.telephoneEvent, ours, remote);
    const headers: HeaderPairs = [['Contact', this.contact(transaction)], ...this.common()];
    this.answerUntilAcknowledged(() =>
      transaction.reply(200, { headers, body, contentType: 'application/sdp' }),
    );
    this.#hold(!mayHear);
  }

  protected abstract contact(transaction: ServerTransaction): string;

  #hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    this.channel.callState = held ? 'HELD' : 'ACTIVE';
    this.ground.tell(held ? 'CHANNEL_HOLD' : 'CHANNEL_UNHOLD', this.channel);
  }

  /** BYE in our dialog; what comes back changes nothing. */
  protected bye(reason: string): void {
    const { dialog, ground, channel } = this;
    if (!dialog) return;
    channel.variables.set('sip_hangup_disposition', 'send_bye');
    const request = dialog.request('BYE', [...this.common(), ['Reason', reason]]);
    const answered = new Promise<void>((resolve) => {
      ground.sip.request(request, {
        onResponse: ({ status }) => status >= 200 && resolve(),
        onFailure: () => resolve(),
        onEnd: () => resolve(),
      });
    });
    ground.farewell(answered);
  }
}

/** The Q.850 cause in a Reason header, as a number and, where FreeSWITCH knows it, as a name. */
export function q850Reason(message: {
  getAll(name: string): string[];
}): { number: string; cause: Cause | undefined } | undefined {
  for (const value of message.getAll('Reason')) {
    const number = /^\s*Q\.850\s*;(?:.*;)?\s*cause\s*=\s*"?([0-9]{1,3})/i.exec(value)?.[1];
    if (number !== undefined) return { number, cause: causeOf(number) };
  }
  return undefined;
}
