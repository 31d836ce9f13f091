import type { SipEndpoint } from '../../sip/endpoint.js';
import type { Channel } from '../channel/channel.js';
import type { ChannelEventName, EventFields } from '../channel/event.js';
import type { Configuration } from '../configuration/load.js';
import type { PortPool } from '../media/port-pool.js';
import type { Log } from '../log.js';
import type { ServerTransaction } from '../../sip/server-transaction.js';
import type { Cause } from '../causes.js';
import type { Dialog } from './dialog.js';

/** A leg as its server sees it. */
export interface HeldLeg {
  readonly channel: Channel;
  readonly dialog: Dialog | undefined;
  readonly over: boolean;
  hangup(cause: Cause): void;
  inDialog(transaction: ServerTransaction): void;
  acknowledged(): void;
}

/** What legs and calls stand on: lent by the server. */
export interface Ground {
  readonly sip: SipEndpoint;
  readonly ports: PortPool;
  readonly log: Log;
  /** The configuration of now: `reloadxml` replaces it. */
  configuration(): Configuration;
  /** A variable of the node. */
  global(name: string): string | undefined;
  tell(name: ChannelEventName, channel: Channel, extra?: EventFields): void;
  /** Writes the end of a leg to the spool. */
  spool(channel: Channel): void;
  /** Counts a new leg in and names it; `remove` counts it out. */
  nextSessionId(direction: 'inbound' | 'outbound'): number;
  add(leg: HeldLeg): void;
  /** Requests of a dialog with this Call-ID and tag of ours are the leg's. */
  route(leg: HeldLeg, callId: string, localTag: string): void;
  remove(leg: HeldLeg): void;
  readonly outboundPaused: boolean;
  /** A BYE that is on its way: a stop waits for its answer. */
  farewell(answered: Promise<void>): void;
}
