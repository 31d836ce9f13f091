import { Cluster, Redis } from 'ioredis';
import type { ClusterOptions } from 'ioredis';

import type { Logger } from '../observe/logger.js';
import { within } from './deadline.js';
import { parseRedisUrl } from './url.js';
import type { ConnectionOptions, RedisTarget } from './url.js';

export type RedisClient = Redis | Cluster;

/** How long the call path waits for Redis before the call or the page goes on without it, ms. */
export const CALL_DEADLINE_MS = 200;

const OLDEST_MAJOR = 7;

/** How long a Sentinel may take to say who is master, ms: one that hangs gives way to the next. */
const SENTINEL_MS = 500;

/** How long a connection that is being closed may wait for the answers to what was sent, ms. */
const FAREWELL_MS = 2_000;

/** Redis was not reached in time, or it is older than version 7. */
export class RedisNotUsable extends Error {
  readonly code: 'redisDown' | 'redisTooOld';
  constructor(code: 'redisDown' | 'redisTooOld', text: string) {
    super(text);
    this.code = code;
  }
}

type State = 'connecting' | 'up' | 'down' | 'closed';

/** Which states follow which. A change is logged once; what does not change the state is not logged at all. */
const NEXT: Readonly<Record<State, readonly State[]>> = {
  connecting: ['up', 'down', 'closed'],
  up: ['down', 'closed'],
  down: ['up', 'closed'],
  closed: [],
};

/**
 * Calls and pages cannot wait: no queue while the connection is away, nothing is sent twice, reconnection is quick, and
 * a connection that is silent for 2 s is replaced (a Redis that hangs holds back no more than that much traffic).
 */
const CALL_PATH: ConnectionOptions = {
  connectionName: 'tagswitch-call',
  connectTimeout: 1_000,
  commandTimeout: CALL_DEADLINE_MS,
  sentinelCommandTimeout: SENTINEL_MS,
  socketTimeout: 2_000,
  enableOfflineQueue: false,
  enableAutoPipelining: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (times) => Math.min(20 * times, 500),
  reconnectOnError: demoted,
};

/** Background work waits until Redis is back, and its commands with it. */
const BACKGROUND: ConnectionOptions = {
  connectionName: 'tagswitch-background',
  connectTimeout: 10_000,
  sentinelCommandTimeout: SENTINEL_MS,
  socketTimeout: 60_000,
  maxRetriesPerRequest: null,
  retryStrategy: (times) => Math.min(100 * times, 2_000),
  reconnectOnError: demoted,
};

/**
 * While the keys of a slot move one by one, a script is sent from the old master to the new one (ASK), is told to try again
 * there, and then again by way of any node: three errors a round. Three rounds, 30 ms apart, outlast the usual move and
 * stay within the deadline.
 */
const QUICK_CLUSTER: ClusterOptions = {
  maxRedirections: 10,
  retryDelayOnTryAgain: 30,
  retryDelayOnFailover: 50,
  retryDelayOnClusterDown: 50,
  clusterNodeRetryStrategy: (times) => Math.min(50 * times, 1_000),
};

/**
 * A command follows its slot for as long as it takes. A node that is gone is not waited for: commands that wait for a
 * connection to it would stay with the dead master after its replica was promoted. The cluster is asked anew instead.
 */
const PATIENT_CLUSTER: ClusterOptions = {
  maxRedirections: Infinity,
  retryDelayOnMoved: 20, // two nodes that disagree about a slot are not asked in a busy loop
  retryDelayOnTryAgain: 100,
  retryDelayOnFailover: 200,
  retryDelayOnClusterDown: 200,
};

/** After a failover the old master answers READONLY: look again for the new one. */
function demoted(error: Error): boolean {
  return error.message.startsWith('READONLY');
}

/** The connections to Redis of one process, in two tempers. They connect at once and reconnect for as long as they live. */
export class RedisClients {
  /** For calls and pages: answers or fails within `CALL_DEADLINE_MS`. */
  readonly call: RedisClient;
  /** For everything that can wait. */
  readonly background: RedisClient;
  readonly #target: RedisTarget;
  readonly #logger: Logger;
  readonly #states = new Map<RedisClient, State>();
  #closing: Promise<void> | undefined;

  /** `url` as `parseRedisUrl` reads it. Throws `BadRedisUrl`. */
  constructor(url: string, logger: Logger) {
    this.#target = parseRedisUrl(url);
    this.#logger = logger;
    this.call = this.#open(CALL_PATH);
    this.background = this.#open(BACKGROUND);
  }

  /** Whether calls and pages can be served now. */
  get up(): boolean {
    return this.#states.get(this.call) === 'up';
  }

  /** One more patient connection, for subscriptions and blocking reads; closed with the others. */
  dedicated(name: string): RedisClient {
    if (this.#closing !== undefined)
      throw new RedisNotUsable('redisDown', 'the connections to Redis are closed');
    return this.#open({ ...BACKGROUND, connectionName: `tagswitch-${name}` });
  }

  /** Resolves when both clients are connected and Redis is new enough; rejects with `RedisNotUsable` after `timeoutMs`. */
  async ready(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    await Promise.all([this.call, this.background].map((client) => this.#connected(client, deadline)));
    // On the patient client: that the machine is busy while it starts is no fault.
    const version = await within(
      serverVersion(this.background),
      Math.max(1, deadline - performance.now()),
      notReached,
    );
    if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
      throw new RedisNotUsable(
        'redisTooOld',
        `Redis is version ${version}; tagswitch needs ${OLDEST_MAJOR} or later`,
      );
    }
  }

  /** Ends all connections; background commands that are under way may finish within `FAREWELL_MS`. Further calls change nothing. */
  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  #open(temper: ConnectionOptions): RedisClient {
    const client = connect(this.#target, temper);
    this.#states.set(client, 'connecting');
    const name = temper.connectionName;
    let fault = 'the connection was closed';
    client.on('ready', () => this.#become(client, 'up', { client: name }));
    client.on('error', (error: Error) => {
      fault = error.message;
      if (client.status !== 'ready') this.#become(client, 'down', { client: name, fault });
    });
    client.on('close', () => this.#become(client, 'down', { client: name, fault }));
    return client;
  }

  #become(client: RedisClient, state: State, fields: object): void {
    const now = this.#states.get(client) ?? 'closed';
    if (!NEXT[now].includes(state)) return;
    this.#states.set(client, state);
    if (state === 'up') this.#logger.info(fields, 'connected to Redis');
    if (state === 'down') this.#logger.warn(fields, 'no connection to Redis');
  }

  async #connected(client: RedisClient, deadline: number): Promise<void> {
    if (client.status === 'ready') return;
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        client.off('ready', done);
        client.off('end', gone);
      };
      const done = (): void => {
        settle();
        resolve();
      };
      const gone = (): void => {
        settle();
        reject(notReached());
      };
      const timer = setTimeout(gone, Math.max(0, deadline - performance.now()));
      client.on('ready', done);
      client.on('end', gone);
    });
  }

  async #close(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'closing the connections to Redis');
    for (const client of this.#states.keys()) this.#become(client, 'closed', {});
    await Promise.all([...this.#states.keys()].map(finish));
  }
}

function connect(target: RedisTarget, temper: ConnectionOptions): RedisClient {
  if (target.kind === 'single') return new Redis({ ...target.options, ...temper });
  const patient = temper.maxRetriesPerRequest === null;
  const cluster = new Cluster(target.nodes, {
    enableOfflineQueue: patient,
    // Off: ioredis puts commands of one node into one pipeline and finds the node by the first argument of a script,
    // which is its count of keys; in a cluster a pipeline of several accounts would be refused.
    enableAutoPipelining: false,
    ...(patient ? PATIENT_CLUSTER : QUICK_CLUSTER),
    clusterRetryStrategy: (times) => Math.min(20 * times, 500),
    redisOptions: { ...target.options, ...temper, enableAutoPipelining: false },
  });
  cluster.on('+node', heedAsking);
  return cluster;
}

/**
 * ioredis sends ASKING before a command that follows a slot on its way and looks at no answer: where the new master hangs,
 * that answer is a rejection that nobody handles, which would end the process. The command behind it fails for itself.
 */
function heedAsking(node: Redis): void {
  const asking = node.asking.bind(node);
  node.asking = () => {
    const answer = asking();
    answer.catch(nothing);
    return answer;
  };
}

async function serverVersion(client: RedisClient): Promise<string> {
  const info = await client.info('server');
  return /^redis_version:(\S+)/m.exec(info)?.[1] ?? '0';
}

function notReached(): RedisNotUsable {
  return new RedisNotUsable('redisDown', 'Redis was not reached in time');
}

/** Lets what was sent be answered, for `FAREWELL_MS` at most. A client without a connection has nothing to wait for. */
async function finish(client: RedisClient): Promise<void> {
  if (client.status === 'ready') await within(client.quit(), FAREWELL_MS, notReached).catch(nothing);
  // ioredis, told to disconnect between two attempts to connect, forgets the commands that wait: their promises would
  // never settle. While it connects it rejects them, so one attempt is begun first.
  if (client.status === 'reconnecting') void client.connect().catch(nothing);
  client.disconnect();
}

function nothing(): void {
  // How this command ended concerns nobody: its connection is being closed, or another command tells the same.
}
