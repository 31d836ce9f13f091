import type { Clock } from './clock.js';
import { nextInterval, repeating, timerDuration, type TimerBase, type TimerName } from './timers.js';
import type {
  TransactionAction,
  TransactionEvent,
  TransactionState,
  TransactionTable,
} from './transaction-tables.js';

/** The effects that a transaction lends to its machine; `start X` is the machine's own. */
export type MachineEffects = Readonly<Record<Exclude<TransactionAction, `start ${TimerName}`>, () => void>>;

/** What a machine runs on. */
export interface MachineGround {
  readonly clock: Clock;
  readonly timers: TimerBase;
  /** TCP: no retransmissions, and nothing to wait for at the end. */
  readonly reliable: boolean;
}

/** Runs one of the tables: the state, its timers, and one way from state to state. */
export class Machine {
  readonly #table: TransactionTable;
  readonly #ground: MachineGround;
  readonly #effects: MachineEffects;
  readonly #onEnd: () => void;
  readonly #running = new Map<TimerName, () => void>();
  #state: TransactionState;

  constructor(table: TransactionTable, ground: MachineGround, effects: MachineEffects, onEnd: () => void) {
    this.#table = table;
    this.#ground = ground;
    this.#effects = effects;
    this.#onEnd = onEnd;
    this.#state = table.start[0];
  }

  get state(): TransactionState {
    return this.#state;
  }

  /** True when the state has a use for the event. */
  can(event: TransactionEvent): boolean {
    return this.#table.states[this.#state]?.on[event] !== undefined;
  }

  /** Does what the table says comes first. */
  begin(): void {
    const [, ...actions] = this.#table.start;
    this.#act(actions);
  }

  /** The one transition method. @returns false when the state has no use for the event. */
  fire(event: TransactionEvent): boolean {
    const step = this.#table.states[this.#state]?.on[event];
    if (step === undefined) return false;
    const [next, ...actions] = step;
    this.#enter(next);
    this.#act(actions);
    if (next === 'terminated') this.#onEnd();
    return true;
  }

  /** Ends it without a word to the user's handlers, except that it is over. Idempotent. */
  close(): void {
    if (this.#state === 'terminated') return;
    this.#enter('terminated');
    this.#onEnd();
  }

  #enter(next: TransactionState): void {
    this.#state = next;
    const allowed = this.#table.states[next]?.timers ?? [];
    for (const [name, stop] of this.#running) {
      if (allowed.includes(name)) continue;
      stop();
      this.#running.delete(name);
    }
  }

  #act(actions: readonly TransactionAction[]): void {
    for (const action of actions) {
      if (action.startsWith('start ')) this.#start(action.slice('start '.length) as TimerName);
      else this.#effects[action as keyof MachineEffects]();
    }
  }

  #start(name: TimerName, duration = timerDuration(name, this.#ground.timers, this.#ground.reliable)): void {
    if (duration === undefined || this.#state === 'terminated') return;
    const fired = (): void => {
      this.#running.delete(name);
      this.fire(name);
      const row = this.#table.states[this.#state];
      if (repeating.has(name) && row?.timers.includes(name) === true) {
        this.#start(name, nextInterval(name, duration, this.#ground.timers, this.#state === 'proceeding'));
      }
    };
    this.#running.set(name, this.#ground.clock.after(duration, fired));
  }
}
