import { SipEndpoint } from '../../../src/standalone/sip/endpoint.js';
import type { Proto, Target } from '../../../src/standalone/sip/flow.js';
import { newCallId, newTag } from '../../../src/standalone/sip/ids.js';
import { SipRequest, type HeaderPairs, type SipResponse } from '../../../src/standalone/sip/message.js';
import { NameAddr } from '../../../src/standalone/sip/name-addr.js';
import type { ServerTransaction } from '../../../src/standalone/sip/server-transaction.js';
import { targetOf } from '../../../src/standalone/sip/target.js';

/** One end's view of a dialog. */
export interface AgentDialog {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly remoteTarget: string;
  readonly routes: readonly string[];
}

/** A call that an agent placed: what came back, and how to cancel it. */
export interface Placed {
  readonly responses: SipResponse[];
  readonly final: Promise<SipResponse>;
  readonly request: SipRequest;
  cancel(): void;
}

/** A far end on loopback that speaks one transport only, as a carrier or a phone does. */
export class Agent {
  readonly proto: Proto;
  readonly requests: SipRequest[] = [];
  readonly acks: SipRequest[] = [];
  readonly cancels: SipRequest[] = [];
  /** What it does with an INVITE; by default it rings and answers. */
  onInvite: (tx: ServerTransaction) => void = (tx) => {
    tx.reply(180);
    this.answer(tx);
  };
  endpoint!: SipEndpoint;

  private constructor(proto: Proto) {
    this.proto = proto;
  }

  static async listen(proto: Proto): Promise<Agent> {
    const agent = new Agent(proto);
    agent.endpoint = await SipEndpoint.listen(
      { host: '127.0.0.1', port: 0 },
      {
        onRequest: (tx) => {
          agent.requests.push(tx.request);
          tx.handlers = {
            onCancel: (cancel) => {
              agent.cancels.push(cancel);
              tx.reply(487);
            },
          };
          if (tx.request.method === 'INVITE') agent.onInvite(tx);
          else tx.reply(200);
        },
        onAck: (ack) => agent.acks.push(ack),
      },
    );
    return agent;
  }

  get contact(): string {
    return `<${this.endpoint.uri(this.proto)}>`;
  }

  /** Where others reach it. */
  uri(user: string): string {
    return this.endpoint.uri(this.proto, user);
  }

  answer(tx: ServerTransaction): void {
    tx.reply(200, { headers: [['Contact', this.contact]], body: 'v=0\r\n', contentType: 'application/sdp' });
  }

  /** Sends an INVITE (or something else) to a server. */
  place(server: Target, uri: string, headers: HeaderPairs = [], method = 'INVITE'): Placed {
    const request = SipRequest.create(method, uri, {
      headers: [
        ['Max-Forwards', '70'],
        ['From', `"A caller" <sip:+12025550101@127.0.0.1>;tag=${newTag()}`],
        ['To', `<${uri}>`],
        ['Call-ID', newCallId()],
        ['CSeq', `1 ${method}`],
        ['Contact', this.contact],
        // What is given takes the place of what stands here.
        ...headers,
      ].filter(
        ([name], i, all) => all.findLastIndex(([n]) => n === name) === i || name?.startsWith('X-'),
      ) as HeaderPairs,
      body: method === 'INVITE' ? 'v=0\r\n' : '',
      ...(method === 'INVITE' ? { contentType: 'application/sdp' } : {}),
    });
    const responses: SipResponse[] = [];
    let cancel = (): void => undefined;
    const final = new Promise<SipResponse>((done, fail) => {
      const tx = this.endpoint.request(
        request,
        {
          onResponse: (response) => {
            responses.push(response);
            if (response.status >= 200) done(response);
          },
          onFailure: (cause) => fail(new Error(cause)),
        },
        server,
      );
      cancel = () => tx.cancel();
    });
    return { responses, final, request, cancel: () => cancel() };
  }

  /** The caller's dialog after a 2xx. */
  callerDialog(answer: SipResponse): AgentDialog {
    return {
      callId: answer.callId,
      local: answer.get('From') ?? '',
      remote: answer.get('To') ?? '',
      remoteTarget: answer.contactUri ?? '',
      routes: answer.getAll('Record-Route').reverse(),
    };
  }

  /** The callee's dialog, from the INVITE it answered. */
  calleeDialog(invite: SipRequest, answer: SipResponse): AgentDialog {
    return {
      callId: invite.callId,
      local: answer.get('To') ?? '',
      remote: invite.get('From') ?? '',
      remoteTarget: invite.contactUri ?? '',
      routes: invite.getAll('Record-Route'),
    };
  }

  /** Sends the ACK to a 2xx. */
  async ack(dialog: AgentDialog): Promise<void> {
    await this.endpoint.sendRequest(this.#inDialog(dialog, 'ACK', 1), this.#hop(dialog));
  }

  /** Sends a request inside a dialog. @returns its final response */
  inDialog(dialog: AgentDialog, method: string, number = 2): Promise<SipResponse> {
    return new Promise((done, fail) => {
      this.endpoint.request(
        this.#inDialog(dialog, method, number),
        {
          onResponse: (response) => {
            if (response.status >= 200) done(response);
          },
          onFailure: (cause) => fail(new Error(`${method}: ${cause}`)),
        },
        this.#hop(dialog),
      );
    });
  }

  close(): Promise<void> {
    return this.endpoint.close();
  }

  #inDialog(dialog: AgentDialog, method: string, number: number): SipRequest {
    return SipRequest.create(method, dialog.remoteTarget, {
      headers: [
        ...dialog.routes.map((route) => ['Route', route] as const),
        ['Max-Forwards', '70'],
        ['From', dialog.local],
        ['To', dialog.remote],
        ['Call-ID', dialog.callId],
        ['CSeq', `${number} ${method}`],
        ['Contact', this.contact],
      ],
    });
  }

  /** The next hop; it must be reachable over the one transport that this end speaks. */
  #hop(dialog: AgentDialog): Target {
    const first = dialog.routes[0];
    const target = targetOf(NameAddr.parse(first ?? `<${dialog.remoteTarget}>`).sipUri());
    if (target?.proto !== this.proto)
      throw new Error(`next hop ${first} is not reachable over ${this.proto}`);
    return target;
  }
}
