import { createSocket, type Socket } from 'node:dgram';
import { SipEndpoint } from '../../src/standalone/sip/endpoint.js';
import type { Proto, TlsIdentity } from '../../src/standalone/sip/flow.js';
import { newCallId, newTag } from '../../src/standalone/sip/ids.js';
import { SipRequest, SipResponse, type HeaderPairs } from '../../src/standalone/sip/message.js';
import type { ServerTransaction } from '../../src/standalone/sip/server-transaction.js';
import type { ClientTransaction } from '../../src/standalone/sip/client-transaction.js';

/** Resolves when `holds` does; looked at whenever something may have changed, and given up after `ms`. */
export async function until(holds: () => boolean, what: string, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A far end's media: sends numbered packets of its own pattern, keeps what comes. */
export class AgentMedia {
  readonly #socket: Socket;
  readonly received: Buffer[] = [];
  readonly port: number;
  #sequence = 100;
  to: { host: string; port: number } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (packet) => this.received.push(packet));
  }

  static async open(): Promise<AgentMedia> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new AgentMedia(socket);
  }

  /** One packet; 160 bytes made of `seed` and the packet's number when no payload is given. */
  send(payloadType: number, seed: number, payload?: Buffer, timestamp?: number): Buffer {
    const body =
      payload ??
      Buffer.from(Array.from({ length: 160 }, (_, at) => (seed * 31 + this.#sequence * 7 + at) & 0xff));
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = payloadType;
    head.writeUInt16BE(this.#sequence, 2);
    head.writeUInt32BE(timestamp ?? this.#sequence * 160, 4);
    head.writeUInt32BE(seed, 8);
    this.#sequence += 1;
    const packet = Buffer.concat([head, body]);
    if (this.to) this.#socket.send(packet, this.to.port, this.to.host);
    return packet;
  }

  close(): void {
    this.#socket.close();
  }
}

/** The audio address in a session description. */
export function audioOf(sdp: string): { host: string; port: number } {
  return {
    host: /c=IN IP4 (\S+)/.exec(sdp)?.[1] ?? '',
    port: Number(/m=audio ([0-9]+)/.exec(sdp)?.[1] ?? 0),
  };
}

export function sdpOf(media: AgentMedia, types = '0 101', extra = ''): string {
  return `v=0\r\no=test 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${media.port} RTP/AVP ${types}\r\n${
    types.includes('101') ? 'a=rtpmap:101 telephone-event/8000\r\n' : ''
  }${extra}`;
}

/** One dialog of a test agent. */
export class AgentCall {
  readonly #sip: SipEndpoint;
  readonly statuses: number[] = [];
  /** When each status was received, or was sent by a callee. */
  readonly seen: { readonly status: number; readonly at: number }[] = [];
  readonly responses: SipResponse[] = [];
  readonly requests: SipRequest[] = [];
  readonly media: AgentMedia;
  invite: SipRequest;
  client: ClientTransaction | undefined;
  server: ServerTransaction | undefined;
  cancelled: SipRequest | undefined;
  bye: SipRequest | undefined;
  acks = 0;
  #answer: SipResponse | undefined;
  #sequence = 1;

  constructor(sip: SipEndpoint, media: AgentMedia, invite: SipRequest) {
    this.#sip = sip;
    this.media = media;
    this.invite = invite;
  }

  get last(): SipResponse {
    const last = this.responses.at(-1);
    if (!last) throw new Error('no response yet');
    return last;
  }

  /** When `status` was first received or sent; NaN for never. */
  seenAt(status: number): number {
    return this.seen.find((one) => one.status === status)?.at ?? NaN;
  }

  took(response: SipResponse): void {
    this.statuses.push(response.status);
    this.seen.push({ status: response.status, at: Date.now() });
    this.responses.push(response);
    if (response.body.length > 0) this.media.to = audioOf(response.body.toString());
    if (response.status >= 200 && response.status < 300) {
      this.#answer = response;
      void this.#sip.sendRequest(this.#request('ACK', this.#sequence));
    }
  }

  /** Callee: a response to the INVITE. */
  reply(status: number, types?: string, headers: HeaderPairs = []): void {
    const sdp = types === undefined ? {} : { body: sdpOf(this.media, types), contentType: 'application/sdp' };
    this.seen.push({ status, at: Date.now() });
    this.server?.reply(status, {
      headers: headers.some(([name]) => name === 'Contact')
        ? headers
        : [['Contact', `<${this.#sip.uri(this.server.flow.proto, 'agent')}>`], ...headers],
      ...sdp,
    });
    this.media.to = audioOf(this.invite.body.toString());
  }

  /** A request in the dialog; resolves to its final response. */
  async send(method: string, body?: string): Promise<SipResponse> {
    this.#sequence += 1;
    const sequence = this.#sequence;
    let request = this.#request(method, sequence);
    if (body !== undefined) request = request.withBody(body, 'application/sdp');
    return new Promise((resolve, reject) => {
      this.#sip.request(request, {
        onResponse: (response) => {
          if (response.status < 200) return;
          if (method === 'INVITE' && response.status < 300)
            void this.#sip.sendRequest(this.#request('ACK', sequence));
          resolve(response);
        },
        onFailure: (cause) => reject(new Error(cause)),
      });
    });
  }

  #protoOf(uri: string): Proto {
    return (/transport=(tcp|tls)/i.exec(uri)?.[1]?.toLowerCase() as Proto | undefined) ?? 'udp';
  }

  #request(method: string, sequence: number): SipRequest {
    const asCaller = this.server === undefined;
    const answer = this.#answer;
    const own = asCaller
      ? (this.invite.get('From') ?? '')
      : this.invite.to.withParam('tag', this.server?.localTag ?? '').toString();
    const far = asCaller ? (answer?.get('To') ?? '') : (this.invite.get('From') ?? '');
    const target = (asCaller ? answer?.contactUri : this.invite.contactUri) ?? this.invite.uri;
    // RFC 3261, 12.1: the route set is the Record-Route of the answer backwards, or that of the INVITE as it came.
    const recorded =
      (asCaller ? answer : this.invite)
        ?.getAll('Record-Route')
        .flatMap((value) => value.split(/,(?=\s*<)/)) ?? [];
    const routes = asCaller ? [...recorded].reverse() : recorded;
    return SipRequest.create(method, target, {
      headers: [
        ...routes.map((route) => ['Route', route.trim()] as const),
        ['From', own],
        ['To', far],
        ['Call-ID', this.invite.callId],
        ['CSeq', `${sequence} ${method}`],
        ['Max-Forwards', '70'],
        [
          'Contact',
          `<${this.#sip.uri(this.server?.flow.proto ?? this.#protoOf(target.toString()), 'test')}>`,
        ],
      ],
    });
  }
}

/** A far end on a socket of its own: calls, and answers as `onCall` says. */
export class Agent {
  readonly calls: AgentCall[] = [];
  /** Who calls. */
  number = '+12025550123';
  #sip: SipEndpoint | undefined;
  readonly #onCall: (call: AgentCall) => void;
  readonly #media: AgentMedia[] = [];

  private constructor(onCall: (call: AgentCall) => void) {
    this.#onCall = onCall;
  }

  static async start(onCall: (call: AgentCall) => void = () => undefined, tls?: TlsIdentity): Promise<Agent> {
    const agent = new Agent(onCall);
    agent.#sip = await SipEndpoint.listen(
      { host: '127.0.0.1', port: 0, ...(tls === undefined ? {} : { tls }) },
      {
        onRequest: (transaction) => void agent.#take(transaction),
        onAck: (ack) => {
          const call = agent.#find(ack);
          if (call) call.acks += 1;
        },
        onTrouble: (what, error) => {
          throw new Error(`${what}: ${error.message}`);
        },
      },
    );
    return agent;
  }

  get sip(): SipEndpoint {
    if (!this.#sip) throw new Error('not started');
    return this.#sip;
  }

  /** `sofia/test/sip:agent@...`, as a dial string names it. */
  dial(proto: 'udp' | 'tcp' = 'udp', profile = 'test'): string {
    return `sofia/${profile}/sip:agent@127.0.0.1:${this.sip.port}${proto === 'tcp' ? ';transport=tcp' : ''}`;
  }

  async call(
    server: string,
    user: string,
    headers: HeaderPairs = [],
    body?: string | null,
    proto: Proto = 'udp',
  ): Promise<AgentCall> {
    const media = await this.#open();
    const transport = proto === 'udp' ? '' : `;transport=${proto}`;
    const invite = SipRequest.create('INVITE', `sip:${user}@${server}${transport}`, {
      headers: [
        ['From', `"Caller" <sip:${this.number}@127.0.0.1>;tag=${newTag()}`],
        ['To', `<sip:${user}@${server}>`],
        ['Call-ID', newCallId()],
        ['CSeq', '1 INVITE'],
        ['Contact', `<${this.sip.uri(proto, 'test')}>`],
        ['Max-Forwards', '70'],
        ...headers,
      ],
      ...(body === null ? {} : { body: body ?? sdpOf(media), contentType: 'application/sdp' }),
    });
    const call = new AgentCall(this.sip, media, invite);
    this.calls.push(call);
    call.client = this.sip.request(invite, { onResponse: (response) => call.took(response) });
    return call;
  }

  async close(): Promise<void> {
    for (const media of this.#media) media.close();
    await this.#sip?.close();
  }

  async #open(): Promise<AgentMedia> {
    const media = await AgentMedia.open();
    this.#media.push(media);
    return media;
  }

  #find(request: SipRequest): AgentCall | undefined {
    return this.calls.find((call) => call.invite.callId === request.callId);
  }

  async #take(transaction: ServerTransaction): Promise<void> {
    const { request } = transaction;
    const known = this.#find(request);
    if (known && request.toTag !== undefined) {
      known.requests.push(request);
      if (request.method === 'BYE') known.bye = request;
      transaction.reply(200);
      return;
    }
    if (request.method !== 'INVITE') return void transaction.reply(501);
    const call = new AgentCall(this.sip, await this.#open(), request);
    call.server = transaction;
    transaction.handlers = {
      onCancel: (cancel) => {
        call.cancelled = cancel;
        transaction.reply(487);
      },
    };
    this.calls.push(call);
    this.#onCall(call);
  }
}
