import type { LiveCall, NodeFeed, NodeListener } from '../calls/node-feed.js';
import type { Logger } from '../observe/logger.js';
import { EventSocket, type EventSocketAddress, type NodeEvent } from './event-socket.js';

/** Sends OPTIONS to a node's profile; true when it answered. */
export type Probe = (uri: string, deadlineMs: number) => Promise<boolean>;

/** What a node must tell so that a call record can be made; of caller legs only. */
const CHANNEL_EVENTS = [
  'CHANNEL_PROGRESS',
  'CHANNEL_PROGRESS_MEDIA',
  'CHANNEL_ANSWER',
  'CHANNEL_HANGUP_COMPLETE',
];
/** FreeSWITCH's heartbeat is due every 20 s. */
const HEARTBEAT_LATE_MS = 50_000;
const PROBE_EVERY_MS = 5000;
const PROBE_DEADLINE_MS = 1500;
/** OPTIONS in a row without an answer, after which a node gets no calls. */
const MISSES = 2;

interface Node {
  readonly name: string;
  readonly socket: EventSocket;
  /** Its profile's host:port, once it told; undefined while it is away. */
  sip: string | undefined;
  /** Where its legs come from, as it last told: calls go on while only its event socket is away. */
  address: string | undefined;
  since: number;
  sessions: number;
  heartbeatAt: number;
  misses: number;
  /** Whether this process is the one that reads its channels' events. */
  reading: boolean;
  /** It is being asked who it is. */
  greeting: boolean;
}

/** All media nodes: their health, the choice among them, their events and their live calls. */
export class MediaNodes implements NodeFeed {
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #probe: Probe;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<NodeListener>();
  #turn = 0;

  /** Connects with every node at once, and again whenever a connection is lost. */
  constructor(addresses: readonly EventSocketAddress[], probe: Probe, now: () => number, log: Logger) {
    this.#log = log;
    this.#now = now;
    this.#probe = probe;
    this.#nodes = new Map(addresses.map((address) => this.#node(address)));
    this.#timer = setInterval(() => {
      for (const node of this.#nodes.values()) this.#check(node);
    }, PROBE_EVERY_MS);
    this.#timer.unref();
    for (const { socket } of this.#nodes.values()) socket.start();
  }

  nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  state(name: string): { readonly up: boolean; readonly since: number } | undefined {
    const node = this.#nodes.get(name);
    return node && { up: node.sip !== undefined, since: node.since };
  }

  subscribe(listener: NodeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** How many nodes can take a call now. */
  get healthy(): number {
    return [...this.#nodes.values()].filter((node) => this.#isHealthy(node)).length;
  }

  /**
   * Resolves once every node is up, or after `deadlineMs`: before it is known which nodes there are, their legs look like a
   * stranger's and calls like calls without a media node.
   */
  async met(deadlineMs: number): Promise<void> {
    if (this.#allUp) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        leave();
        resolve();
      };
      const timer = setTimeout(done, deadlineMs);
      const look = (): void => {
        if (this.#allUp) done();
      };
      const leave = this.subscribe({ up: look, down: () => undefined, event: () => undefined });
    });
  }

  get #allUp(): boolean {
    return [...this.#nodes.values()].every(({ sip }) => sip !== undefined);
  }

  /** The healthy node with the fewest sessions; among equals they take turns. */
  choose(): { name: string; sip: string } | undefined {
    const nodes = [...this.#nodes.values()];
    this.#turn = (this.#turn + 1) % Math.max(1, nodes.length);
    let best: Node | undefined;
    for (const node of [...nodes.slice(this.#turn), ...nodes.slice(0, this.#turn)]) {
      if (this.#isHealthy(node) && (best === undefined || node.sessions < best.sessions)) best = node;
    }
    if (best?.sip === undefined) return undefined;
    // Until the next heartbeat tells, a call counts as its two sessions.
    best.sessions += 2;
    return { name: best.name, sip: best.sip };
  }

  isNode(address: string): boolean {
    for (const node of this.#nodes.values()) if (node.address === address) return true;
    return false;
  }

  /** The caller legs that the node has now. Rejects when it cannot be asked. */
  async channels(name: string): Promise<readonly LiveCall[]> {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error('media node: not one of ours');
    return callerLegs(await node.socket.api('show channels as json'));
  }

  /** Begins or ends the reading of `name`'s events: one process does it, by a lease. Rejects with CommandError. */
  async read(name: string, reading: boolean): Promise<void> {
    const node = this.#nodes.get(name);
    if (node === undefined || node.reading === reading) return;
    node.reading = reading;
    if (node.socket.up) await this.#follow(node);
  }

  /** Lets go of all nodes; their calls go on. */
  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
    for (const { socket } of this.#nodes.values()) socket.close();
  }

  #node(address: EventSocketAddress): [string, Node] {
    const name = `${address.host}:${String(address.port)}`;
    const listener = {
      up: () => {
        this.#greet(node);
      },
      down: () => {
        if (node.sip !== undefined) node.since = this.#now();
        node.sip = undefined;
        for (const each of this.#listeners) each.down(name);
      },
      event: (event: NodeEvent) => {
        this.#take(node, event);
      },
    };
    const socket = new EventSocket(address, listener, this.#log.child({ mediaNode: name }));
    const node: Node = {
      name,
      socket,
      sip: undefined,
      address: undefined,
      since: this.#now(),
      sessions: 0,
      heartbeatAt: 0,
      misses: 0,
      reading: false,
      greeting: false,
    };
    return [name, node];
  }

  async #follow(node: Node): Promise<void> {
    await node.socket.subscribe(node.reading ? ['HEARTBEAT', ...CHANNEL_EVENTS] : ['HEARTBEAT'], [
      ['Event-Name', 'HEARTBEAT'],
      ['Call-Direction', 'inbound'],
    ]);
  }

  #isHealthy(node: Node): boolean {
    const heard = this.#now() - node.heartbeatAt < HEARTBEAT_LATE_MS;
    return node.socket.up && node.sip !== undefined && node.misses < MISSES && heard;
  }

  #greet(node: Node): void {
    node.greeting = true;
    const meet = async (): Promise<void> => {
      await this.#follow(node);
      const ip = (await node.socket.api('global_getvar tagswitch_sip_ip')).trim();
      const port = (await node.socket.api('global_getvar tagswitch_sip_port')).trim();
      if (!/^[0-9a-f.:]+$/i.test(ip) || !/^[0-9]{1,5}$/.test(port)) {
        throw new Error('it does not run freeswitch-conf: no tagswitch_sip_ip or tagswitch_sip_port');
      }
      node.sip = `${ip}:${port}`;
      node.address = ip;
      node.since = this.#now();
      node.heartbeatAt = this.#now();
      node.misses = 0;
      node.sessions = 0;
      this.#log.info({ mediaNode: node.name, sip: node.sip }, 'media node is up');
      for (const each of this.#listeners) each.up(node.name);
    };
    meet()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'unknown';
        this.#log.error({ mediaNode: node.name, reason }, 'a media node cannot be used');
      })
      .finally(() => (node.greeting = false));
  }

  #take(node: Node, event: NodeEvent): void {
    if (event['Event-Name'] === 'HEARTBEAT') {
      node.heartbeatAt = this.#now();
      node.sessions = Number(event['Session-Count'] ?? 0);
      return;
    }
    for (const each of this.#listeners) each.event(node.name, event);
  }

  #check(node: Node): void {
    // Its greeting failed, or its variables were not there yet.
    if (node.socket.up && node.sip === undefined && !node.greeting) this.#greet(node);
    if (node.sip === undefined) return;
    const probed = async (uri: string): Promise<void> => {
      const alive = await this.#probe(uri, PROBE_DEADLINE_MS);
      node.misses = alive ? 0 : node.misses + 1;
      if (node.misses === MISSES)
        this.#log.warn({ mediaNode: node.name }, 'a media node does not answer SIP');
    };
    probed(`sip:${node.sip}`).catch((error: unknown) => {
      node.misses += 1;
      this.#log.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'a probe failed');
    });
  }
}

/**
 * FreeSWITCH's `show channels as json`: {row_count, rows: [{direction, ...}]}; rows is absent when there are none. The
 * dialplan puts the call's id where presence would stand, and the account where accounts stand.
 */
function callerLegs(answer: string): LiveCall[] {
  const parsed: unknown = JSON.parse(answer);
  const rows = typeof parsed === 'object' && parsed !== null && 'rows' in parsed ? parsed.rows : [];
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => {
    if (typeof row !== 'object' || row === null) return [];
    const { direction, presence_data: call, accountcode: account } = row as Record<string, unknown>;
    if (direction !== 'inbound' || typeof call !== 'string' || typeof account !== 'string') return [];
    return call.startsWith('call_') && account.startsWith('acc_') ? [{ call, account }] : [];
  });
}
