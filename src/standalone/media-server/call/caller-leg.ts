import { statusOfCause, causeOfStatus, type Cause } from '../causes.js';
import { Channel } from '../channel/channel.js';
import { nowMicros } from '../channel/clock.js';
import type { HeaderPairs, SipRequest } from '../../sip/message.js';
import type { ServerTransaction } from '../../sip/server-transaction.js';
import { SipUri } from '../../sip/uri.js';
import { parseSdp, answerDirection, type Codec, type OfferedCodec, type RemoteMedia } from '../media/sdp.js';
import { MediaStream } from '../media/stream.js';
import { Dialog } from './dialog.js';
import type { Ground } from './ground.js';
import { allowed, Leg } from './leg.js';

/** The leg of whoever called: its INVITE is answered as the dialplan says. */
export class CallerLeg extends Leg {
  readonly #transaction: ServerTransaction;
  /** What is to be done when the caller is answered. */
  onAnswered: (() => void) | undefined;
  readonly #offer: RemoteMedia | undefined;
  #response: { readonly status: number; readonly phrase: string | undefined } | undefined;
  #answerBody: string | undefined;
  #media: Promise<boolean> | undefined;

  constructor(ground: Ground, transaction: ServerTransaction) {
    super(ground, channelOf(ground, transaction));
    const { request } = transaction;
    this.#transaction = transaction;
    this.#offer = parseSdp(request.body.toString());
    this.dialog = Dialog.asCallee(request, transaction.localTag);
    transaction.handlers = {
      onCancel: () => this.#cancelled(),
      onFailure: (cause) => {
        if (cause === 'transport' && !this.over) this.endedByFarEnd('recv_bye', 'NORMAL_TEMPORARY_FAILURE');
      },
    };
  }

  /** The caller's codecs that this server has, in the caller's order; once media is agreed on, that one. */
  get codecs(): readonly OfferedCodec[] {
    const agreed = this.stream?.farEnd?.audio;
    return agreed ? [agreed] : (this.#offer?.codecs ?? []);
  }

  /** Why the call cannot be taken at all: no description, or no codec in common. */
  get unusable(): Cause | undefined {
    if (this.#transaction.request.body.length === 0) return 'MANDATORY_IE_MISSING';
    return this.codecs.length === 0 ? 'INCOMPATIBLE_DESTINATION' : undefined;
  }

  get offersDigits(): boolean {
    return this.#offer?.telephoneEvent !== undefined;
  }

  /** 180, once, as long as nothing more was said. */
  ringReady(): void {
    if (this.state !== 'ringing' || !this.markRinging()) return;
    this.#transaction.reply(180, { headers: this.#headers() });
  }

  /** 183 with our description, so that the caller can hear. Resolves to false when that failed. */
  async preAnswer(preferred?: Codec): Promise<boolean> {
    if (this.state !== 'ringing') return !this.over;
    if (!(await this.#openMedia(preferred)) || this.state !== 'ringing') return !this.over;
    this.#transaction.reply(183, {
      headers: this.#headers(),
      body: this.#answerBody ?? '',
      contentType: 'application/sdp',
    });
    this.markEarly();
    return true;
  }

  /** 200 with our description. FreeSWITCH tells of media before it tells of the answer, and so does this. */
  async answer(preferred?: Codec): Promise<boolean> {
    if (this.state === 'answered' || this.over) return !this.over;
    if (!(await this.#openMedia(preferred)) || this.over) return !this.over;
    if (this.state === 'ringing') this.markEarly();
    const reply = (): void =>
      void this.#transaction.reply(200, {
        headers: this.#headers(),
        body: this.#answerBody ?? '',
        contentType: 'application/sdp',
      });
    if (this.markAnswered()) {
      this.answerUntilAcknowledged(reply);
      this.onAnswered?.();
    }
    return true;
  }

  /** The dialplan's `respond`: a final response ends the leg, a provisional one is only sent. */
  respond(status: number, phrase: string | undefined): void {
    if (this.over || (status >= 200 && status < 400)) return;
    if (status < 200) {
      this.#transaction.reply(status, {
        ...(phrase === undefined ? {} : { reason: phrase }),
        headers: this.#headers(),
      });
      return;
    }
    if (this.state === 'answered') return;
    this.#response = { status, phrase };
    this.hangup(causeOfStatus(status));
  }

  protected override sendEnd(cause: Cause, reason: string): void {
    const { channel } = this;
    if (this.farEndGone) {
      // CANCEL had its 487 already; a BYE before the answer leaves the INVITE without one.
      if (!channel.answered) this.#transaction.reply(487, { headers: this.common() });
      return;
    }
    if (channel.answered) return this.bye(reason);
    const told = /^sips?:([0-9]{3})$/.exec(channel.get('last_bridge_proto_specific_hangup_cause') ?? '')?.[1];
    const bridged = told !== undefined && Number(told) >= 300 ? Number(told) : undefined;
    const status = this.#response?.status ?? bridged ?? statusOfCause(cause);
    channel.variables.set('sip_hangup_disposition', 'send_refuse');
    const phrase = this.#response?.phrase;
    this.#transaction.reply(status, {
      ...(phrase === undefined ? {} : { reason: phrase }),
      headers: [...this.#headers().filter(([name]) => name !== 'Contact'), ['Reason', reason]],
    });
  }

  protected override contact(): string {
    const user = this.channel.profile.destinationNumber;
    const { proto } = this.#transaction.flow;
    return `<sip:${user}@${this.ground.sip.host}:${this.ground.sip.port};transport=${proto}>`;
  }

  #headers(): HeaderPairs {
    return [
      ['Contact', this.contact()],
      ['User-Agent', this.ground.configuration().profile.userAgent],
      ['Allow', allowed],
    ];
  }

  #openMedia(preferred: Codec | undefined): Promise<boolean> {
    this.#media ??= this.#agree(preferred);
    return this.#media;
  }

  async #agree(preferred: Codec | undefined): Promise<boolean> {
    const offer = this.#offer;
    const audio = offer?.codecs.find(({ codec }) => codec === preferred) ?? offer?.codecs[0];
    if (!offer || !audio || (preferred !== undefined && audio.codec !== preferred)) {
      this.hangup('INCOMPATIBLE_DESTINATION');
      return false;
    }
    try {
      const stream = await MediaStream.open(this.ground.ports);
      if (this.over) {
        stream.close();
        return false;
      }
      this.stream = stream;
    } catch (error) {
      this.ground.log('error', 'no stream for a caller', {
        uuid: this.channel.uuid,
        reason: (error as { code?: string }).code ?? 'error',
      });
      this.hangup('NORMAL_TEMPORARY_FAILURE');
      return false;
    }
    this.connectTo(offer, audio);
    this.#answerBody = this.describe(
      [audio],
      offer.telephoneEvent,
      answerDirection(offer.direction).ours,
      offer,
    );
    return true;
  }

  #cancelled(): void {
    this.#transaction.reply(487, { headers: this.common() });
    this.channel.variables.setAll([
      ['sip_term_status', '487'],
      ['sip_term_cause', '487'],
      ['proto_specific_hangup_cause', 'sip:487'],
      ['sip_invite_failure_status', '487'],
      ['sip_invite_failure_phrase', 'CANCEL'],
    ]);
    this.endedByFarEnd('recv_cancel', 'ORIGINATOR_CANCEL');
  }
}

function channelOf(ground: Ground, { request, flow, localTag }: ServerTransaction): Channel {
  const { profile } = ground.configuration();
  const from = request.from;
  const fromUri = safeUri(from.uri);
  const toUri = safeUri(request.to.uri);
  const requestUri = safeUri(request.uri);
  const contactUri = safeUri(request.contactUri ?? '');
  const number = fromUri?.user ?? 'anonymous';
  const name = from.displayName === '' ? number : from.displayName;
  const address = fromUri ? `${number}@${hostPort(fromUri)}` : number;
  const channel = new Channel(
    'inbound',
    `sofia/${profile.name}/${address}`,
    {
      username: number,
      callerIdName: name,
      callerIdNumber: number,
      originalCallerIdName: name,
      originalCallerIdNumber: number,
      calleeIdName: '',
      calleeIdNumber: '',
      networkAddress: flow.host,
      ani: number,
      destinationNumber: requestUri?.user ?? '',
      context: profile.context,
    },
    ground.nextSessionId('inbound'),
    (variable) => ground.global(variable),
  );
  channel.hitDialplan = true;
  const { variables } = channel;
  variables.setAll([
    ['call_uuid', channel.uuid],
    ...uriVariables('sip_from', fromUri),
    ['sip_call_id', request.callId],
    ['sip_local_network_addr', profile.sipIp],
    ['sip_network_ip', flow.host],
    ['sip_network_port', String(flow.port)],
    ['sip_invite_stamp', String(nowMicros())],
    ['sip_received_ip', flow.host],
    ['sip_received_port', String(flow.port)],
    ['sip_via_protocol', flow.proto],
    ['sip_from_tag', request.fromTag ?? ''],
    ['sip_to_tag', localTag],
    ['sip_cseq', String(request.cseq.number)],
    ['sofia_profile_name', profile.name],
    ['sofia_profile_url', `sip:mod_sofia@${ground.sip.host}:${ground.sip.port}`],
    ['sip_invite_record_route', request.getAll('Record-Route').join(',')],
    ['sip_full_via', request.getAll('Via').join(',')],
    ['sip_from_display', from.displayName],
    ['sip_full_from', request.get('From') ?? ''],
    ['sip_full_to', request.get('To') ?? ''],
    ...uriVariables('sip_req', requestUri),
    ...uriVariables('sip_to', toUri),
    ...uriVariables('sip_contact', contactUri),
    ['sip_user_agent', request.get('User-Agent') ?? ''],
    ['max_forwards', String(request.maxForwards)],
    ['switch_r_sdp', request.body.toString()],
    ['endpoint_disposition', 'DELAYED NEGOTIATION'],
  ]);
  copyHeaders(request, channel);
  return channel;
}

const carried = /^(X-|P-|On|K-|Accept-Language|Diversion)|^User-to-User$/i;

/** Headers that the dialplan sees as `sip_h_NAME`; a repeated one gets `-1`, `-2` behind its name, as in FreeSWITCH. */
function copyHeaders(request: SipRequest, channel: Channel): void {
  for (const { name, value } of request.headers) {
    // What would be expanded is left out whole, as by FreeSWITCH.
    if (value === '' || value.includes('${')) continue;
    if (copiedApart(name.toLowerCase(), value, channel) || !carried.test(name)) continue;
    let key = `sip_h_${name}`;
    for (let again = 1; channel.variables.get(key) !== undefined; again += 1) key = `sip_h_${name}-${again}`;
    channel.variables.set(key, value);
  }
}

/** Headers that FreeSWITCH keeps in ways of their own: the first Identity, the last Diversion, every History-Info in one. */
function copiedApart(name: string, value: string, { variables }: Channel): boolean {
  if (name === 'diversion') variables.set('sip_h_Diversion', value);
  else if (name === 'history-info') {
    const before = variables.get('sip_history_info');
    variables.set('sip_history_info', before === undefined ? value : `${before}, ${value}`);
  } else if (name === 'identity' || name === 'y') {
    if (variables.get('sip_h_identity') === undefined) variables.set('sip_h_identity', value);
  } else return false;
  return true;
}

/** A URI as FreeSWITCH's four variables; an empty value is none. */
function uriVariables(prefix: string, uri: SipUri | undefined): [string, string][] {
  if (!uri) return [];
  return [
    [`${prefix}_user`, uri.user ?? ''],
    [`${prefix}_port`, String(uri.port ?? '')],
    [`${prefix}_uri`, `${uri.user === undefined ? '' : `${uri.user}@`}${hostPort(uri)}`],
    [`${prefix}_host`, uri.host],
  ];
}

function safeUri(text: string): SipUri | undefined {
  try {
    return SipUri.parse(text);
  } catch {
    return undefined; // tel: and worse: the fields that need a SIP URI stay empty
  }
}

function hostPort(uri: SipUri): string {
  return uri.port === undefined ? uri.host : `${uri.host}:${uri.port}`;
}
