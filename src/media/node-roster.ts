/** What an operator said of a media node while everything runs; names are host:port of event sockets. */
export interface RosterEntry {
  readonly name: string;
  /** It is to get no new calls. */
  readonly drained?: boolean;
  /** It is to be used though no setting names it. */
  readonly added?: boolean;
  /** It is not to be used, though a setting may name it. */
  readonly removed?: boolean;
  /** Where it writes its ended calls, as this host sees it. */
  readonly spool?: string;
}

/** A node as a process saw it last. */
export interface NodeSight {
  readonly name: string;
  readonly state: 'up' | 'out' | 'away' | 'paused' | 'drained' | 'full';
  readonly sessions: number;
  /** ms since the epoch */
  readonly at: number;
}

/** Where all processes read what operators said, and tell what they see. Each method rejects while it cannot be reached. */
export interface NodeRoster {
  entries(): Promise<readonly RosterEntry[]>;
  tell(sights: readonly NodeSight[]): Promise<void>;
}
