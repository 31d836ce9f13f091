import { LEG_EVENT_HEADERS } from '../calls/leg-end.js';
import { readCallIds, writeCallIds, type CallIds } from '../calls/call-ids.js';
import type { NodeFeed, NodeListener } from '../calls/node-feed.js';
import type { Logger } from '../observe/logger.js';
import { nameOf } from './node-keeper.js';
import type { NodeSight } from './node-roster.js';
import { standingAfter, type Sign, type Standing } from './node-standing.js';
import type { NodeEvent } from './event-reader.js';
import { EventSocket, type EventSocketAddress } from './event-socket.js';

/** Sends OPTIONS to a node's profile: whether it answered; undefined where nothing could be sent. */
export type Probe = (uri: string, deadlineMs: number) => Promise<boolean | undefined>;

/**
 * What a node must tell so that a call record can be made; of caller legs only, and no more: each is ten kilobytes. When the
 * call rang and was answered stands in the end's own stamps, and the answer passes through us before.
 */
const CHANNEL_EVENT = 'CHANNEL_HANGUP_COMPLETE';
const HEARTBEAT_HEADERS = ['Session-Count', 'Max-Sessions'];
/** FreeSWITCH's heartbeat is due every 20 s. */
const HEARTBEAT_LATE_MS = 50_000;
const PROBE_EVERY_MS = 5000;
/** A node that came back is asked again at once, so that it is of use a moment after its second good answer. */
const PROVE_AFTER_MS = 250;
const PROBE_DEADLINE_MS = 1500;
/** OPTIONS in a row without an answer, after which a node gets no calls. */
const MISSES = 2;
/** A call that is called back is on its way to the node: it is there after the first, or on a busy machine the second. */
const CALL_BACK_AFTER_MS = [200, 2000];

interface Node {
  readonly name: string;
  readonly socket: EventSocket;
  /** Its profile's host:port, once it told; undefined while it is away. */
  sip: string | undefined;
  /** Where its legs come from, as it last told: calls go on while only its event socket is away. */
  address: string | undefined;
  /** Since when it is up, or away (`performance.now`). */
  since: number;
  sessions: number;
  /** `performance.now` */
  heartbeatAt: number;
  misses: number;
  standing: Standing;
  /** It was told to take no new calls (`fsctl pause inbound`), and refuses them with 503. */
  paused: boolean;
  /** An operator wants it to get no new calls. */
  drained: boolean;
  /** How many sessions it takes; 0 while it has not said. */
  most: number;
  /** Whether this process is the one that reads its channels' events. */
  reading: boolean;
  /** Since when events that this process was to read are missed (`performance.now`); undefined while none are. */
  missedSince: number | undefined;
  /** It is being asked who it is. */
  greeting: boolean;
}

/** All media nodes: their health, the choice among them, their events and their live calls. */
export class MediaNodes implements NodeFeed {
  readonly #nodes = new Map<string, Node>();
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #probe: Probe;
  readonly #elapsed: () => number;
  readonly #gap: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<NodeListener>();
  #turn = 0;

  /**
   * `gap` is told each time when events that this process was to read begin to be missed; `elapsed` is ms that nobody sets,
   * `now` ms since the epoch.
   */
  constructor(
    probe: Probe,
    now: () => number,
    log: Logger,
    {
      gap = () => undefined,
      elapsed = () => performance.now(),
    }: { readonly gap?: () => void; readonly elapsed?: () => number } = {},
  ) {
    this.#log = log;
    this.#gap = gap;
    this.#now = now;
    this.#elapsed = elapsed;
    this.#probe = probe;
    this.#timer = setInterval(() => {
      for (const node of this.#nodes.values()) this.#check(node);
    }, PROBE_EVERY_MS);
    this.#timer.unref();
  }

  /** Connects with a node at once, and again whenever the connection is lost. */
  add(address: EventSocketAddress): void {
    const name = nameOf(address);
    if (this.#nodes.has(name)) return;
    const node = this.#node(name, address);
    this.#nodes.set(name, node);
    node.socket.start();
  }

  /** Lets go of a node; its calls go on. */
  remove(name: string): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    this.#nodes.delete(name);
    node.socket.close();
  }

  /** A drained node gets no new calls; those it has, and its legs, are served as ever. */
  drain(name: string, drained: boolean): void {
    const node = this.#nodes.get(name);
    if (node === undefined || node.drained === drained) return;
    node.drained = drained;
    this.#log.info({ mediaNode: name, drained }, 'a media node is drained, or no longer');
  }

  /** How each node looks from here. */
  sights(): readonly NodeSight[] {
    return [...this.#nodes.values()].map((node) => ({
      name: node.name,
      state: this.#stateOf(node),
      sessions: node.sessions,
      at: this.#now(),
    }));
  }

  nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  state(name: string): { readonly up: boolean; readonly since: number } | undefined {
    const node = this.#nodes.get(name);
    return node && { up: node.sip !== undefined, since: this.#now() - (this.#elapsed() - node.since) };
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

  /**
   * Ends a call, both legs, that was on its way to the node when its caller gave up. It goes out a moment later, as nothing
   * tells when the node has the call.
   */
  callBack(name: string, ids: CallIds): void {
    for (const ms of CALL_BACK_AFTER_MS) {
      setTimeout(() => {
        this.#end(name, ids, 'ORIGINATOR_CANCEL');
      }, ms).unref();
    }
  }

  /** Ends a call, both legs, that has rung for as long as any may. */
  ringOut(name: string, ids: CallIds): void {
    this.#end(name, ids, 'NO_ANSWER');
  }

  /** The one command for a single call. */
  #end(name: string, ids: CallIds, cause: string): void {
    this.#nodes
      .get(name)
      ?.socket.api(`hupall ${cause} presence_data ${writeCallIds(ids)}`)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'unknown';
        this.#log.warn({ mediaNode: name, call: ids.call, reason }, 'a call was not ended at its media node');
      });
  }

  isNode(address: string): boolean {
    for (const node of this.#nodes.values()) if (node.address === address) return true;
    return false;
  }

  /** The caller legs that the node has now. Rejects when it cannot be asked. */
  async channels(name: string): Promise<readonly CallIds[]> {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error('media node: not one of ours');
    return callerLegs(await node.socket.api('show channels as json'));
  }

  /** Begins or ends the reading of `name`'s events: one process does it, by a lease. Rejects with CommandError. */
  async read(name: string, reading: boolean): Promise<void> {
    const node = this.#nodes.get(name);
    if (node === undefined || node.reading === reading) return;
    node.reading = reading;
    if (!reading) node.missedSince = undefined; // whoever reads it now reconciles it
    if (node.socket.up) await this.#follow(node);
  }

  /** Lets go of all nodes; their calls go on. */
  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
    for (const { socket } of this.#nodes.values()) socket.close();
  }

  #node(name: string, address: EventSocketAddress): Node {
    const listener = {
      up: () => {
        this.#greet(node);
      },
      down: () => {
        if (node.sip !== undefined) node.since = this.#elapsed();
        node.sip = undefined;
        if (node.reading && node.missedSince === undefined) {
          node.missedSince = this.#elapsed();
          this.#gap();
        }
        this.#sign(node, 'lost');
        for (const each of this.#listeners) each.down(name);
      },
      headers: [...LEG_EVENT_HEADERS, ...HEARTBEAT_HEADERS],
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
      since: this.#elapsed(),
      sessions: 0,
      heartbeatAt: 0,
      misses: 0,
      standing: 'new',
      paused: false,
      drained: false,
      most: 0,
      reading: false,
      missedSince: undefined,
      greeting: false,
    };
    return node;
  }

  async #follow(node: Node): Promise<void> {
    await node.socket.subscribe(node.reading ? ['HEARTBEAT', CHANNEL_EVENT] : ['HEARTBEAT'], [
      ['Event-Name', 'HEARTBEAT'],
      ['Call-Direction', 'inbound'],
    ]);
    if (node.missedSince === undefined) return;
    const gapMs = Math.round(this.#elapsed() - node.missedSince);
    node.missedSince = undefined;
    this.#log.warn(
      { mediaNode: node.name, gapMs },
      'events of a media node were missed: its spool tells them',
    );
  }

  #isHealthy(node: Node): boolean {
    return this.#stateOf(node) === 'up';
  }

  #stateOf(node: Node): NodeSight['state'] {
    if (!node.socket.up || node.sip === undefined) return 'away';
    if (node.drained) return 'drained';
    if (node.paused) return 'paused';
    if (node.standing !== 'in' || this.#elapsed() - node.heartbeatAt >= HEARTBEAT_LATE_MS) return 'out';
    // A call is two sessions.
    return node.most > 0 && node.sessions + 2 > node.most ? 'full' : 'up';
  }

  #sign(node: Node, sign: Sign): void {
    const before = node.standing;
    node.standing = standingAfter(before, sign);
    if (sign === 'silent' && before !== node.standing)
      this.#log.warn({ mediaNode: node.name }, 'a media node does not answer SIP');
    if (before === 'proving' && node.standing === 'in')
      this.#log.info({ mediaNode: node.name }, 'a media node gets calls again');
  }

  #greet(node: Node): void {
    node.greeting = true;
    const meet = async (): Promise<void> => {
      await this.#follow(node);
      const ip = (await node.socket.api('global_getvar tagswitch_sip_ip')).trim();
      const secure = (await node.socket.api('global_getvar tagswitch_tls')).trim() === 'true';
      const portName = secure ? 'tagswitch_tls_port' : 'tagswitch_sip_port';
      const port = (await node.socket.api(`global_getvar ${portName}`)).trim();
      if (!/^[0-9a-f.:]+$/i.test(ip) || !/^[0-9]{1,5}$/.test(port)) {
        throw new Error('it does not run freeswitch-conf: no tagswitch_sip_ip or no port');
      }
      node.sip = `${ip}:${port}`;
      node.address = ip;
      node.since = this.#elapsed();
      node.heartbeatAt = this.#elapsed();
      node.misses = 0;
      node.sessions = 0;
      await this.#ask(node);
      this.#sign(node, 'met');
      this.#log.info({ mediaNode: node.name, sip: node.sip }, 'media node is up');
      for (const each of this.#listeners) each.up(node.name);
    };
    meet()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'unknown';
        this.#log.error({ mediaNode: node.name, reason }, 'a media node cannot be used');
      })
      .finally(() => {
        node.greeting = false;
        if (node.standing === 'out') this.#check(node);
      });
  }

  /** What OPTIONS does not tell: a paused FreeSWITCH answers it, and its sessions are in no heartbeat for 20 s. */
  async #ask(node: Node): Promise<void> {
    node.paused = (await node.socket.api('fsctl pause_check inbound')).trim() === 'true';
    const sessions = /^\s*(\d+) total/.exec(await node.socket.api('show channels count'))?.[1];
    if (sessions !== undefined) node.sessions = Number(sessions);
  }

  #take(node: Node, event: NodeEvent): void {
    if (event['Event-Name'] === 'HEARTBEAT') {
      node.heartbeatAt = this.#elapsed();
      node.sessions = Number(event['Session-Count'] ?? 0);
      node.most = Number(event['Max-Sessions'] ?? 0);
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
      if (alive !== undefined) node.misses = alive ? 0 : node.misses + 1;
      if (alive === true) this.#sign(node, 'good');
      else if (node.misses >= MISSES) this.#sign(node, 'silent');
      if (node.standing === 'proving') setTimeout(() => this.#again(node), PROVE_AFTER_MS).unref();
      await this.#ask(node);
    };
    probed(`sip:${node.sip}`).catch((error: unknown) => {
      this.#log.debug(
        { mediaNode: node.name, reason: error instanceof Error ? error.message : 'unknown' },
        'a media node was not asked',
      );
    });
  }

  /** Unless it is gone meanwhile. */
  #again(node: Node): void {
    if (this.#nodes.get(node.name) === node) this.#check(node);
  }
}

/**
 * FreeSWITCH's `show channels as json`: {row_count, rows: [{direction, ...}]}; rows is absent when there are none. The
 * dialplan puts the ids of the call where presence would stand.
 */
function callerLegs(answer: string): CallIds[] {
  const parsed: unknown = JSON.parse(answer);
  const rows = typeof parsed === 'object' && parsed !== null && 'rows' in parsed ? parsed.rows : [];
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => {
    if (typeof row !== 'object' || row === null) return [];
    const { direction, presence_data: ids } = row as Record<string, unknown>;
    if (direction !== 'inbound' || typeof ids !== 'string') return [];
    return readCallIds(ids) ?? [];
  });
}
