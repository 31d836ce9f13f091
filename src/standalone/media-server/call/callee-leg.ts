import { randomInt, randomUUID } from 'node:crypto';
import { causeOfStatus, type Cause } from '../causes.js';
import { Channel } from '../channel/channel.js';
import { isTrue } from '../configuration/load.js';
import type { DialLeg } from '../dialplan/dial-string.js';
import type { ClientTransaction } from '../../sip/client-transaction.js';
import { newTag } from '../../sip/ids.js';
import { SipRequest, type HeaderPairs, type SipResponse } from '../../sip/message.js';
import { SipUri } from '../../sip/uri.js';
import type { Proto } from '../../sip/flow.js';
import { targetOf } from '../../sip/target.js';
import { parseSdp, type OfferedCodec } from '../media/sdp.js';
import { MediaStream } from '../media/stream.js';
import { Dialog } from './dialog.js';
import type { CallerLeg } from './caller-leg.js';
import type { Ground } from './ground.js';
import { Leg, q850Reason } from './leg.js';

/** A leg to a destination, made by `bridge` for a caller. */
export class CalleeLeg extends Leg {
  readonly #uri: SipUri;
  readonly #offered: readonly OfferedCodec[];
  #transaction: ClientTransaction | undefined;
  #cancelled = false;
  /** ACKs by the tag of the answer, for its repetitions. */
  readonly #acks = new Map<string, SipRequest>();
  /** Told of every change: ringing, early media, answer, end. */
  onChange: (() => void) | undefined;

  constructor(
    ground: Ground,
    caller: CallerLeg,
    dial: DialLeg,
    variables: Iterable<readonly [string, string]>,
  ) {
    const uri = SipUri.parse(dial.uri);
    super(ground, channelOf(ground, caller.channel, uri, variables));
    this.#uri = uri;
    this.#offered = caller.codecs;
    this.partner = caller;
    this.channel.other = { type: 'originator', channel: caller.channel };
  }

  get ringing(): boolean {
    return this.channel.times.progress > 0;
  }

  /** Opens the stream and sends the INVITE. Never throws: a leg that cannot start ends with a cause. */
  async start(): Promise<void> {
    const { ground, channel } = this;
    ground.tell('CHANNEL_CREATE', channel);
    channel.state = 'CS_CONSUME_MEDIA';
    if (ground.outboundPaused) return this.#end('SWITCH_CONGESTION');
    try {
      const stream = await MediaStream.open(ground.ports);
      if (this.over) return stream.close();
      this.stream = stream;
      const invite = this.#makeInvite();
      ground.route(this, invite.callId, invite.fromTag ?? '');
      this.#transaction = ground.sip.request(invite, {
        onResponse: (response) => this.#take(response),
        onFailure: (cause) => this.#failed(cause === 'timeout' ? 408 : 503, undefined),
      });
    } catch (error) {
      ground.log('warning', 'a leg could not be started', {
        uuid: channel.uuid,
        reason: (error as { code?: string }).code ?? (error as Error).name,
      });
      this.#end('DESTINATION_OUT_OF_ORDER');
    }
  }

  protected override sendEnd(_cause: Cause, reason: string): void {
    if (this.farEndGone) return;
    if (this.channel.answered) return this.bye(reason);
    this.channel.variables.setAll([
      ['sip_hangup_disposition', 'send_cancel'],
      ['sip_invite_failure_status', '487'],
      ['sip_invite_failure_phrase', 'CANCEL'],
    ]);
    this.#cancelled = true;
    this.#transaction?.cancel([['Reason', reason]]);
  }

  override hangup(cause: Cause): void {
    if (this.over) return;
    super.hangup(cause);
    this.onChange?.();
  }

  protected override contact(): string {
    return `<${this.ground.sip.uri(this.#proto(), 'mod_sofia')}>`;
  }

  #proto(): Proto {
    return targetOf(this.#uri)?.proto ?? 'udp';
  }

  #end(cause: Cause): void {
    this.farEndGone = true;
    this.hangup(cause);
  }

  #makeInvite(): SipRequest {
    const { channel, ground } = this;
    const { profile } = ground.configuration();
    const { callerIdName, callerIdNumber } = channel.profile;
    const who = `"${callerIdName.replace(/[\\"]/g, '')}" <sip:${encodeUser(callerIdNumber)}@${ground.sip.host}>`;
    const digits = profile.telephoneEvent;
    const extra: (readonly [string, string])[] = [];
    for (const [name, value] of channel.variables) {
      const header = /^sip_h_([A-Za-z0-9!%*_+`'~.-]+)$/.exec(name)?.[1];
      if (header !== undefined) extra.push([header, value]);
    }
    if (profile.callerIdType === 'rpid')
      extra.push(['Remote-Party-ID', `${who};party=calling;screen=yes;privacy=off`]);
    if (profile.callerIdType === 'pid') extra.push(['P-Asserted-Identity', who]);
    const headers: HeaderPairs = [
      ['Max-Forwards', channel.get('max_forwards') ?? '70'],
      ['From', `${who};tag=${newTag()}`],
      ['To', `<${this.#uri.toString()}>`],
      ['Call-ID', randomUUID()],
      ['CSeq', `${randomInt(1e7, 1.5e8)} INVITE`],
      ['Contact', this.contact()],
      ...this.common(),
      ['Content-Disposition', 'session'],
      ...extra,
    ];
    const body = this.describe(this.#offered, digits, 'sendrecv');
    const invite = SipRequest.create('INVITE', this.#uri.toString(), {
      headers,
      body,
      contentType: 'application/sdp',
    });
    channel.variables.set('sip_call_id', invite.callId);
    channel.variables.set('sip_outgoing_contact_uri', this.contact());
    channel.variables.set('sip_full_from', invite.get('From'));
    channel.variables.set('sip_full_to', invite.get('To'));
    const target = targetOf(this.#uri);
    if (!target) throw Object.assign(new Error('transport'), { code: 'unsupportedTransport' });
    return invite;
  }

  #take(response: SipResponse): void {
    const { status } = response;
    if (status < 200) return this.#provisional(response);
    if (status < 300) return this.#success(response);
    this.#failed(status, response);
  }

  #provisional(response: SipResponse): void {
    if (this.over || response.status === 100) return;
    const remote = parseSdp(response.body.toString());
    if (remote) {
      const audio = remote.codecs.find(({ codec }) =>
        this.#offered.some((offered) => offered.codec === codec),
      );
      if (!audio) return;
      this.connectTo(remote, audio);
      this.channel.variables.set('switch_r_sdp', response.body.toString());
      this.markEarly();
    } else if (response.status === 180) this.markRinging();
    this.onChange?.();
  }

  #success(response: SipResponse): void {
    const tag = response.toTag ?? '';
    const sent = this.#acks.get(tag);
    if (sent) return this.#acknowledge(sent);
    const dialog = Dialog.asCaller(response);
    const ack = dialog.request('ACK', [['Contact', this.contact()]]);
    const first = this.#acks.size === 0;
    this.#acks.set(tag, ack);
    this.#acknowledge(ack);
    if (!first || this.over) {
      // A second fork's answer, or one that crossed our CANCEL: nobody wants it (RFC 3261 section 13.2.2.4).
      this.ground.sip.request(dialog.request('BYE', this.common()), { onResponse: () => undefined });
      return;
    }
    this.dialog = dialog;
    const { channel } = this;
    channel.variables.setAll([
      ['sip_to_tag', tag],
      ['sip_from_tag', dialog.localTag],
      ['sip_full_to', response.get('To') ?? ''],
      ['switch_r_sdp', response.body.toString()],
    ]);
    const remote = parseSdp(response.body.toString());
    const audio = remote?.codecs.find(({ codec }) =>
      this.#offered.some((offered) => offered.codec === codec),
    );
    if (remote && audio) this.connectTo(remote, audio);
    if (remote ? audio : this.stream?.farEnd) {
      this.markAnswered();
      this.onChange?.();
      return;
    }
    this.markAnswered();
    this.hangup('INCOMPATIBLE_DESTINATION');
  }

  #acknowledge(ack: SipRequest): void {
    this.ground.sip.sendRequest(ack).catch(() => {
      this.ground.log('warning', 'an ACK could not be sent', { uuid: this.channel.uuid });
    });
  }

  #failed(status: number, response: SipResponse | undefined): void {
    if (this.over || this.#cancelled) return;
    const reason = response && q850Reason(response);
    // FreeSWITCH ends a leg with this cause where it has no password to answer a challenge with.
    const challenged = status === 401 || status === 407;
    const cause = challenged ? 'MANDATORY_IE_MISSING' : (reason?.cause ?? causeOfStatus(status));
    this.channel.variables.setAll([
      ['sip_term_status', String(status)],
      ['sip_term_cause', reason?.number ?? String(status)],
      ['sip_invite_failure_status', String(status)],
      ['sip_invite_failure_phrase', response?.reason ?? 'Request Timeout'],
      ['proto_specific_hangup_cause', `sip:${status}`],
      ['sip_hangup_disposition', 'recv_refuse'],
    ]);
    this.#end(status >= 300 && status < 400 ? 'REQUESTED_CHAN_UNAVAIL' : cause);
  }
}

function channelOf(
  ground: Ground,
  caller: Channel,
  uri: SipUri,
  variables: Iterable<readonly [string, string]>,
): Channel {
  const { profile } = ground.configuration();
  const own = new Map([...variables].map(([name, value]) => [name.toLowerCase(), value]));
  const number =
    own.get('origination_caller_id_number') ??
    caller.get('effective_caller_id_number') ??
    caller.profile.callerIdNumber;
  const name =
    own.get('origination_caller_id_name') ??
    caller.get('effective_caller_id_name') ??
    caller.profile.callerIdName;
  const address = uri.toString().replace(/^sips?:/, '');
  const channel = new Channel(
    'outbound',
    `sofia/${profile.name}/${address}`,
    {
      ...caller.profile,
      callerIdName: name,
      callerIdNumber: number,
      calleeIdName: 'Outbound Call',
      calleeIdNumber: uri.user ?? '',
      destinationNumber: uri.user ?? '',
    },
    ground.nextSessionId('outbound'),
    (variable) => ground.global(variable),
  );
  channel.callUuid = caller.callUuid;
  const copies = caller.get('sip_copy_custom_headers');
  if (copies === undefined || isTrue(copies)) {
    for (const [key, value] of caller.variables) if (/^sip_h_/i.test(key)) channel.variables.set(key, value);
  }
  channel.variables.setAll([
    ['is_outbound', 'true'],
    ['sip_profile_name', profile.name],
    ['sofia_profile_name', profile.name],
    ['sip_destination_url', uri.toString()],
    ['sip_req_uri', address],
    ['max_forwards', String(Math.max(0, Number(caller.get('max_forwards') ?? 70) - 1))],
    ['originator', caller.uuid],
    ['originating_leg_uuid', caller.uuid],
    ['signal_bond', caller.uuid],
    ['call_uuid', caller.uuid],
    ['originate_endpoint', 'sofia'],
  ]);
  channel.variables.setAll(variables);
  return channel;
}

/** A user part must not break out of its URI. */
function encodeUser(user: string): string {
  return user.replace(/[^A-Za-z0-9_.!~*'()&=+$,;?/-]/g, (character) => encodeURIComponent(character));
}
