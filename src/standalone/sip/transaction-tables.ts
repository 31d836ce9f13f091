/**
 * The four state machines of RFC 3261 section 17 as RFC 6026 amends them, as data. `machine.ts` runs them.
 *
 * A state names the timers that may run in it: entering it stops all others. A step is the next state and what to
 * do on the way. An event that a state does not name changes nothing.
 */
import type { TimerName } from './timers.js';

export type TransactionState =
  | 'calling' | 'trying' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'; // prettier-ignore

/**
 * `1xx` `2xx` `fail` (300 to 699): a response, received by a client, given by the user to a server. `request`: a
 * retransmission reached a server. `ack`: the ACK to a failure did. Timers fire by their names.
 */
export type TransactionEvent = '1xx' | '2xx' | 'fail' | 'request' | 'ack' | 'transportError' | TimerName;

/**
 * `send`: (re)transmit the last message of ours. `ack`: send the ACK to a failure. `user`: give what came to the
 * user. `timeout`, `broken`: tell the user that no answer came, that sending failed. `start X`: start a timer.
 */
export type TransactionAction = 'send' | 'ack' | 'user' | 'timeout' | 'broken' | `start ${TimerName}`;

export type Step = readonly [next: TransactionState, ...actions: TransactionAction[]];

export interface StateRow {
  readonly timers: readonly TimerName[];
  readonly on: Readonly<Partial<Record<TransactionEvent, Step>>>;
}

export interface TransactionTable {
  readonly start: Step;
  readonly states: Readonly<Partial<Record<TransactionState, StateRow>>>;
}

/** Figure 5 (17.1.1) with RFC 6026 section 7.2. */
export const inviteClient: TransactionTable = {
  start: ['calling', 'start A', 'start B', 'send'],
  states: {
    calling: {
      timers: ['A', 'B'],
      on: {
        A: ['calling', 'send'],
        B: ['terminated', 'timeout'],
        transportError: ['terminated', 'broken'],
        '1xx': ['proceeding', 'user'],
        '2xx': ['accepted', 'start M', 'user'],
        fail: ['completed', 'start D', 'ack', 'user'],
      },
    },
    proceeding: {
      timers: [],
      on: {
        '1xx': ['proceeding', 'user'],
        '2xx': ['accepted', 'start M', 'user'],
        fail: ['completed', 'start D', 'ack', 'user'],
      },
    },
    completed: {
      timers: ['D'],
      on: { fail: ['completed', 'ack'], D: ['terminated'], transportError: ['terminated', 'broken'] },
    },
    accepted: { timers: ['M'], on: { '2xx': ['accepted', 'user'], M: ['terminated'] } },
  },
};

/** Figure 6 (17.1.2). */
export const otherClient: TransactionTable = {
  start: ['trying', 'start E', 'start F', 'send'],
  states: {
    trying: {
      timers: ['E', 'F'],
      on: {
        E: ['trying', 'send'],
        F: ['terminated', 'timeout'],
        transportError: ['terminated', 'broken'],
        '1xx': ['proceeding', 'user'],
        '2xx': ['completed', 'start K', 'user'],
        fail: ['completed', 'start K', 'user'],
      },
    },
    proceeding: {
      timers: ['E', 'F'],
      on: {
        E: ['proceeding', 'send'],
        F: ['terminated', 'timeout'],
        transportError: ['terminated', 'broken'],
        '1xx': ['proceeding', 'user'],
        '2xx': ['completed', 'start K', 'user'],
        fail: ['completed', 'start K', 'user'],
      },
    },
    completed: { timers: ['K'], on: { K: ['terminated'] } },
  },
};

/** Figure 7 (17.2.1) with RFC 6026 section 7.1: a 2xx is repeated by the user, in Accepted. */
export const inviteServer: TransactionTable = {
  start: ['proceeding'],
  states: {
    proceeding: {
      timers: [],
      on: {
        request: ['proceeding', 'send'],
        '1xx': ['proceeding', 'send'],
        '2xx': ['accepted', 'start L', 'send'],
        fail: ['completed', 'start G', 'start H', 'send'],
        transportError: ['terminated', 'broken'],
      },
    },
    completed: {
      timers: ['G', 'H'],
      on: {
        request: ['completed', 'send'],
        G: ['completed', 'send'],
        ack: ['confirmed', 'start I'],
        H: ['terminated', 'timeout'],
        transportError: ['terminated', 'broken'],
      },
    },
    confirmed: { timers: ['I'], on: { I: ['terminated'] } },
    accepted: {
      timers: ['L'],
      on: { '2xx': ['accepted', 'send'], L: ['terminated'], transportError: ['accepted', 'broken'] },
    },
  },
};

/** Figure 8 (17.2.2). */
export const otherServer: TransactionTable = {
  start: ['trying'],
  states: {
    trying: {
      timers: [],
      on: {
        '1xx': ['proceeding', 'send'],
        '2xx': ['completed', 'start J', 'send'],
        fail: ['completed', 'start J', 'send'],
      },
    },
    proceeding: {
      timers: [],
      on: {
        request: ['proceeding', 'send'],
        '1xx': ['proceeding', 'send'],
        '2xx': ['completed', 'start J', 'send'],
        fail: ['completed', 'start J', 'send'],
        transportError: ['terminated', 'broken'],
      },
    },
    completed: {
      timers: ['J'],
      on: { request: ['completed', 'send'], J: ['terminated'], transportError: ['terminated', 'broken'] },
    },
  },
};
