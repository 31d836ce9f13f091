import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { hashCaller, openCaller, sealCaller } from './calls/caller.js';
import { Seq, type CallEvent } from './calls/events.js';
import type { EventSink } from './calls/ports.js';
import { RecentEnds } from './calls/recent-ends.js';
import { Recorder } from './calls/recorder.js';
import { isToldByNode } from './calls/termination.js';
import { isTestToken } from './calls/test-token.js';
import { declare, DeclarationRefused } from './config/configuration-file.js';
import { deriveSecrets, keptSecret } from './config/secrets.js';
import { readSettings, SettingsFault, type MediaNodeAddress, type Settings } from './config/settings.js';
import { DirectoryCache } from './directory/cache.js';
import { DeclarationFault, faultLine } from './directory/faults.js';
import { transportParameter } from './directory/transport.js';
import { reconcile } from './directory/reconcile.js';
import { createHttp } from './http/server.js';
import { StreamConsumer } from './ledger/consumer.js';
import { EventSpool } from './ledger/event-spool.js';
import { HeldEvents } from './ledger/held-events.js';
import { NodeSpool } from './ledger/node-spool.js';
import { SqliteCallLog } from './ledger/sqlite-call-log.js';
import { Sweep } from './ledger/sweep.js';
import { nameOf, NodeKeeper, type KeptNode } from './media/node-keeper.js';
import { MediaNodes, type Probe } from './media/nodes.js';
import { Admission } from './numbers/admission.js';
import { Allocator } from './numbers/allocator.js';
import { displayNumber } from './numbers/e164.js';
import { EventStream } from './numbers/event-stream.js';
import { PoolWatch } from './numbers/pool-watch.js';
import { Resolver } from './numbers/resolver.js';
import { WatchedClock } from './observe/clock.js';
import { createLogger, type Logger } from './observe/logger.js';
import { createMetrics } from './observe/metrics.js';
import { CALL_DEADLINE_MS, RedisClients } from './redis/clients.js';
import { RedisDirectoryStore } from './redis/directory-store.js';
import { RedisEventStreams } from './redis/event-stream.js';
import { Lease } from './redis/lease.js';
import { RedisLiveUse } from './redis/live-use.js';
import { RedisNodeRoster } from './redis/node-roster.js';
import { RedisNumberFacts } from './redis/number-facts.js';
import { RedisPoolWriter } from './redis/pool-writer.js';
import { readPoolTraffic } from './redis/traffic.js';
import { RedisScripts } from './redis/scripts.js';
import { destinationOfToken } from './routing/leg-token.js';
import { CallRouting } from './sip/call-routing.js';
import { Attesting } from './sip/attesting.js';
import { CallerIdentity } from './sip/caller-identity.js';
import { DirectCalls } from './sip/direct-calls.js';
import { DrachtioConnection } from './sip/drachtio.js';
import { sipPart } from './sip/listeners.js';
import { Names } from './sip/names.js';
import { InboundCalls } from './sip/inbound.js';
import { LegAdmission } from './sip/leg-admission.js';
import { OutboundLegs } from './sip/outbound.js';
import { Pressure } from './sip/pressure.js';
import { verificationBy } from './sip/stir/verifier.js';
import { Switchboard } from './sip/switchboard.js';
import { TrunkHealth } from './sip/trunk-health.js';
import { TrunkProbes } from './sip/trunk-probes.js';
import { TrunkRates } from './sip/trunk-rates.js';
import { Closers } from './closers.js';

/** What the application cannot do without; unset addresses of servers are the launcher's business (`start/`). */
interface Servers {
  readonly redisUrl: string;
  readonly drachtio: { readonly host: string; readonly port: number; readonly secret: string };
  readonly freeswitch: readonly MediaNodeAddress[];
}

const REDIS_READY_MS = 15_000;
const SERVERS_READY_MS = 2000;
/** A stopping process still decides what comes within this time: drachtio-server may not have heard of it yet. */
const LINGER_MS = 200;
/** And has this long for it. Whoever stopped us waits 8 s (`start/child.ts`) or more. */
const DRAIN_MS = 3000;

/** The composition root: builds the adapters, starts the roles, and gives back what stops them. */
async function startApplication(settings: Settings, servers: Servers, log: Logger): Promise<Closers> {
  const closers = new Closers(log);
  const secrets = deriveSecrets(settings.secret ?? (await keptSecret(settings.data)));
  const metrics = createMetrics();
  const clock = new WatchedClock({ log });
  const { now } = clock;

  const redis = closers.add('redis', new RedisClients(servers.redisUrl, log));
  await redis.ready(REDIS_READY_MS);
  const store = new RedisDirectoryStore(redis.background, () => redis.dedicated('directory'));
  const pools = new RedisPoolWriter(redis.background);
  await declare(settings, { store, pools, liveUse: new RedisLiveUse(redis.background) }, log);
  const mended = await reconcile({ store, pools });
  if (Object.values(mended).some((count) => count > 0)) log.warn({ ...mended }, 'pools were mended');
  const directory = closers.add('directory', await DirectoryCache.open(store, log));

  const scripts = new RedisScripts(redis.call, CALL_DEADLINE_MS);
  const allocator = new Allocator(scripts, undefined, secrets.link);
  const resolver = new Resolver(
    scripts,
    (account, id) => directory.current.endpointById(id)?.account.id === account,
  );
  const stream = new EventStream(scripts);
  const callLog = closers.add('call log', await SqliteCallLog.open(settings.callLog));
  // Whichever way an event came into its stream, also by a replay: our own ledger reads it shortly.
  const intoStream: EventSink = {
    append: async (event) => {
      await stream.append(event);
      consumer.grew(event.account);
    },
  };
  const eventSpool = closers.add(
    'event spool',
    new EventSpool(intoStream, join(settings.data, 'events'), log),
  );
  const consumer = closers.add(
    'ledger',
    new StreamConsumer({
      streams: new RedisEventStreams(redis.background),
      callLog,
      accounts: () => directory.current.directory.accounts.map(({ id }) => id),
      logger: log,
    }),
  );
  // One end a call is counted: what the media node is about to tell as well is left to it.
  const observe = (event: CallEvent): void => {
    if (event.kind === 'received') metrics.callsReceived.count(event.why);
    if (event.kind !== 'ended' || isToldByNode(event)) return;
    // Of a direct call that failed, drachtio-server's record repeats what the proxied request told.
    if (event.seq === Seq.endedByDialog && event.result !== 'answered') return;
    const { call, result, fault, reason } = event;
    metrics.callsEnded.count(result, fault);
    if (event.ringingAt !== undefined && event.startedAt !== undefined)
      metrics.ringSeconds.observe(Math.max(0, event.ringingAt - event.startedAt) / 1000);
    if (event.answeredAt !== undefined)
      metrics.talkSeconds.observe(Math.max(0, event.at - event.answeredAt) / 1000);
    log.info({ call, result, fault, status: reason.status, q850: reason.q850 }, 'a call ended');
  };
  const recentEnds = new RecentEnds();
  const held = closers.add(
    'held events',
    new HeldEvents({
      sink: eventSpool,
      stored: (event) => {
        if (event.kind === 'ended' && event.seq === Seq.endedByNode) recentEnds.add(event);
      },
      logger: log,
    }),
  );
  const sink: EventSink = {
    append: (event) => {
      observe(event);
      return held.append(event);
    },
  };
  const append = (event: CallEvent): void => {
    sink.append(event).catch((error: unknown) => {
      log.error(
        { call: event.call, kind: event.kind, reason: String(error) },
        'an event is lost: nothing took it',
      );
    });
  };

  let open = true;
  let probe: Probe = async () => Promise.resolve(undefined);
  const nodes = closers.add(
    'media nodes',
    // Asked over the transport that calls take: a node that is set up for another one gets none.
    new MediaNodes(
      (uri, deadlineMs) => probe(`${uri}${transportParameter(directory.current.transport)}`, deadlineMs),
      now,
      log,
      {
        gap: () => {
          metrics.eventGaps.count();
        },
      },
    ),
  );
  for (const node of servers.freeswitch) nodes.add(node);
  const directCalls = closers.add('direct calls', new DirectCalls({ callLog, append, now, log }));
  const index = () => directory.current;
  const refused = (why: string): void => {
    metrics.callsScreened.count(why);
  };
  const trunkHealth = new TrunkHealth(() => performance.now(), log);
  const admission = new Admission(scripts);
  const both = { directory: index, legKey: secrets.legToken, trunkHealth, now, log };
  const switchAddress = `${settings.sip.host}:${String(settings.sip.port)}`;
  const inbound = new InboundCalls({
    ...both,
    resolver,
    nodes,
    rates: new TrunkRates(),
    routing: new CallRouting(admission),
    identity: new CallerIdentity({
      seal: (number) => sealCaller(number, secrets.callerSeal),
      hash: (number) => hashCaller(number, secrets.callerHash),
    }),
    attesting: new Attesting(verificationBy(settings, now)),
    append,
    expectDirect: (callId, account, call) => {
      directCalls.expect(callId, account, call);
    },
    refused,
    switchAddress,
    transport: () => index().transport,
    decided: (ms) => metrics.decisionSeconds.observe(ms / 1000),
    isTest: (number, token) => isTestToken(token, number, secrets.testCall, now() / 1000),
  });
  const pressure = closers.add(
    'pressure',
    new Pressure((pressed, load) => {
      if (pressed) log.warn({ ...load }, 'more to do than this process can: new calls are turned away');
      else log.info({ ...load }, 'new calls are taken again');
    }),
  );
  const outbound = new OutboundLegs({ ...both, now: clock.cautious, admission: new LegAdmission(admission) });
  const switchboard = new Switchboard({
    directory: index,
    nodes,
    inbound,
    outbound,
    switchAddress,
    pressed: () => pressure.pressed || held.full,
    refused,
    log,
  });
  const destinationOf = (token: string): string | undefined => {
    const serial = destinationOfToken(token);
    return serial === undefined ? undefined : index().destinationBySerial(serial)?.destination.to;
  };
  const leases = new Map<string, Lease>();
  const mayRead = (node: string): boolean => leases.get(node)?.mayRead() ?? false;
  const recorder = closers.add(
    'recorder',
    new Recorder({
      feed: nodes,
      sink,
      callLog,
      keep: (account, calls, forMs) => stream.keep(account, calls, forMs),
      mayRead,
      destinationOf,
      logger: log,
      clock: clock.cautious,
    }),
  );
  /** One process reads a node's events and its spool; the returned function lets go of the node. */
  const use = (node: KeptNode): (() => Promise<void>) => {
    const name = nameOf(node);
    nodes.add(node);
    const lease = new Lease(redis.call, `ts:lease:node:${name}`, log, {
      changed: (reading) => {
        nodes
          .read(name, reading)
          .then(() => {
            if (reading) recorder.reconcile(name);
          })
          .catch((error: unknown) => {
            log.warn({ mediaNode: name, reason: String(error) }, 'events of a media node cannot be read');
          });
      },
    });
    leases.set(name, lease);
    const spool =
      node.spool === undefined
        ? undefined
        : new NodeSpool({
            node: name,
            folder: join(node.spool, 'cdr-csv'),
            marksFile: join(settings.data, 'spools', `${name.replace(/[^0-9a-z.]/gi, '_')}.json`),
            sink: eventSpool,
            isKnown: ({ call, endedAt }) => recentEnds.has({ call, at: endedAt }),
            recovered: () => {
              metrics.endsBySpool.count();
            },
            destinationOf,
            mayRead: () => mayRead(name),
            logger: log,
          });
    return async () => {
      await spool?.close('not used any more');
      nodes.remove(name);
      leases.delete(name);
      await lease.close('not used any more');
    };
  };
  const keeper = closers.add(
    'node keeper',
    new NodeKeeper({
      set: servers.freeswitch,
      secret: servers.freeswitch[0]?.secret ?? '',
      roster: new RedisNodeRoster(redis.background),
      nodes,
      use,
      log,
    }),
  );
  // Before calls come it is known which nodes there are, and which of them are drained.
  await keeper.look();
  await nodes.met(SERVERS_READY_MS);
  const sip = closers.add(
    'drachtio',
    new DrachtioConnection(
      servers.drachtio,
      { ...switchboard, dialog: directCalls.take },
      log,
      new Names(isIPv6(settings.sip.host)),
    ),
  );
  probe = (uri, deadlineMs) => sip.probe(uri, deadlineMs);
  directCalls.askBy(() => {
    sip.followDialogs();
  });
  closers.add(
    'trunk probes',
    new TrunkProbes({
      trunks: () => index().directory.accounts.flatMap(({ trunks }) => trunks),
      health: trunkHealth,
      probe,
    }),
  );

  closers.add(
    'sweep',
    new Sweep({
      callLog,
      sink,
      feed: nodes,
      clock: clock.cautious,
      steady: () => !eventSpool.spooling && held.count === 0 && consumer.caughtUp,
      logger: log,
    }),
  );

  const readiness = () => {
    const parts = {
      redis: { ok: redis.up },
      drachtio: sipPart(sip, index().transport),
      // Without a media node calls go straight to their destinations: they succeed, without whisper or recording.
      media: nodes.healthy > 0 ? { ok: true } : { ok: true, detail: 'no media node: direct calls' },
      directory: { ok: index().version > 0 },
      accepting: { ok: open },
    };
    return { ok: Object.values(parts).every(({ ok }) => ok), parts };
  };
  metrics.mediaNodesUp.from(() => nodes.healthy);
  metrics.directoryVersion.from(() => index().version);
  metrics.eventsSpooled.from(() => eventSpool.counts.spooled - eventSpool.counts.replayed);
  metrics.eventsHeld.from(() => held.count);
  const poolTraffic = (account: string, pool: string) => readPoolTraffic(redis.background, account, pool);
  closers.add(
    'pool watch',
    new PoolWatch({ directory: () => index().directory, traffic: poolTraffic, metrics, logger: log }),
  );
  const http = closers.add(
    'http',
    createHttp({
      directory: index,
      links: allocator,
      numberFacts: new RedisNumberFacts(redis.call),
      callLog,
      poolTraffic,
      openCaller: (sealed) => {
        const number = openCaller(sealed, secrets.callerSeal);
        if (number === undefined) throw new Error('a caller was sealed with another key');
        return number;
      },
      displayForm: (number) => displayNumber(number, number.startsWith('+1') ? 'national' : 'international'),
      readiness,
      tagKey: secrets.tagSignature,
      passKey: secrets.visitorPass,
      personKey: secrets.person,
      trustedProxies: settings.proxies,
      now,
      logger: log,
      metrics,
      ...(settings.configGiven ? {} : { demo: { site: 'demo', endpoint: 'demo-sales' } }),
    }),
  );
  await http.listen(settings.http.host, settings.http.port);
  // `start` says that everything is up when we do; a server that is away now is connected with when it is back.
  await sip.ready(SERVERS_READY_MS).catch(() => {
    log.warn({}, 'drachtio-server is not there yet');
  });
  closers.first(async () => {
    open = false;
    sip.retire();
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    await switchboard.drain(DRAIN_MS);
  });
  return closers;
}

function serversOf(settings: Settings): Servers {
  const { redisUrl, drachtio, freeswitch } = settings;
  if (redisUrl === undefined || drachtio === undefined || freeswitch === undefined) {
    throw new SettingsFault([
      'REDIS_URL, TAGSWITCH_DRACHTIO, TAGSWITCH_FREESWITCH: expected all three; `tagswitch start` starts what is not set',
    ]);
  }
  return { redisUrl, drachtio, freeswitch };
}

/** Every fault of a refused start, one line each. */
function faultLines(error: unknown): readonly string[] | undefined {
  if (error instanceof SettingsFault) return error.faults;
  if (error instanceof DeclarationFault) return error.faults.map(faultLine);
  if (error instanceof DeclarationRefused) return error.reasons;
  return undefined;
}

async function main(): Promise<void> {
  let log = createLogger('info');
  let closers: Closers | undefined;
  let stopping = false;
  const stop = (reason: string): void => {
    // What has not started has nothing to finish; who asks twice does not want to wait for it.
    if (closers === undefined || (stopping && reason.startsWith('SIG'))) process.exit(1);
    stopping = true;
    closers.close(reason).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  // The launcher went: without it nothing would restart or stop us. It may do so while we start.
  process.on('disconnect', () => {
    stop('launcher gone');
  });
  if (process.connected === false) process.exit(1);
  try {
    // drachtio-srf looks into it for every header of every message: a question to the C library each time, as it is.
    process.env = { ...process.env };
    const settings = readSettings(process.env, process.cwd());
    log = createLogger(settings.log);
    closers = await startApplication(settings, serversOf(settings), log);
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    await tellLauncher({ ready: true });
  } catch (error) {
    const lines = faultLines(error);
    const reason = error instanceof Error ? error.message : 'unknown';
    if (lines === undefined) log.error({ reason }, 'the start failed');
    else for (const line of lines) process.stderr.write(`tagswitch: ${line}\n`);
    // Our standard error is a file: the launcher says it where somebody looks.
    await tellLauncher({ faults: lines ?? [`the start failed: ${reason}`] });
    process.exit(lines === undefined ? 1 : 2);
  }
}

/** Resolves once the message is on its way; a launcher that is gone is told nothing. */
async function tellLauncher(message: { ready: true } | { faults: readonly string[] }): Promise<void> {
  if (process.send === undefined) return;
  await new Promise<void>((resolve) => {
    process.send?.(message, undefined, undefined, () => {
      resolve();
    });
  });
}

await main();
