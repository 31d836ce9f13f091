import type { CallEvent } from '../calls/events.js';
import { Seq } from '../calls/events.js';
import type { CallLog } from '../calls/ports.js';
import { endByDialog } from '../calls/termination.js';
import type { Logger } from '../observe/logger.js';
import { momentOf, stampAfter, type Moment } from '../observe/moment.js';
import type { DialogEvent } from './requests.js';

export interface DirectCallsParts {
  readonly callLog: Pick<CallLog, 'open' | 'events'>;
  readonly append: (event: CallEvent) => void;
  readonly now: () => number;
  readonly log: Logger;
}

/** With the moment when this process heard of it. */
interface DirectCall extends Moment {
  readonly account: string;
  readonly call: string;
  answered: boolean;
}

/** How often calls that another process sent, or that this one sent in an earlier life, are looked for. */
const LOOK_MS = 5000;
/** A record may reach us before the call that it belongs to is found. */
const PATIENCE_MS = 3 * LOOK_MS;
/** Calls are looked for up to this far in the future: the clock may have been set back since they came. */
const MARGIN_MS = 86_400_000;
const MOST_WAITING = 10_000;

/**
 * Ends the records of direct calls by what drachtio-server tells of their dialogs: no media node saw them. It deals its
 * records out among the processes that ask for them, so each follows every direct call that the call log holds open; and
 * none asks before there is one, as a bridged call has eight such records.
 */
export class DirectCalls {
  readonly #parts: DirectCallsParts;
  readonly #calls = new Map<string, DirectCall>();
  /** Records of dialogs that are not known yet: most are of bridged calls and are forgotten. */
  readonly #waiting: { readonly event: DialogEvent; readonly at: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  /** Whether there has been a direct call. */
  #isAny = false;
  #ask: (() => void) | undefined;
  #looking: Promise<void> | undefined;

  constructor(parts: DirectCallsParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_MS);
    this.#timer.unref();
    this.#look();
  }

  /** How drachtio-server is asked for its records of dialogs: once there is a direct call. */
  askBy(ask: () => void): void {
    this.#ask = ask;
    if (this.#isAny) ask();
  }

  /** A direct call is about to leave: its dialog will be told by its Call-ID. */
  expect(callId: string, account: string, call: string): void {
    this.#follow(callId, { ...momentOf(this.#parts.now()), account, call, answered: false });
  }

  readonly take = (event: DialogEvent): void => {
    if (this.#record(event)) return;
    this.#waiting.push({ event, at: performance.now() });
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
  };

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #follow(callId: string, call: DirectCall): void {
    this.#calls.set(callId, call);
    this.#isAny = true;
    this.#ask?.();
  }

  #record(event: DialogEvent): boolean {
    const known = this.#calls.get(event.callId);
    if (known === undefined) return false;
    const { account, call } = known;
    const at = stampAfter(known);
    if (event.kind === 'start') {
      known.answered = true;
      this.#parts.append({ v: 1, kind: 'answered', account, call, seq: Seq.answered, at });
      return true;
    }
    this.#calls.delete(event.callId);
    const termination = endByDialog(event.reason ?? '', known.answered, event.status);
    this.#parts.append({ v: 1, kind: 'ended', account, call, seq: Seq.endedByDialog, at, ...termination });
    return true;
  }

  #look(): void {
    this.#looking ??= this.#find()
      .catch((error: unknown) => {
        this.#parts.log.warn(
          { reason: error instanceof Error ? error.name : 'unknown' },
          'open direct calls were not found',
        );
      })
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async #find(): Promise<void> {
    const known = new Set([...this.#calls.values()].map(({ call }) => call));
    for (const record of await this.#parts.callLog.open(this.#parts.now() + MARGIN_MS)) {
      if (record.media !== 'direct' || known.has(record.id)) continue;
      const events = await this.#parts.callLog.events(record.account, record.id);
      const planned = events.find((event) => event.kind === 'planned');
      if (planned?.kind !== 'planned') continue;
      this.#follow(planned.callId, {
        ...momentOf(this.#parts.now()),
        account: record.account,
        call: record.id,
        answered: record.answeredAt !== null,
      });
    }
    const waiting = this.#waiting.splice(0);
    for (const entry of waiting) {
      if (!this.#record(entry.event) && performance.now() - entry.at < PATIENCE_MS) this.#waiting.push(entry);
    }
  }
}
