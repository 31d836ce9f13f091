import type { CallIds } from '../calls/call-ids.js';
import type { Account, Destination, Endpoint, Pool, Trunk } from '../directory/model.js';
import type { FormerOwner } from '../directory/number-state.js';
import type { Resolution, ResolutionRequest } from '../numbers/types.js';

/** What calls ask of the cached directory; never of Redis. */
export interface CallDirectory {
  numberOwner(number: string): { account: Account; pool: Pool } | undefined;
  /** Who had a number that rests between two accounts at `now`, ms since the epoch; undefined for any other. */
  formerOwner(number: string, now: number): FormerOwner | undefined;
  trunksByAddress(address: string): readonly { account: Account; trunk: Trunk }[];
  trunkBySerial(serial: number): { account: Account; trunk: Trunk } | undefined;
  trunkById(id: string): { account: Account; trunk: Trunk } | undefined;
  destinationBySerial(
    serial: number,
  ): { account: Account; endpoint: Endpoint; destination: Destination } | undefined;
  endpointById(id: string): { account: Account; endpoint: Endpoint } | undefined;
}

export interface NumberResolver {
  /** Whose number it is: one script, one round trip, which writes the event `received` as well. */
  resolve(request: ResolutionRequest): Promise<Resolution>;
  /** Sets right what the script noted for the caller's redial; does nothing where it was right. */
  remember(request: ResolutionRequest, resolution: Resolution): Promise<void>;
}

/** A media node as the caller's leg needs it. */
export interface NodeTarget {
  /** Its name in records: host:port of its event socket. */
  readonly name: string;
  /** Where its profile listens: host:port. */
  readonly sip: string;
}

export interface NodeChooser {
  /** The healthy node with the fewest sessions; undefined when none is healthy. */
  choose(): NodeTarget | undefined;
  /** Ends a call that was on its way to the node when its caller gave up. Never throws. */
  callBack(node: string, ids: CallIds): void;
  /** Ends a call that nobody answers at the node; its caller gets 480. Never throws. */
  ringOut(node: string, ids: CallIds): void;
  /** Whether `address` is a media node's: legs come from nowhere else. */
  isNode(address: string): boolean;
}
