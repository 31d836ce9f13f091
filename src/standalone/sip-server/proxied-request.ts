import { NameAddr } from '../sip/name-addr.js';
import { ParseError } from '../sip/parse-error.js';
import type { ClientTransaction } from '../sip/client-transaction.js';
import type { SipEndpoint } from '../sip/endpoint.js';
import type { Flow } from '../sip/flow.js';
import { SipResponse, type HeaderPairs, type SipRequest } from '../sip/message.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import { SipUri } from '../sip/uri.js';
import { bestResponse } from './best-response.js';
import type { CallRecords } from './call-records.js';
import { maxDestinations, OrderError, readDestination } from './proxy-order.js';
import type { Destination, ProxyOrder } from './proxy-order.js';
import type { RouteSignatures } from './route-signature.js';

/** RFC 3261 section 16.6 step 11 asks for more than three minutes; the real server waits this long. */
export const timerCMs = 185_000;

/** Methods that make dialogs, in which we want to stay when asked to. */
const dialogMethods = new Set(['INVITE', 'SUBSCRIBE']);

/** What the application hears while its order is carried out. */
export interface ProxyNews {
  /** A branch got its final response. */
  branchEnded(response: SipResponse, flow: Flow): void;
  /** Nothing more will be tried or told. */
  done(): void;
}

/** What a proxied request needs of the server. */
export interface ProxyGround {
  readonly sip: SipEndpoint;
  readonly signatures: RouteSignatures;
  readonly records: CallRecords;
  readonly timerCMs: number;
  /** Something could not be sent. */
  trouble(what: string, error: unknown): void;
}

/**
 * A request on its way through us, as a stateful proxy (RFC 3261 section 16), one destination after the other.
 *
 * Like the real server, and unlike what one might wish: every final response but a 2xx moves on to the next
 * destination (a 6xx too); a destination that stays silent longer than the provisional timeout is left behind, and
 * cancelled only when it wakes up; one that answered anything provisional is waited for until timer C.
 *
 * States: trying (a branch is alive) -> cancelled (487 was sent, the branch is still to end) -> over.
 */
export class ProxiedRequest {
  readonly #ground: ProxyGround;
  readonly #upstream: ServerTransaction;
  readonly #order: ProxyOrder;
  readonly #news: ProxyNews;
  readonly #finals: SipResponse[] = [];
  readonly #waiting: Destination[];
  #redirections = 0;
  #state: 'trying' | 'cancelled' | 'over' = 'trying';
  /** The branch whose words count; none once it ended or was left behind. */
  #live: ClientTransaction | undefined;
  /** The branch that gave a 2xx, which it may repeat. */
  #answered: ClientTransaction | undefined;
  #stopProvisional: () => void = () => undefined;
  #stopTimerC: () => void = () => undefined;

  constructor(ground: ProxyGround, upstream: ServerTransaction, order: ProxyOrder, news: ProxyNews) {
    this.#ground = ground;
    this.#upstream = upstream;
    this.#order = order;
    this.#news = news;
    this.#waiting = [...order.destinations];
    upstream.handlers = {
      onCancel: (cancel) => this.#cancelled(cancel),
      onEnd: () => {
        // The endpoint is closing, or the caller's connection is gone.
        if (this.#state === 'trying') this.#stopTrying();
      },
    };
  }

  /** Tries the first destination. Call once. */
  start(): void {
    this.#next();
  }

  #next(): void {
    const destination = this.#waiting.shift();
    if (destination !== undefined) this.#try(destination);
    // No destination is left: the best failure, or 408 when there was none at all.
    else this.#conclude(bestResponse(this.#finals)?.withoutFirst('Via') ?? this.#made(408));
  }

  #try(destination: Destination): void {
    const { sip, records } = this.#ground;
    const branch = sip.request(
      this.#outgoing(destination),
      {
        onResponse: (response, flow) => this.#hear(branch, response, flow),
        onFailure: () => {
          if (branch === this.#live) this.#leave();
        },
      },
      destination.target,
    );
    this.#live = branch;
    if (this.#order.provisionalMs !== undefined) {
      this.#stopProvisional = sip.clock.after(this.#order.provisionalMs, () => this.#leave());
    }
    if (this.#upstream.request.method === 'INVITE') {
      records.attempt('application', branch.request);
      this.#startTimerC(branch);
    }
  }

  #hear(branch: ClientTransaction, response: SipResponse, flow: Flow): void {
    const { status } = response;
    if (branch === this.#answered && status >= 200 && status < 300)
      this.#passAnswer(response.withoutFirst('Via'));
    if (branch !== this.#live) {
      // A destination that was given up while it was silent wakes up: it rings for nobody.
      if (status > 100 && status < 200 && branch !== this.#answered) branch.cancel();
      return;
    }
    // The real server finds its request by the Via below ours: a 100 without it (FreeSWITCH's) is nobody's.
    if (status === 100 && response.withoutFirst('Via').get('Via') === undefined) return;
    this.#stopProvisional();
    if (status === 100) return;
    if (status < 200) {
      this.#provisional(response, branch);
      return;
    }
    this.#settle();
    if (status < 300) this.#succeeded(branch, response, flow);
    else this.#failed(response, flow);
  }

  /** The live branch is so no longer. */
  #settle(): void {
    this.#live = undefined;
    this.#stopProvisional();
    this.#stopTimerC();
  }

  /** The live branch gave no answer: the next one, or the end. */
  #leave(): void {
    this.#settle();
    this.#moveOn();
  }

  /** Timer C (section 16.8): ringing has an end. */
  #startTimerC(branch: ClientTransaction): void {
    this.#stopTimerC();
    this.#stopTimerC = this.#ground.sip.clock.after(this.#ground.timerCMs, () => {
      this.#settle();
      branch.cancel();
      this.#waiting.length = 0;
      if (this.#state === 'trying') this.#conclude(this.#made(408));
      else this.#over();
    });
  }

  #provisional(response: SipResponse, branch: ClientTransaction): void {
    if (this.#state !== 'trying') return;
    // Any provisional other than 100 starts timer C anew (section 16.7, step 2).
    if (this.#upstream.request.method === 'INVITE') this.#startTimerC(branch);
    this.#upstream.respond(response.withoutFirst('Via'));
  }

  #succeeded(branch: ClientTransaction, response: SipResponse, flow: Flow): void {
    this.#answered = branch;
    const up = response.withoutFirst('Via');
    const counts = this.#state === 'trying' && this.#upstream.request.method === 'INVITE';
    if (counts) this.#ground.records.start('network', 'proxy-uac', response);
    this.#news.branchEnded(response, flow);
    this.#over();
    this.#passAnswer(up);
    if (counts) this.#ground.records.start('application', 'proxy-uas', up);
  }

  /** A 2xx always goes on (section 16.7, step 5), also when it is repeated or came after a CANCEL. */
  #passAnswer(up: SipResponse): void {
    if (this.#upstream.respond(up)) return;
    this.#ground.sip
      .sendResponse(up, this.#upstream.flow)
      .catch((error: unknown) => this.#ground.trouble('answer', error));
  }

  #failed(response: SipResponse, flow: Flow): void {
    if (this.#upstream.request.method === 'INVITE') {
      const reason = response.status === 487 ? 'call-canceled' : 'call-rejected';
      this.#ground.records.stop('network', reason, response);
    }
    const elsewhere = this.#order.followRedirects && response.status < 400 ? contactsOf(response) : [];
    const room = Math.max(0, maxDestinations - (this.#redirections += elsewhere.length));
    this.#waiting.unshift(...elsewhere.slice(0, room));
    // Section 16.7, step 4: a redirection that is followed is no answer.
    if (elsewhere.length === 0) this.#finals.push(response);
    this.#news.branchEnded(response, flow);
    this.#moveOn();
  }

  #moveOn(): void {
    if (this.#state === 'trying') this.#next();
    else this.#over();
  }

  #made(status: number): SipResponse {
    return SipResponse.to(this.#upstream.request, status, { toTag: this.#upstream.localTag });
  }

  #conclude(response: SipResponse): void {
    this.#over();
    this.#upstream.respond(response);
    if (this.#upstream.request.method === 'INVITE') {
      this.#ground.records.stop('application', 'call-rejected', response);
    }
  }

  #cancelled(cancel: SipRequest): void {
    if (this.#state !== 'trying') return;
    this.#ground.records.stop('network', 'call-canceled', cancel);
    this.#stopTrying(cancel.getAll('Reason').map((reason) => ['Reason', reason] as const));
    this.#upstream.respond(this.#made(487));
  }

  /** Nobody waits for an answer any more; the live branch is told so and still to end. */
  #stopTrying(headers: HeaderPairs = []): void {
    this.#state = 'cancelled';
    this.#waiting.length = 0;
    this.#stopProvisional();
    this.#stopTimerC();
    this.#live?.cancel(headers);
    if (this.#live === undefined) this.#over();
  }

  #over(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#news.done();
  }

  /** Section 16.6: what goes to a destination. Our Via is put on top by the endpoint. */
  #outgoing(destination: Destination): SipRequest {
    const { sip, signatures } = this.#ground;
    const { request } = this.#upstream;
    let onward = isOurs(request, sip) ? request.withUri(destination.uri) : request;
    const verdict = signatures.judge(request, (host, port) => sip.isSelf(host, port));
    if (verdict === 'signed' || verdict === 'forged') onward = onward.withoutFirst('Route');
    const hops = String(request.has('Max-Forwards') ? request.maxForwards - 1 : 70);
    onward = onward.withHeader('Max-Forwards', hops);
    if (this.#order.recordRoute && dialogMethods.has(request.method)) {
      const route = signatures.sign(SipUri.parse(sip.uri(destination.target.proto)), request.callId);
      onward = onward.withFirst('Record-Route', `<${route.toString()}>`);
    }
    for (const { name, value } of this.#order.headers) onward = onward.withAdded(name, value);
    return onward;
  }
}

/** True when the Request-URI is this server's own: only then a proxy may replace it (section 16.5). */
function isOurs(request: SipRequest, sip: SipEndpoint): boolean {
  if (!/^sips?:/i.test(request.uri)) return false;
  const uri = request.sipUri();
  return sip.isSelf(uri.host, uri.port);
}

/** Where a redirection points; a way that cannot be read, or gone, is none. */
function contactsOf(response: SipResponse): Destination[] {
  return response.getAll('Contact').flatMap((contact) => {
    try {
      return [readDestination(NameAddr.parse(contact).uri)];
    } catch (error) {
      if (error instanceof OrderError || error instanceof ParseError) return [];
      throw error;
    }
  });
}
