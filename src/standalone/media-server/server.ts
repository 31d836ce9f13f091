import { randomUUID } from 'node:crypto';
import { SipEndpoint } from '../sip/endpoint.js';
import { ParseError } from '../sip/parse-error.js';
import type { SipRequest } from '../sip/message.js';
import type { ServerTransaction } from '../sip/server-transaction.js';
import { admit } from './admission.js';
import { CallerLeg } from './call/caller-leg.js';
import type { Ground, HeldLeg } from './call/ground.js';
import { runCall } from './call/run.js';
import { endUnwanted } from './call/unwanted-answer.js';
import { channelEvent, knownOf, type EventOrigin } from './channel/event.js';
import { loadConfiguration, type Configuration } from './configuration/load.js';
import { createApi, type Switchboard } from './event-socket/api.js';
import { EventSocketServer } from './event-socket/server.js';
import { heartbeat, idleMeter } from './heartbeat.js';
import type { Log } from './log.js';
import { PortPool } from './media/port-pool.js';
import { wait } from './media/player.js';
import { SessionCounts } from './session-limits.js';
import { Spool } from './spool.js';

export interface MediaServerOptions {
  /** The folder with freeswitch.xml. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Replace variables of vars.xml. */
  readonly overrides: ReadonlyMap<string, string>;
  /** Between heartbeats, when not as switch.conf.xml says. */
  readonly heartbeatMs?: number;
  readonly log: Log;
}

/** How long the farewells of a stop may take. */
const longestStopMs = 2000;

/** The stand-in for one FreeSWITCH: SIP, media, dialplan, event socket and spool in one process. */
export class MediaServer {
  readonly #options: MediaServerOptions;
  readonly #legs = new Set<HeldLeg>();
  /** Legs by Call-ID and our tag. */
  readonly #routes = new Map<string, HeldLeg>();
  readonly #running = new Set<Promise<void>>();
  readonly #farewells = new Set<Promise<void>>();
  readonly #counts = new SessionCounts();
  readonly #paused = { inbound: false, outbound: false };
  readonly #startedAt = Date.now();
  readonly #origin: EventOrigin;
  #configuration: Configuration;
  #spool: Spool;
  #sip: SipEndpoint | undefined;
  #events: EventSocketServer | undefined;
  #ground: Ground | undefined;
  #heart: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(options: MediaServerOptions) {
    this.#options = options;
    this.#configuration = this.#load();
    this.#spool = new Spool(this.#configuration.spool, options.log);
    let sequence = 0;
    this.#origin = {
      coreUuid: randomUUID(),
      address: this.#configuration.profile.sipIp,
      nextSequence: () => (sequence += 1),
    };
  }

  /** Reads the configuration and listens. Rejects with `ConfigurationError`, or with the system's error. */
  static async start(options: MediaServerOptions): Promise<MediaServer> {
    const server = new MediaServer(options);
    try {
      await server.#listen();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** `host:port` of SIP, over UDP and TCP. */
  get sipAddress(): string {
    return `${this.#configuration.profile.sipIp}:${this.#sip?.port ?? 0}`;
  }

  get eventSocketAddress(): string {
    return `${this.#configuration.eventSocket.ip}:${this.#events?.port ?? 0}`;
  }

  /** What is held at this moment, for tests of leaks. */
  get held(): {
    readonly legs: number;
    readonly routes: number;
    readonly calls: number;
    readonly ports: number;
  } {
    return {
      legs: this.#legs.size,
      routes: this.#routes.size,
      calls: this.#running.size,
      ports: this.#ports?.taken ?? 0,
    };
  }

  #ports: PortPool | undefined;

  /** Refuses new calls, ends those there are, says goodbye and closes everything. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    clearInterval(this.#heart);
    for (const leg of [...this.#legs]) leg.hangup('SYSTEM_SHUTDOWN');
    const done = new AbortController();
    const over = Promise.allSettled([...this.#running]).then(() => Promise.allSettled([...this.#farewells]));
    await Promise.race([over, wait(longestStopMs, done.signal)]);
    done.abort();
    await this.#events?.close();
    await this.#sip?.close();
  }

  async #listen(): Promise<void> {
    const { log } = this.#options;
    const { profile, eventSocket, rtpPorts } = this.#configuration;
    const ports = new PortPool(profile.rtpIp, rtpPorts);
    this.#ports = ports;
    const sip = await SipEndpoint.listen(
      { host: profile.sipIp, port: profile.sipPort, shortTrying: true },
      {
        onRequest: (transaction) => this.#receiveSafely(transaction),
        onAck: (ack) => this.#legOf(ack)?.acknowledged(),
        onResponse: (response) => {
          if (this.#sip !== undefined) endUnwanted(this.#sip, response, log);
        },
        onTrouble: (what, error) => log('warning', 'SIP trouble', { what, reason: error.message }),
      },
    );
    this.#sip = sip;
    this.#ground = this.#makeGround(sip, ports);
    const api = createApi(this.#switchboard());
    this.#events = await EventSocketServer.listen(eventSocket, {
      password: eventSocket.password,
      api,
      origin: this.#origin,
      log,
    });
    const idle = idleMeter();
    this.#heart = setInterval(() => {
      const { maxSessions, sessionsPerSecond } = this.#configuration;
      const { lastSecond, mostPerSecond, sessions, peak } = this.#counts;
      const load = {
        startedAt: this.#startedAt,
        channels: this.#legs.size,
        maxSessions,
        sessionsPerSecond,
        lastSecond,
        mostPerSecond,
        sessions,
        peak,
      };
      this.#events?.tell('HEARTBEAT', () => heartbeat(this.#origin, load, idle()));
    }, this.#options.heartbeatMs ?? this.#configuration.heartbeatMs);
  }

  #load(): Configuration {
    const { folder, environment, overrides } = this.#options;
    return loadConfiguration(folder, environment, overrides);
  }

  #makeGround(sip: SipEndpoint, ports: PortPool): Ground {
    const paused = this.#paused;
    return {
      sip,
      ports,
      log: this.#options.log,
      configuration: () => this.#configuration,
      global: (name) => this.#configuration.globals.get(name),
      tell: (name, channel, extra) =>
        this.#events?.tell(name, () => channelEvent(this.#origin, name, channel, extra), knownOf(channel)),
      spool: (channel) => this.#spool.write(channel),
      nextSessionId: (direction) => this.#counts.begin(direction, this.#legs.size),
      add: (leg) => void this.#legs.add(leg),
      route: (leg, callId, localTag) => void this.#routes.set(`${callId}|${localTag}`, leg),
      remove: (leg) => this.#forget(leg),
      get outboundPaused() {
        return paused.outbound;
      },
      farewell: (answered) => {
        this.#farewells.add(answered);
        void answered.then(() => this.#farewells.delete(answered));
      },
    };
  }

  #forget(leg: HeldLeg): void {
    const { channel } = leg;
    if (!channel.answered) this.#counts[channel.direction === 'inbound' ? 'failedIn' : 'failedOut'] += 1;
    this.#legs.delete(leg);
    for (const [key, routed] of this.#routes) if (routed === leg) this.#routes.delete(key);
  }

  #legOf(request: SipRequest): HeldLeg | undefined {
    return this.#routes.get(`${request.callId}|${request.toTag ?? ''}`);
  }

  /** A header that cannot be read is found only when it is needed: the request must still get its answer. */
  #receiveSafely(transaction: ServerTransaction): void {
    try {
      this.#receive(transaction);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      transaction.reply(error.status, { reason: error.message });
    }
  }

  #receive(transaction: ServerTransaction): void {
    const { request, flow } = transaction;
    const leg = request.toTag === undefined ? undefined : this.#legOf(request);
    if (leg?.dialog && !leg.over) return leg.inDialog(transaction);
    const configuration = this.#configuration;
    const refusal = admit(request, {
      stopping: this.#stopping !== undefined,
      paused: this.#paused.inbound,
      full:
        this.#legs.size >= configuration.maxSessions ||
        this.#counts.thisSecond >= configuration.sessionsPerSecond,
      mayInvite: configuration.profile.mayInvite(flow.host),
      merged: this.#origins.has(originOf(request)),
    });
    if (refusal) {
      transaction.reply(refusal.status, {
        ...(refusal.reason === undefined ? {} : { reason: refusal.reason }),
        headers: [['User-Agent', configuration.profile.userAgent], ...(refusal.headers ?? [])],
      });
      return;
    }
    this.#begin(transaction);
  }

  /** What the INVITEs of the calls there are have in common with a copy of theirs. */
  readonly #origins = new Set<string>();

  #begin(transaction: ServerTransaction): void {
    const ground = this.#ground;
    if (!ground) return;
    const caller = new CallerLeg(ground, transaction);
    const origin = originOf(transaction.request);
    this.#origins.add(origin);
    ground.add(caller);
    ground.route(caller, transaction.request.callId, transaction.localTag);
    const running = runCall(ground, caller).finally(() => {
      this.#running.delete(running);
      this.#origins.delete(origin);
    });
    this.#running.add(running);
  }

  #switchboard(): Switchboard {
    const configuration = (): Configuration => this.#configuration;
    const { profile } = configuration();
    return {
      origin: this.#origin,
      profile: {
        name: profile.name,
        url: `sip:mod_sofia@${this.sipAddress}`,
        context: profile.context,
        rtpIp: profile.rtpIp,
      },
      startedAt: this.#startedAt,
      get maxSessions() {
        return configuration().maxSessions;
      },
      get sessionsPerSecond() {
        return configuration().sessionsPerSecond;
      },
      counters: this.#counts,
      paused: this.#paused,
      channels: () => [...this.#legs].map((leg) => leg.channel),
      channel: (uuid) => [...this.#legs].find((leg) => leg.channel.uuid === uuid)?.channel,
      global: (name) => configuration().globals.get(name),
      globals: () => configuration().globals,
      hangup: (channel, cause) => [...this.#legs].find((leg) => leg.channel === channel)?.hangup(cause),
      reload: () => {
        try {
          this.#configuration = this.#load();
          this.#spool = new Spool(this.#configuration.spool, this.#options.log);
          return undefined;
        } catch (error) {
          return (error as Error).message;
        }
      },
    };
  }
}

function originOf(request: SipRequest): string {
  return `${request.callId}|${request.fromTag ?? ''}|${request.cseq.number}`;
}
