import type { Logger } from '../observe/logger.js';
import { endedByNode, legEndFromEvent } from './leg-end.js';
import type { ChannelEvent, DestinationOf } from './leg-end.js';
import type { CallIds } from './call-ids.js';
import type { NodeFeed } from './node-feed.js';
import { lostCall } from './overdue.js';
import type { CallLog, EventSink } from './ports.js';
import type { CallRecord } from './record.js';
import { LOST } from './termination.js';

/** How long the spool of a node has to tell the ends that its event socket did not. */
export const SPOOL_WAIT_MS = 10_000;
/** How often the calls of a node are counted as live anew, and how long each count holds. */
export const KEEP_EVERY_MS = 30_000;
const KEEP_FOR_MS = 3 * KEEP_EVERY_MS;
/** A call this young may be on its way to the node. */
const YOUNG_MS = 5_000;

export interface RecorderParts {
  readonly feed: NodeFeed;
  readonly sink: EventSink;
  readonly callLog: Pick<CallLog, 'open' | 'get'>;
  /** `numbers/event-stream`: live calls count for `forMs` more. */
  readonly keep: (account: string, calls: readonly string[], forMs: number) => Promise<unknown>;
  /** Whether this process is the one that reads the node (a lease); true for all while Redis is down. */
  readonly mayRead: (node: string) => boolean;
  readonly destinationOf: DestinationOf;
  readonly logger: Logger;
  readonly clock?: () => number;
  readonly spoolWaitMs?: number;
  readonly keepEveryMs?: number;
}

/** Turns what the media nodes tell into the steps of calls, and finds the calls that ended while nobody listened. */
export class Recorder {
  readonly #parts: RecorderParts;
  readonly #clock: () => number;
  readonly #unsubscribe: () => void;
  readonly #keepTimer: NodeJS.Timeout;
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
    this.#unsubscribe = parts.feed.subscribe({
      event: (node, event) => this.#record(node, event),
      up: (node) => this.reconcile(node),
      down: () => undefined, // the sweep closes the calls of a node that stays away
    });
    this.#keepTimer = setInterval(
      () => this.#do('live calls were not renewed', () => this.#keepAll()),
      parts.keepEveryMs ?? KEEP_EVERY_MS,
    );
    for (const node of parts.feed.nodes()) if (parts.feed.state(node)?.up === true) this.reconcile(node);
  }

  /**
   * Counts the calls of a node as live, and closes those that the call log holds open on it and that it no longer has, once
   * its spool had its time. To be called when the node is connected (the recorder does) and when this process becomes its
   * reader: either way nobody may have kept its calls for a while.
   */
  reconcile(node: string): void {
    if (this.#closed || !this.#parts.mayRead(node) || this.#parts.feed.state(node)?.up !== true) return;
    this.#do('live calls were not renewed', () => this.#keep(node));
    this.#do('a media node was not reconciled', async () => {
      const asked = this.#clock();
      const gone = await this.#gone(node, asked);
      if (gone.length === 0 || this.#closed) return;
      clearTimeout(this.#waiting.get(node));
      const closeThem = (): void => {
        this.#waiting.delete(node);
        this.#do('a media node was not reconciled', () => this.#closeLost(node, gone, asked));
      };
      this.#waiting.set(node, setTimeout(closeThem, this.#parts.spoolWaitMs ?? SPOOL_WAIT_MS));
    });
  }

  /** Stops listening and waits for what is under way. Further calls change nothing. */
  async close(reason: string): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#parts.logger.debug({ reason }, 'the recorder stops');
      this.#unsubscribe();
      clearInterval(this.#keepTimer);
      for (const timer of this.#waiting.values()) clearTimeout(timer);
    }
    await Promise.all(this.#underWay);
  }

  #record(node: string, event: ChannelEvent): void {
    if (this.#closed || !this.#parts.mayRead(node)) return;
    const leg = legEndFromEvent(event);
    if (leg === undefined) return;
    const ended = endedByNode(leg, this.#parts.destinationOf);
    this.#do('the end of a call was not recorded', () => this.#parts.sink.append(ended));
  }

  /** Open calls of the node that it does not have. */
  async #gone(node: string, now: number): Promise<readonly CallRecord[]> {
    const [has, open] = await Promise.all([
      this.#parts.feed.channels(node),
      this.#parts.callLog.open(now - YOUNG_MS),
    ]);
    const live = new Set(has.map(({ call }) => call));
    return open.filter(
      (record) => record.media === 'bridged' && record.mediaNode === node && !live.has(record.id),
    );
  }

  async #closeLost(node: string, gone: readonly CallRecord[], at: number): Promise<void> {
    let lost = 0;
    for (const { account, id } of gone) {
      const record = await this.#parts.callLog.get(account, id);
      // Meanwhile its end may have come, or it may have been planned anew for another node.
      if (record === undefined || record.endedAt !== null || record.mediaNode !== node) continue;
      await this.#parts.sink.append(lostCall(record, at, LOST.node));
      lost += 1;
    }
    if (lost > 0) this.#parts.logger.warn({ node, lost }, 'calls were lost with the media node');
  }

  async #keepAll(): Promise<void> {
    const { feed, mayRead } = this.#parts;
    const nodes = feed.nodes().filter((node) => feed.state(node)?.up === true && mayRead(node));
    for (const node of nodes) await this.#keep(node);
  }

  async #keep(node: string): Promise<void> {
    for (const [account, calls] of byAccount(await this.#parts.feed.channels(node))) {
      await this.#parts.keep(account, calls, KEEP_FOR_MS);
    }
  }

  #do(failure: string, work: () => Promise<void>): void {
    const done: Promise<void> = work()
      .catch((error: unknown) =>
        this.#parts.logger.error({ fault: error instanceof Error ? error.message : 'unknown' }, failure),
      )
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }
}

function byAccount(live: readonly CallIds[]): ReadonlyMap<string, readonly string[]> {
  const accounts = new Map<string, string[]>();
  for (const { account, call } of live) {
    const calls = accounts.get(account);
    if (calls === undefined) accounts.set(account, [call]);
    else calls.push(call);
  }
  return accounts;
}
