import type { CallerNote } from './caller-notes.js';
import type { Level, Reckoning, Visit } from '../calls/events.js';

/** A page asks for a number for this triple. Ids are the directory's; session and visitor are the tag's own. */
export interface AllocationRequest {
  readonly account: string;
  readonly site: string;
  readonly endpoint: string;
  readonly session: string;
  readonly visitor?: string;
  /** Nothing may be kept of this visitor: he gets the number of his bucket, and `session` is ''. */
  readonly anonymous?: true;
  /** The touch as canonical JSON text, at most 2,048 bytes. */
  readonly touch?: string;
  /** The class of sessions that the tag computed itself; else it is computed of the touch. */
  readonly bucket?: string;
  /** A set of parameter values that holds the number instead of a session: canonical JSON text of names and values. */
  readonly parameters?: string;
  /** Where the visitor is, an E.164 prefix such as `+1202`. */
  readonly area?: string;
  /** Who the visitor is, proved by a sign-in. */
  readonly person?: string;
  /** Signed in, or confirmed before: may have a number that is kept back from strangers. */
  readonly known?: boolean;
}

/** What goes with a heartbeat: what the page says that it was told. */
export interface Claim {
  /** Ids of the sites whose active sessions are counted, of those whose links may be touched. */
  readonly counting?: readonly string[];
  readonly session?: string;
  readonly number?: string;
  /** ms since the epoch, by Redis's clock. */
  readonly until?: number;
}

/** What the page gets. `level: none` goes with the site's printed number and no link: nothing could be allocated. */
export interface Allocation {
  readonly link: `lnk_${string}` | null;
  readonly number: string;
  readonly level: Level;
  /** The link's end, ms since the epoch by Redis's clock; null without a link. */
  readonly until: number | null;
  readonly holdMs: number;
  readonly heartbeatMs: number;
  /** Within which time the page is to be heard again, or its link ends; 0 where the link has its full hold. */
  readonly confirmMs?: number;
  /** false where the link already lived. */
  readonly fresh: boolean;
}

/** What a heartbeat brought. `ended`: the link is over (410); `unknown`: there is no such link any more (404). */
export type Renewal =
  | {
      readonly state: 'renewed';
      readonly number: string;
      /** The link's new end, ms since the epoch by Redis's clock. */
      readonly until: number;
      readonly endpoint: string;
      readonly site: string;
      readonly holdMs: number;
      readonly level?: 'session' | 'bucket';
      /** This heartbeat was the one that the link needed for its full hold. */
      readonly confirmed?: boolean;
    }
  | { readonly state: 'ended' }
  | { readonly state: 'unknown' };

/** A call came for a number of the directory. */
export interface ResolutionRequest {
  readonly account: string;
  readonly pool: string;
  readonly number: string;
  readonly defaultEndpoint?: string;
  readonly call: string;
  /** When the INVITE came, ms since the epoch. */
  readonly at: number;
  readonly trunk: string;
  readonly caller?: string;
  readonly callerHash?: string;
  /** Who diverted the call, sealed; what is known of the caller's number. */
  readonly diverting?: string;
  readonly attestation?: string;
  readonly attestationWhy?: string;
  /** E.164, to compare with where visitors are; it is written nowhere. */
  readonly callerNumber?: string;
  /** How long a redial goes where the call before went, ms; absent or 0: never. */
  readonly redialMs?: number;
  readonly test: boolean;
}

/**
 * Whose number it is. Without an endpoint the caller gets 404. The event `received` has been written, unless `why` is
 * `storeDown`.
 */
export interface Resolution extends Visit, Reckoning {
  /** What the caller's redial is to go by, where the script noted something else; null: by nothing. */
  readonly note?: Omit<CallerNote, 'at'> | null;
}
