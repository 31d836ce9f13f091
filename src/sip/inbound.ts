import type { CallEvent, Planned } from '../calls/events.js';
import { Seq } from '../calls/events.js';
import { endByDialplan, endByStatus, type Termination } from '../calls/termination.js';
import type { Endpoint } from '../directory/model.js';
import { transportParameter, type Transport } from '../directory/transport.js';
import { mintId } from '../ids.js';
import { announcementHeaders, planHeaders } from '../media/dial-strings.js';
import { StoreUnavailable } from '../numbers/ports.js';
import { attributedEvent, receivedEvent, resolutionWithoutStore } from '../numbers/resolution.js';
import type { Resolution, ResolutionRequest } from '../numbers/types.js';
import { withFields, type Logger } from '../observe/logger.js';
import { elapsedSince, momentOf, stampAfter, type Moment } from '../observe/moment.js';
import { mintLegToken } from '../routing/leg-token.js';
import { destinationsOf, LONGEST_RING_MS, planCall, type Plan } from '../routing/plan.js';
import { targetUri } from '../routing/targets.js';
import { waysOut } from '../routing/trunk-choice.js';
import { callerToShow } from '../routing/caller-shown.js';
import { rewritten } from '../routing/number-format.js';
import { announcementTo, answering } from './answering.js';
import type { Answering } from './answering.js';
import type { Attesting } from './attesting.js';
import type { CallRouting } from './call-routing.js';
import type { CallerIdentity } from './caller-identity.js';
import type { CallDirectory, NodeChooser, NodeTarget, NumberResolver } from './ports.js';
import type { IncomingRequest } from './requests.js';
import { ProxyLost } from './requests.js';
import type { Attested } from './stir/verification.js';
import { retryLater } from './retry-later.js';
import type { TrunkOf, Verdict } from './screening.js';
import type { TrunkHealth } from './trunk-health.js';
import type { TrunkRates } from './trunk-rates.js';

/** A silent media node: 408 to the caller within 2 s, so that the carrier moves on (design, rule 1). */
const NODE_SILENCE_MS = 1500;
/** A direct call's destination gets as long as a carrier's trunk may take to its first word. */
const DIRECT_SILENCE_MS = 6000;
/** Timer C, and a margin: what is not settled by then never will be. */
const PROXY_DEADLINE_MS = 200_000;
/** FreeSWITCH counts whole seconds: a plan that rings to the end gets there first. */
const RING_OUT_MS = LONGEST_RING_MS + 1500;
/** A leg's token outlives the longest ringing. */
const TOKEN_LIFE_S = LONGEST_RING_MS / 1000 + 30;

export interface InboundParts {
  readonly directory: () => CallDirectory;
  readonly resolver: NumberResolver;
  readonly nodes: NodeChooser;
  readonly rates: TrunkRates;
  readonly routing: CallRouting;
  readonly trunkHealth: Pick<TrunkHealth, 'inOrder' | 'heard'>;
  readonly identity: CallerIdentity;
  readonly attesting: Attesting;
  /** Takes events; never rejects: what cannot be stored now is spooled. */
  readonly append: (event: CallEvent) => void;
  /** A direct call is about to leave under this Call-ID. */
  readonly expectDirect: (callId: string, account: string, call: string) => void;
  readonly legKey: Uint8Array;
  /** The address that legs come back through, as the media nodes reach it: host:port. */
  readonly switchAddress: string;
  /** Of carriers and media nodes alike (design, rule 5). */
  readonly transport: () => Transport;
  readonly refused: (why: 'trunkRate') => void;
  /** How long the INVITE was in our hands, ms. */
  readonly decided: (ms: number) => void;
  /** Whether the request URI's test token is ours, for this number. */
  readonly isTest: (number: string, token: string) => boolean;
  readonly now: () => number;
  readonly log: Logger;
}

type Call = Extract<Verdict, { kind: 'call' }>;

/** With the moment when it came. */
interface Arrived extends Moment {
  readonly id: `call_${string}`;
  readonly request: IncomingRequest;
  readonly verdict: Call;
  readonly via: TrunkOf;
  readonly attested: Attested;
  readonly who: Answering | undefined;
  readonly log: Logger;
}

/** A call from a trunk, from its INVITE to the moment when drachtio and FreeSWITCH own it (design, journey two). */
export class InboundCalls {
  readonly #parts: InboundParts;

  constructor(parts: InboundParts) {
    this.#parts = parts;
  }

  /** Decides on the call and hands it on. Never rejects: whatever happens, the caller gets a final response. */
  async take(request: IncomingRequest, verdict: Call): Promise<void> {
    const { now, directory } = this.#parts;
    const came = momentOf(now());
    const { at } = came;
    const who = answering(directory(), verdict.number, at);
    // One carrier may bring the calls of several accounts: the number says which account's trunk it is, also of a call that
    // nobody answers.
    const declaredBy = directory().numberOwner(verdict.number)?.account.id;
    const ofAccount = (who?.accounts ?? (declaredBy === undefined ? [] : [declaredBy])).flatMap((id) =>
      verdict.trunks.filter(({ account }) => account.id === id),
    );
    const via = ofAccount.find(({ trunk }) => trunk.id === who?.trunk) ?? ofAccount[0] ?? verdict.trunks[0];
    if (via === undefined) return;
    const id = mintId('call');
    const log = withFields(this.#parts.log, { call: id });
    if (!this.#parts.rates.take(via.trunk, at)) {
      // Before any work, and for new calls alone: the carrier goes elsewhere, or comes again shortly.
      this.#parts.refused('trunkRate');
      request.respond(503, retryLater());
      return;
    }
    const { identity, attesting } = this.#parts;
    const caller = identity.number(request, via.trunk);
    const attested = await attesting.of(request, via.trunk, caller, verdict.number);
    const arrived: Arrived = { ...came, id, request, verdict, via, attested, who, log };
    try {
      await this.#decide(arrived);
    } catch (error) {
      arrived.log.error(
        { reason: error instanceof Error ? error.name : 'unknown' },
        'a call could not be decided',
      );
      request.respond(503);
      this.#ended(arrived, via.account.id, endByStatus(503, 'us'));
    }
  }

  async #decide(arrived: Arrived): Promise<void> {
    const { via, who, request } = arrived;
    if (who?.accounts.includes(via.account.id) !== true) {
      const known = receivedEvent(this.#asked(arrived, via.account.id));
      this.#parts.append({ ...known, level: 'none', late: false, why: 'unknownNumber' });
      await this.#turnAway(arrived, via.account.id);
      return;
    }
    const account = who.account.id;
    const resolution = who.byHolder ? await this.#resolve(arrived, who) : this.#byDefault(arrived, who);
    const endpoint =
      this.#endpoint(resolution.endpoint, account) ?? this.#endpoint(who.defaultEndpoint, account);
    if (endpoint === undefined) {
      this.#refuse(arrived, account, 404);
      return;
    }
    const way = await this.#parts.routing.wayOf(
      { call: arrived.id, account: who.account, trunk: via.trunk, endpoint },
      {
        at: arrived.at,
        caller: this.#parts.identity.shown(request, via.trunk),
        attestation: arrived.attested.attestation,
      },
      arrived.log,
    );
    if ('turnedAway' in way) {
      this.#turnedAway(arrived, account, way.turnedAway);
      return;
    }
    const plan = planCall(
      way.endpoint,
      waysOut(who.account, arrived.id, (serial) => this.#parts.trunkHealth.inOrder(serial)),
      {
        seed: arrived.id,
        overflow: way.overflow,
      },
    );
    if (plan.rounds.length === 0) {
      // Nobody to ring: the callee cannot be reached now, and that is not the carrier's doing.
      this.#refuse(arrived, account, 480);
      return;
    }
    if (request.cancelled) {
      this.#ended(arrived, account, endByStatus(487, 'us'));
      return;
    }
    const shown = callerToShow(
      way.endpoint,
      this.#parts.identity.shown(request, via.trunk),
      arrived.verdict.number,
    );
    await this.#handOn(
      { ...arrived, shown },
      account,
      plan,
      way.steps.length > 1 ? { route: way.steps } : {},
    );
  }

  /** Nobody answers this number: 404, after an announcement where its pool has one and a media node can play it. */
  async #turnAway(arrived: Arrived, account: string): Promise<void> {
    const { directory, nodes } = this.#parts;
    const sound = announcementTo(directory(), arrived.verdict.number, arrived.at);
    const node = sound === undefined ? undefined : nodes.choose();
    if (sound === undefined || node === undefined) {
      this.#refuse(arrived, account, 404);
      return;
    }
    this.#parts.append({ ...this.#planned(arrived, account), media: 'bridged', mediaNode: node.name });
    const headers = announcementHeaders(sound, { call: arrived.id, account });
    await this.#toNode(arrived, account, node, headers);
  }

  #planned(arrived: Arrived, account: string, destinations: readonly string[] = []) {
    const { request, id } = arrived;
    return {
      v: 1,
      kind: 'planned',
      account,
      call: id,
      seq: Seq.planned,
      at: stampAfter(arrived),
      destinations,
      callId: request.callId,
    } as const;
  }

  /** Carriers and media nodes are reached over the same transport (design, rule 5). */
  #over(): string {
    return transportParameter(this.#parts.transport());
  }

  async #toNode(
    arrived: Arrived,
    account: string,
    node: NodeTarget,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const target = `sip:${arrived.verdict.number}@${node.sip}${this.#over()}`;
    const { nodes } = this.#parts;
    const ids = { call: arrived.id, account };
    arrived.request.onCancel(() => {
      nodes.callBack(node.name, ids);
    });
    // A trunk that rings long before it fails leaves the next one its whole time: nothing else has an eye on both.
    const ringing = setTimeout(() => {
      nodes.ringOut(node.name, ids);
    }, RING_OUT_MS);
    try {
      await this.#proxy(arrived, account, target, NODE_SILENCE_MS, headers);
    } finally {
      clearTimeout(ringing);
    }
  }

  async #handOn(
    arrived: Arrived & { readonly shown: string | undefined },
    account: string,
    plan: Plan,
    came: Pick<Planned, 'route'>,
  ): Promise<void> {
    const { id } = arrived;
    const node = this.#parts.nodes.choose();
    const destinations = destinationsOf(plan).map(({ to }) => to);
    const planned = { ...this.#planned(arrived, account, destinations), ...came };
    if (node === undefined) {
      await this.#direct(arrived, account, plan, { ...planned, media: 'direct' });
      return;
    }
    this.#parts.append({ ...planned, media: 'bridged', mediaNode: node.name });
    const expires = Math.floor(this.#parts.now() / 1000) + TOKEN_LIFE_S;
    const { headers, left } = planHeaders(plan, {
      call: id,
      account,
      switchAddress: `${this.#parts.switchAddress}${this.#over()}`,
      caller: arrived.shown,
      written: (caller, { trunk }) =>
        rewritten(caller, this.#parts.directory().trunkBySerial(trunk)?.trunk.outgoing),
      token: ({ leg, trunk, destination }) =>
        mintLegToken({ call: id, leg, trunk, destination: destination.serial, expires }, this.#parts.legKey),
    });
    if (left > 0) arrived.log.warn({ left }, 'legs of a plan found no room in the headers and are not rung');
    await this.#toNode(arrived, account, node, headers);
  }

  /** No media node answers: straight to the first destination. No whisper, no ring group, but the caller gets through. */
  async #direct(arrived: Arrived, account: string, plan: Plan, planned: Planned): Promise<void> {
    const leg = plan.rounds[0]?.[0]?.legs[0];
    const trunk = leg === undefined ? undefined : this.#parts.directory().trunkBySerial(leg.trunk)?.trunk;
    const target = leg === undefined ? undefined : targetUri(leg.destination, trunk);
    if (leg === undefined || target === undefined) {
      this.#refuse(arrived, account, 503);
      return;
    }
    this.#parts.append({ ...planned, destinations: [leg.destination.to] });
    this.#parts.expectDirect(planned.callId, account, arrived.id);
    arrived.log.warn({}, 'no media node answers: the call goes straight to its destination');
    await this.#proxy(arrived, account, target, DIRECT_SILENCE_MS, {}, leg.destination.to);
  }

  async #proxy(
    arrived: Arrived,
    account: string,
    target: string,
    silenceMs: number,
    headers: Readonly<Record<string, string>>,
    destination?: string,
  ): Promise<void> {
    try {
      const options = { headers, silenceMs, deadlineMs: PROXY_DEADLINE_MS };
      this.#parts.decided(elapsedSince(arrived));
      const { status: final, reason } = await arrived.request.proxy(target, options);
      const direct = destination !== undefined;
      if (final >= 200 && final < 300) {
        // Of a direct call drachtio-server's record of its dialog tells it, also when we are gone by then.
        if (!direct) this.#answered(arrived, account);
        return;
      }
      // Of a target that stayed silent drachtio-server tells no response: it gave the caller 408 itself.
      const status = arrived.request.cancelled ? 487 : final < 200 ? 408 : final;
      this.#ended(
        arrived,
        account,
        direct ? endByStatus(status, 'far') : endByDialplan(status, reason),
        destination,
      );
    } catch (error) {
      if (!(error instanceof ProxyLost)) throw error;
      if (error.code === 'gone') {
        this.#ended(arrived, account, endByStatus(487, 'us'));
        return;
      }
      // What became of the call is told by the media node or its spool; drachtio-server owns the transaction.
      arrived.log.warn({ reason: error.code }, 'the outcome of a proxied INVITE is not known here');
      if (error.code === 'refused') this.#refuse(arrived, account, 503);
    }
  }

  /** A number in quarantine whose holders do not count. */
  #byDefault(arrived: Arrived, { account, defaultEndpoint }: Answering): Resolution {
    const nobody = { level: 'none', late: false } as const;
    const resolution =
      defaultEndpoint === undefined
        ? ({ ...nobody, why: 'unknownNumber' } as const)
        : ({ ...nobody, why: 'poolDefault', endpoint: defaultEndpoint } as const);
    this.#parts.append({ ...receivedEvent(this.#asked(arrived, account.id)), ...resolution });
    return resolution;
  }

  async #resolve(arrived: Arrived, { account, pool, defaultEndpoint }: Answering): Promise<Resolution> {
    const callerNumber = this.#parts.identity.shown(arrived.request, arrived.via.trunk);
    const asked: ResolutionRequest = {
      ...this.#asked(arrived, account.id),
      pool,
      ...(defaultEndpoint !== undefined && { defaultEndpoint }),
      ...(callerNumber !== undefined && { callerNumber }),
      ...(account.redialMs !== undefined && { redialMs: account.redialMs }),
    };
    try {
      const resolution = await this.#parts.resolver.resolve(asked);
      this.#note(arrived, asked, resolution);
      return resolution;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      arrived.log.warn({}, 'Redis does not answer: the call goes to the default endpoint');
      const { resolution, event } = resolutionWithoutStore(asked);
      this.#parts.append(event);
      return resolution;
    }
  }

  /** What was decided goes into the record and the caller's notes; the call does not wait for it. */
  #note(arrived: Arrived, asked: ResolutionRequest, resolution: Resolution): void {
    const decided = attributedEvent(asked, resolution);
    if (decided !== undefined) this.#parts.append(decided);
    this.#parts.resolver.remember(asked, resolution).catch((error: unknown) => {
      const reason = error instanceof Error ? error.name : 'unknown';
      arrived.log.warn({ reason }, "a caller's redial may go to another endpoint: it was not noted");
    });
  }

  /** What is known of the call before its number is looked up. */
  #asked(arrived: Arrived, account: string): Omit<ResolutionRequest, 'pool'> {
    const { id, at, via, verdict, request, attested } = arrived;
    const diverting = this.#parts.identity.diverting(request, via.trunk);
    return {
      account,
      number: verdict.number,
      call: id,
      at,
      trunk: via.trunk.id,
      test: this.#test(verdict),
      ...this.#parts.identity.sealed(request, via.trunk),
      ...(diverting === undefined ? {} : { diverting }),
      ...(via.trunk.attestation === undefined ? {} : { attestation: attested.attestation }),
      ...(attested.why === undefined ? {} : { attestationWhy: attested.why }),
    };
  }

  #test(verdict: Call): boolean {
    const token = verdict.uri.parameters.get('tagswitch-test');
    return token !== undefined && this.#parts.isTest(verdict.number, token);
  }

  #endpoint(id: string | undefined, account: string): Endpoint | undefined {
    const found = id === undefined ? undefined : this.#parts.directory().endpointById(id);
    return found?.account.id === account ? found.endpoint : undefined;
  }

  /** Nobody takes the call now. */
  #turnedAway(arrived: Arrived, account: string, end: Termination): void {
    const { status, q850 } = end.reason;
    arrived.request.respond(status, {
      Reason: `Q.850;cause=${String(q850)}`,
      ...(status === 503 ? retryLater() : {}),
    });
    this.#ended(arrived, account, arrived.request.cancelled ? endByStatus(487, 'us') : end);
  }

  #refuse(arrived: Arrived, account: string, status: number): void {
    arrived.request.respond(status);
    this.#ended(arrived, account, endByStatus(arrived.request.cancelled ? 487 : status, 'us'));
  }

  /** The answer passed through us: until the media node tells its own stamp, the record has this one. */
  #answered(arrived: Arrived, account: string): void {
    const at = stampAfter(arrived);
    this.#parts.append({ v: 1, kind: 'answered', account, call: arrived.id, seq: Seq.answered, at });
  }

  #ended(arrived: Arrived, account: string, termination: Termination, destination?: string): void {
    this.#parts.append({
      v: 1,
      kind: 'ended',
      account,
      call: arrived.id,
      seq: Seq.endedByProxy,
      at: stampAfter(arrived),
      ...termination,
      ...(destination === undefined ? {} : { destination }),
    });
  }
}
