import { unlink } from 'node:fs/promises';
import { readEvent, writeEvent } from '../calls/event-text.js';
import type { CallEvent } from '../calls/events.js';
import type { EventSink } from '../calls/ports.js';
import type { Logger } from '../observe/logger.js';
import { isMissing, readLines, SpoolFile } from './spool-file.js';
import { SpoolFolder } from './spool-folder.js';

/** How soon Redis is tried again, and at most how late, ms. */
const RETRY_MS = 200;
const RETRY_LIMIT_MS = 2_000;
/** How often files of dead processes are looked for, and ours are shown to be alive, ms. */
const ROUND_MS = 5_000;
/** Events that are replayed at once: they leave in one write. */
const BATCH = 100;

type State = 'direct' | 'spooling' | 'closed';

/** direct: to the stream; spooling: to the disk, until all that is there has been replayed. */
const NEXT: Readonly<Record<State, readonly State[]>> = {
  direct: ['spooling', 'closed'],
  spooling: ['direct', 'closed'],
  closed: [],
};

export interface SpoolCounts {
  spooled: number;
  replayed: number;
  /** Lines that a crash tore, or that are no events. */
  torn: number;
}

/** Events go to the account's stream and, while Redis does not take them, to a file that is replayed in order later. */
export class EventSpool implements EventSink {
  readonly counts: SpoolCounts = { spooled: 0, replayed: 0, torn: 0 };
  readonly #stream: EventSink;
  readonly #logger: Logger;
  readonly #folder: SpoolFolder;
  readonly #file: SpoolFile;
  readonly #sealed: string[] = [];
  readonly #round: NodeJS.Timeout;
  #state: State = 'direct';
  #retry: NodeJS.Timeout | undefined;
  #replaying: Promise<void> | undefined;
  #tending: Promise<void> | undefined;

  /** `stream` writes into Redis; `folder` is made as needed. Files that dead processes left there are taken over at once. */
  constructor(stream: EventSink, folder: string, logger: Logger) {
    this.#stream = stream;
    this.#logger = logger;
    this.#folder = new SpoolFolder(folder);
    this.#file = new SpoolFile(this.#folder.open);
    this.#round = setInterval(() => this.#tend(), ROUND_MS);
    this.#tend();
  }

  /** Whether events of this process wait on the disk. */
  get spooling(): boolean {
    return this.#state === 'spooling';
  }

  /** Resolves when the event is in the stream or on the disk; rejects only when the disk does not take it either. */
  async append(event: CallEvent): Promise<void> {
    if (this.#state === 'direct') {
      try {
        await this.#stream.append(event);
        return;
      } catch (error) {
        // Whatever the fault is: an event that Redis did not take is not lost, and is tried again.
        this.#spool(error);
      }
    }
    await this.#file.append(writeEvent(event));
    this.counts.spooled += 1;
    if (this.#state === 'closed') return this.#file.close(); // the next start replays it
    this.#become('spooling');
    this.#replayLater(RETRY_MS);
  }

  /** Stops replaying and waits for what is under way; what is on the disk stays for the next start. */
  async close(reason: string): Promise<void> {
    if (this.#state !== 'closed') {
      this.#logger.debug({ reason, ...this.counts }, 'the event spool closes');
      this.#become('closed');
      clearInterval(this.#round);
      clearTimeout(this.#retry);
    }
    await Promise.all([this.#replaying, this.#tending]);
    await this.#file.close();
  }

  #spool(error: unknown): void {
    if (this.#state !== 'direct') return;
    this.#become('spooling');
    this.#logger.warn({ fault: faultOf(error) }, 'Redis takes no events: they are spooled to the disk');
    this.#replayLater(RETRY_MS);
  }

  #become(state: State): void {
    if (NEXT[this.#state].includes(state)) this.#state = state;
  }

  #replayLater(delayMs: number): void {
    if (this.#state === 'closed' || this.#retry !== undefined || this.#replaying !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#replaying = this.#replay()
        .catch((error: unknown) => this.#failed(error))
        .then((again) => {
          this.#replaying = undefined;
          if (again || this.spooling)
            this.#replayLater(Math.min(Math.max(delayMs * 2, RETRY_MS), RETRY_LIMIT_MS));
        });
    }, delayMs);
  }

  #failed(error: unknown): boolean {
    this.#logger.debug({ fault: faultOf(error) }, 'the event spool was not replayed yet');
    return true;
  }

  /** Replays file after file until nothing is left; whether there is something to try again later. */
  async #replay(): Promise<boolean> {
    for (;;) {
      const refused = await this.#replaySealed();
      const sealed = await this.#sealOwn();
      if (sealed === undefined && !refused && this.#sealed.length === 0) {
        if (this.#state === 'spooling') this.#logger.info({ ...this.counts }, 'the event spool is replayed');
        this.#become('direct');
        return false;
      }
      if (refused || this.#state === 'closed') return true;
    }
  }

  /** Takes our own file over for replay; what is appended meanwhile begins a new one. */
  async #sealOwn(): Promise<string | undefined> {
    const sealed = await this.#folder.seal(this.#folder.open);
    if (sealed !== undefined) {
      this.#sealed.push(sealed);
      // Held open it would take up the disk after it was replayed and removed.
      await this.#file.close();
    }
    return sealed;
  }

  /** Whether Redis is there and refused single events: those wait in our own file. */
  async #replaySealed(): Promise<boolean> {
    let refused = false;
    for (let path = this.#sealed[0]; path !== undefined && this.#state !== 'closed'; path = this.#sealed[0]) {
      if (await this.#replayFile(path)) refused = true;
      this.#sealed.shift();
    }
    return refused;
  }

  async #replayFile(path: string): Promise<boolean> {
    const text = await readLines(path);
    if (text === undefined) return false; // another process took us for dead and replays it
    const { lines, torn } = text;
    let refused = false;
    const events = torn === '' ? lines : [...lines, torn];
    for (let from = 0; from < events.length; from += BATCH) {
      if (await this.#replayLines(events.slice(from, from + BATCH))) refused = true;
      if (this.#state === 'closed') throw new Error('the event spool closes');
    }
    await unlink(path).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
    return refused;
  }

  /** Whether one was refused. Throws where Redis took not all that it would: the file stays, and is replayed from its beginning. */
  async #replayLines(lines: readonly string[]): Promise<boolean> {
    let refused = false;
    const replay = async (line: string): Promise<void> => {
      const event = readEvent(line);
      if (event === undefined) {
        this.counts.torn += 1;
        return;
      }
      try {
        await this.#stream.append(event);
        this.counts.replayed += 1;
      } catch (error) {
        if (codeOf(error) === 'storeUnavailable') throw error;
        this.#logger.error(
          { call: event.call, seq: event.seq, fault: faultOf(error) },
          'Redis refuses an event',
        );
        await this.#file.append(line);
        refused = true;
      }
    };
    const failed = (await Promise.allSettled(lines.map(replay))).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return refused;
  }

  /** Shows that this process lives, and takes over what dead ones left. */
  #tend(): void {
    this.#tending ??= this.#adopt()
      .catch((error: unknown) =>
        this.#logger.error({ fault: faultOf(error) }, 'the spool folder was not looked through'),
      )
      .finally(() => (this.#tending = undefined));
  }

  async #adopt(): Promise<void> {
    const now = Date.now();
    await this.#folder.touch(now);
    for (const orphan of await this.#folder.orphans(now)) {
      const sealed = await this.#folder.seal(orphan);
      if (sealed === undefined) continue;
      this.#logger.warn({ orphan }, 'a spool file of a dead process is taken over');
      this.#sealed.push(sealed);
      this.#replayLater(0);
    }
  }
}

function faultOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
