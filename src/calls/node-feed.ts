import type { CallIds } from './call-ids.js';
import type { ChannelEvent } from './leg-end.js';

export interface NodeListener {
  /** CHANNEL_HANGUP_COMPLETE, as FreeSWITCH told it. */
  event(node: string, event: ChannelEvent): void;
  /** The event socket is connected and subscribed: nothing is missed from here on. */
  up(node: string): void;
  down(node: string): void;
}

/** What the recorder and the sweep need of the media nodes; `node` is its name as in the event `planned`. */
export interface NodeFeed {
  /** The nodes that the application is set to use. */
  nodes(): readonly string[];
  /** Whether a node's event socket is connected, and since when that is so; undefined for a node that is not set. */
  state(node: string): { readonly up: boolean; readonly since: number } | undefined;
  /** The caller legs that the node has now. Rejects when it cannot be asked. */
  channels(node: string): Promise<readonly CallIds[]>;
  /** The returned function ends it. */
  subscribe(listener: NodeListener): () => void;
}
