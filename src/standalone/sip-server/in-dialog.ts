import type { Clock } from '../sip/clock.js';
import type { SipEndpoint } from '../sip/endpoint.js';
import type { Flow } from '../sip/flow.js';
import { SipResponse, type SipRequest } from '../sip/message.js';
import { nextHop } from '../sip/target.js';
import { newTag } from '../sip/ids.js';
import { Via } from '../sip/via.js';
import type { CallRecords } from './call-records.js';
import type { RouteSignatures } from './route-signature.js';

/** How long a forwarded request's TCP connection is remembered: the life of a transaction. */
const flowMemoryMs = 32_000;
const maxFlows = 20_000;

/**
 * Requests inside dialogs that this server record-routed: forwarded statelessly (RFC 3261 section 16.11), unseen by
 * the application, also after a restart. Anybody else who names us in a Route is refused.
 */
export class InDialogRelay {
  readonly #sip: () => SipEndpoint;
  readonly #signatures: RouteSignatures;
  readonly #records: CallRecords;
  readonly #clock: Clock;
  readonly #trouble: (what: string, error: unknown) => void;
  /** branch -> the TCP connection that the answer goes back by; only a shortcut, and forgotten with us. */
  readonly #flows = new Map<string, { flow: Flow; until: number }>();

  constructor(
    sip: () => SipEndpoint,
    signatures: RouteSignatures,
    records: CallRecords,
    clock: Clock,
    trouble: (what: string, error: unknown) => void,
  ) {
    this.#sip = sip;
    this.#signatures = signatures;
    this.#records = records;
    this.#clock = clock;
    this.#trouble = trouble;
  }

  /** @returns true when the request was forwarded or refused: it is nobody else's business then */
  take(request: SipRequest, flow: Flow): boolean {
    const sip = this.#sip();
    const verdict = this.#signatures.judge(request, (host, port) => sip.isSelf(host, port));
    if (verdict === 'none' || verdict === 'other') return false;
    // A new request may come with a Route that its sender was configured with; the application decides on it.
    if (request.toTag === undefined && request.method !== 'CANCEL' && request.method !== 'ACK') return false;
    if (verdict === 'forged') {
      this.#refuse(request, flow, 403);
      return true;
    }
    const onward = request.withoutFirst('Route');
    const target = nextHop(onward);
    if (target === undefined) {
      this.#refuse(request, flow, 416);
      return true;
    }
    const branch = this.#signatures.branch(request.callId, request.topVia);
    if (flow.connection !== undefined) this.#remember(branch, flow);
    if (request.method === 'BYE')
      this.#records.hangUp(request, onward.withFirst('Via', sip.via(target.proto, branch)));
    sip.sendRequest(onward, target, branch).catch(() => this.#refuse(request, flow, 503));
    return true;
  }

  /** A response without a transaction: passed on when it answers what was forwarded here, else dropped. */
  answer(response: SipResponse): void {
    const [, next] = response.getAll('Via');
    if (next === undefined) return;
    const branch = response.topVia.branch ?? '';
    if (branch !== this.#signatures.branch(response.callId, Via.parse(next))) return;
    const flow = this.#flows.get(branch)?.flow;
    this.#send(response.withoutFirst('Via'), flow);
  }

  #refuse(request: SipRequest, flow: Flow, status: number): void {
    if (request.method === 'ACK') return;
    this.#send(SipResponse.to(request, status, { toTag: newTag() }), flow);
  }

  #send(response: SipResponse, flow: Flow | undefined): void {
    this.#sip()
      .sendResponse(response, flow)
      .catch((error: unknown) => this.#trouble('in-dialog response', error));
  }

  #remember(branch: string, flow: Flow): void {
    const now = this.#clock.now();
    // Insertion order is age: what is old stands first.
    for (const [old, entry] of this.#flows) {
      if (entry.until > now && this.#flows.size < maxFlows) break;
      this.#flows.delete(old);
    }
    this.#flows.delete(branch);
    this.#flows.set(branch, { flow, until: now + flowMemoryMs });
  }
}
