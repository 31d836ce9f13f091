import type { Logger } from '../observe/logger.js';
import { EventSocket, type EventSocketAddress, type NodeEvent } from './event-socket.js';

/** What other rooms are told of the media nodes. */
export interface NodeWatcher {
  /** The node can be asked and tells its events (when `reads` says that it is ours to read). */
  readonly up: (node: string) => void;
  readonly down: (node: string) => void;
  /** An event of a caller leg. */
  readonly event: (node: string, event: NodeEvent) => void;
}

/** Sends OPTIONS to a node's profile; true when it answered. */
export type Probe = (uri: string, deadlineMs: number) => Promise<boolean>;

/** What a node must tell so that a call record can be made; two events and one end a call, caller leg only. */
const CHANNEL_EVENTS = ['CHANNEL_PROGRESS', 'CHANNEL_PROGRESS_MEDIA', 'CHANNEL_ANSWER', 'CHANNEL_HANGUP_COMPLETE'];
/** FreeSWITCH's heartbeat is due every 20 s. */
const HEARTBEAT_LATE_MS = 50_000;
const PROBE_EVERY_MS = 5000;
const PROBE_DEADLINE_MS = 1500;
const MISSES = 2;

interface Node {
  readonly name: string;
  readonly socket: EventSocket;
  sip: string | undefined;
  sessions: number;
  heartbeatAt: number;
  misses: number;
  paused: boolean;
}

/** All media nodes: their health, the choice among them, their events and their live calls. */
export class MediaNodes {
  readonly #nodes: readonly Node[];
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #probe: Probe;
  readonly #timer: NodeJS.Timeout;
  #watcher: NodeWatcher | undefined;
  #turn = 0;

  constructor(addresses: readonly EventSocketAddress[], probe: Probe, now: () => number, log: Logger) {
    this.#log = log;
    this.#now = now;
    this.#probe = probe;
    this.#nodes = addresses.map((address) => {
      const name = `${address.host}:${String(address.port)}`;
      const socket = new EventSocket(
        address,
        {
          up: () => {
            this.#greet(node);
          },
          down: () => {
            node.sip = undefined;
            this.#watcher?.down(name);
          },
          event: (event) => {
            this.#take(node, event);
          },
        },
        log.child({ mediaNode: name }),
      );
      const node: Node = { name, socket, sip: undefined, sessions: 0, heartbeatAt: 0, misses: 0, paused: false };
      return node;
    });
    this.#timer = setInterval(() => {
      for (const node of this.#nodes) this.#check(node);
    }, PROBE_EVERY_MS);
    this.#timer.unref();
  }

  /** Connects with every node; `watcher` is told from then on. */
  start(watcher: NodeWatcher): void {
    this.#watcher = watcher;
    for (const node of this.#nodes) node.socket.start();
  }

  get names(): readonly string[] {
    return this.#nodes.map(({ name }) => name);
  }

  /** How many nodes can take a call now. */
  get healthy(): number {
    return this.#nodes.filter((node) => this.#isHealthy(node)).length;
  }

  /** The healthy node with the fewest sessions; among equals they take turns. */
  choose(): { name: string; sip: string } | undefined {
    let best: (Node & { sip: string }) | undefined;
    const count = this.#nodes.length;
    this.#turn = (this.#turn + 1) % Math.max(1, count);
    for (let step = 0; step < count; step += 1) {
      const node = this.#nodes[(this.#turn + step) % count];
      if (node === undefined || node.sip === undefined || !this.#isHealthy(node)) continue;
      if (best === undefined || node.sessions < best.sessions) best = node as Node & { sip: string };
    }
    if (best === undefined) return undefined;
    // Until the next heartbeat tells, a call counts as its two sessions.
    best.sessions += 2;
    return { name: best.name, sip: best.sip };
  }

  isNode(address: string): boolean {
    return this.#nodes.some(({ sip }) => sip !== undefined && hostOf(sip) === address);
  }

  /** Ids of the calls that the node has now (its caller legs). Rejects when it cannot be asked. */
  async calls(name: string): Promise<string[]> {
    const node = this.#nodes.find((each) => each.name === name);
    if (node === undefined) throw new Error('media node: not one of ours');
    const answer = await node.socket.api('show channels as json');
    return callerLegs(answer);
  }

  /** Begins or ends the reading of `name`'s events: one process does it, by a lease. */
  async read(name: string, reading: boolean): Promise<void> {
    const node = this.#nodes.find((each) => each.name === name);
    if (node === undefined || !node.socket.up) return;
    await node.socket.subscribe(reading ? ['HEARTBEAT', ...CHANNEL_EVENTS] : ['HEARTBEAT'], [
      ['Event-Name', 'HEARTBEAT'],
      ['Call-Direction', 'inbound'],
    ]);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#nodes) socket.close();
  }

  #isHealthy(node: Node): boolean {
    return (
      node.socket.up &&
      node.sip !== undefined &&
      !node.paused &&
      node.misses < MISSES &&
      this.#now() - node.heartbeatAt < HEARTBEAT_LATE_MS
    );
  }

  #greet(node: Node): void {
    const meet = async (): Promise<void> => {
      const ip = await node.socket.api('global_getvar tagswitch_sip_ip');
      const port = await node.socket.api('global_getvar tagswitch_sip_port');
      if (!/^[0-9a-f.:]+$/i.test(ip.trim()) || !/^[0-9]{1,5}$/.test(port.trim())) {
        throw new Error('the node does not run freeswitch-conf: tagswitch_sip_ip, tagswitch_sip_port');
      }
      node.sip = `${ip.trim()}:${port.trim()}`;
      node.misses = 0;
      node.heartbeatAt = this.#now();
      node.sessions = 0;
      this.#log.info({ mediaNode: node.name, sip: node.sip }, 'media node is up');
      this.#watcher?.up(node.name);
    };
    meet().catch((error: unknown) => {
      this.#log.error(
        { mediaNode: node.name, reason: error instanceof Error ? error.message : 'unknown' },
        'a media node cannot be used',
      );
    });
  }

  #take(node: Node, event: NodeEvent): void {
    if (event['Event-Name'] === 'HEARTBEAT') {
      node.heartbeatAt = this.#now();
      node.sessions = Number(event['Session-Count'] ?? 0);
      return;
    }
    this.#watcher?.event(node.name, event);
  }

  #check(node: Node): void {
    if (node.sip === undefined) return;
    const probed = async (uri: string): Promise<void> => {
      const alive = await this.#probe(uri, PROBE_DEADLINE_MS);
      node.misses = alive ? 0 : node.misses + 1;
      if (node.misses === MISSES) this.#log.warn({ mediaNode: node.name }, 'media node does not answer SIP');
    };
    probed(`sip:${node.sip}`).catch((error: unknown) => {
      node.misses += 1;
      this.#log.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'a probe failed');
    });
  }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

/**
 * FreeSWITCH's `show channels as json`: {row_count, rows: [{direction, ...}]}; rows is absent when there are none. The
 * dialplan puts the call's id where presence would stand.
 */
function callerLegs(answer: string): string[] {
  const parsed: unknown = JSON.parse(answer);
  const rows = typeof parsed === 'object' && parsed !== null && 'rows' in parsed ? parsed.rows : [];
  if (!Array.isArray(rows)) return [];
  return rows
    .filter((row: unknown): row is Record<string, string> => typeof row === 'object' && row !== null)
    .filter((row) => row['direction'] === 'inbound')
    .map((row) => row['presence_data'] ?? '')
    .filter((call) => call.startsWith('call_'));
}
