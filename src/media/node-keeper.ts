import type { Logger } from '../observe/logger.js';
import type { EventSocketAddress } from './event-socket.js';
import type { NodeRoster, NodeSight, RosterEntry } from './node-roster.js';

/** A node as it is set: its event socket, and where it writes its ended calls. */
export interface KeptNode extends EventSocketAddress {
  readonly spool?: string;
}

export interface KeeperParts {
  /** Nodes that the settings name. */
  readonly set: readonly KeptNode[];
  /** The password of event sockets of nodes that are added while we run. */
  readonly secret: string;
  readonly roster: NodeRoster;
  readonly nodes: {
    drain(name: string, drained: boolean): void;
    sights(): readonly NodeSight[];
  };
  /** Begins to use a node; the returned function ends it. */
  readonly use: (node: KeptNode) => () => Promise<void>;
  readonly log: Logger;
  readonly everyMs?: number;
}

const EVERY_MS = 1000;
/** The sights are told to the roster every so many looks. */
const TELL_EVERY = 5;

/** Makes true in this process what operators say of nodes: drained, added, removed. Without Redis all stays as it is. */
export class NodeKeeper {
  readonly #parts: KeeperParts;
  readonly #used = new Map<string, () => Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;
  #looks = 0;
  #closed = false;

  /** Uses the nodes of the settings at once. */
  constructor(parts: KeeperParts) {
    this.#parts = parts;
    for (const node of parts.set) this.#use(node);
    this.#timer = setInterval(() => void this.look(), parts.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  /** One look at the roster; resolves when it is done, also where it could not be read. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        this.#parts.log.debug(
          { reason: error instanceof Error ? error.name : 'unknown' },
          'the roster of media nodes was not read',
        );
      })
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Lets go of all nodes. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking;
    const ends = [...this.#used.values()];
    this.#used.clear();
    await Promise.all(ends.map((end) => end()));
  }

  async #look(): Promise<void> {
    const { roster, nodes, set, log } = this.#parts;
    const entries = await roster.entries();
    if (this.#closed) return;
    const wanted = wantedNodes(set, entries, this.#parts.secret);
    for (const [name, end] of this.#used) {
      if (wanted.has(name)) continue;
      this.#used.delete(name);
      log.info({ mediaNode: name }, 'media node is used no more');
      await end();
    }
    for (const node of wanted.values()) this.#use(node);
    const drained = new Set(entries.flatMap((entry) => (entry.drained === true ? [entry.name] : [])));
    for (const name of this.#used.keys()) nodes.drain(name, drained.has(name));
    if (this.#looks % TELL_EVERY === 0) await roster.tell(nodes.sights());
    this.#looks += 1;
  }

  #use(node: KeptNode): void {
    const name = nameOf(node);
    if (!this.#used.has(name)) this.#used.set(name, this.#parts.use(node));
  }
}

export function nameOf({ host, port }: Pick<EventSocketAddress, 'host' | 'port'>): string {
  return `${host}:${String(port)}`;
}

/** The nodes of the settings and those that were added, without those that were removed. */
export function wantedNodes(
  set: readonly KeptNode[],
  entries: readonly RosterEntry[],
  secret: string,
): ReadonlyMap<string, KeptNode> {
  const wanted = new Map(set.map((node) => [nameOf(node), node]));
  for (const { name, added, removed, spool } of entries) {
    if (removed === true) wanted.delete(name);
    else if (added === true && !wanted.has(name)) {
      const at = name.lastIndexOf(':');
      const node = { host: name.slice(0, at), port: Number(name.slice(at + 1)), secret };
      wanted.set(name, spool === undefined ? node : { ...node, spool });
    }
  }
  return wanted;
}
