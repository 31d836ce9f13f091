import { writeEvent } from './event-text.js';
import { Seq } from './events.js';
import type { Answered, Attributed, CallEvent, Ended, Level, Planned, Received, Ringing } from './events.js';
import type { CallRecord } from './record.js';

const CERTAINTY: Readonly<Record<Level, number>> = { token: 4, session: 3, bucket: 2, overflow: 1, none: 0 };

/**
 * Which of two events with the same call and seq counts, in whatever order they come. They differ where
 * - Redis resolved a call and its answer came too late for the application: the more certain attribution is the true
 *   one, wherever the call went then;
 * - a call was sent to a second media node, and both told their leg's end: the one that was answered counts, else the last;
 * - a step was told twice from two clocks: the earlier one counts.
 */
export function preferred(one: CallEvent, other: CallEvent): CallEvent {
  const difference = rank(one) - rank(other);
  if (difference !== 0) return difference > 0 ? one : other;
  if (one.at !== other.at) return one.at < other.at === (one.seq !== Seq.endedByNode) ? one : other;
  return writeEvent(one) <= writeEvent(other) ? one : other;
}

/** What the events of a call say, each kind by its rank; kinds that this version does not know are left out. */
interface Steps {
  received?: Received;
  attributed?: Attributed;
  /** By attempt. */
  planned: Planned[];
  ringing?: Ringing;
  answered?: Answered;
  /** The most trusted witness first: node, dialog, proxy, sweep (`Seq`). */
  ended: Ended[];
}

/**
 * The record of one call, made of its events: their order, doubles and how they were split up do not matter. Stamps that
 * no event of its own told are filled from the ended event. Without `received` (its stream was lost) number and trunk
 * are empty, the level is `none` and why is `storeDown`. undefined for no events.
 */
export function foldCall(events: readonly CallEvent[]): CallRecord | undefined {
  const distinct = new Map<number, CallEvent>();
  for (const event of events) {
    const known = distinct.get(event.seq);
    distinct.set(event.seq, known === undefined ? event : preferred(known, event));
  }
  const inOrder = onOneClock([...distinct.values()].sort((one, other) => one.seq - other.seq));
  const first = inOrder[0];
  if (first === undefined) return undefined;
  const steps = inTime(stepsOf(inOrder));
  return {
    id: first.call,
    account: first.account,
    ...attribution(steps),
    ...times(steps, inOrder),
    ...outcome(steps),
  };
}

/** The media node cannot have had a call so long before it came, nor have got it so late: their clocks differ. */
const EARLIER_MS = 60_000;
const LATER_MS = 600_000;
/** What the application stamped, not the media node. */
const OURS: ReadonlySet<CallEvent['kind']> = new Set(['received', 'attributed', 'planned', 'answered']);

/**
 * Where the clocks of application and media node differ by more than any call can take from one to the other, somebody had set one
 * of them. All stamps are made the node's then: it has one clock for the whole call.
 */
function onOneClock(inOrder: readonly CallEvent[]): readonly CallEvent[] {
  const came = inOrder.find(({ kind }) => kind === 'received')?.at;
  const end = inOrder.find(({ seq }) => seq === Seq.endedByNode);
  if (came === undefined || end?.kind !== 'ended' || end.startedAt === undefined) return inOrder;
  const differ = end.startedAt - came;
  if (differ > -EARLIER_MS && differ < LATER_MS) return inOrder;
  return inOrder.map((event) =>
    OURS.has(event.kind) || event.seq === Seq.endedByProxy ? { ...event, at: event.at + differ } : event,
  );
}

function stepsOf(inOrder: readonly CallEvent[]): Steps {
  const steps: Steps = { planned: [], ended: [] };
  for (const event of inOrder) {
    // A later version may add kinds: no default, they fall through.
    switch (event.kind) {
      case 'received':
        steps.received = event;
        break;
      case 'attributed':
        steps.attributed = event;
        break;
      case 'planned':
        steps.planned.push(event);
        break;
      case 'ringing':
        steps.ringing = event;
        break;
      case 'answered':
        steps.answered = event;
        break;
      case 'ended':
        steps.ended.push(event);
        break;
    }
  }
  return steps;
}

/** Of a call of which nothing was told, and of calls of versions that did not tell it. */
export const UNKNOWN = {
  number: '',
  caller: null,
  callerHash: null,
  diverting: null,
  attestation: 'none',
  attestationWhy: null,
  trunk: '',
  endpoint: null,
  site: null,
  session: null,
  visitor: null,
  link: null,
  touch: null,
  bucket: null,
  parameters: null,
  person: null,
  probability: null,
  ambiguous: false,
  redial: false,
  candidates: [],
  route: null,
  level: 'none',
  late: false,
  why: 'storeDown',
  test: false,
} as const;

/**
 * Without what a media node did after the caller had been told the end (408 for a silent node): it woke up and rang for
 * nobody, and its own story of that leg does not count.
 */
function inTime(steps: Steps): Steps {
  const told = steps.ended.find(({ seq }) => seq === Seq.endedByProxy);
  if (told === undefined) return steps;
  const { ringing, answered, ...rest } = steps;
  return {
    ...rest,
    ...(ringing !== undefined && ringing.at <= told.at && { ringing }),
    ...(answered !== undefined && answered.at <= told.at && { answered }),
    ended: steps.ended.filter(
      (event) => event.seq !== Seq.endedByNode || event.startedAt === undefined || event.startedAt <= told.at,
    ),
  };
}

/** Whose call it was: as it was decided of all evidence, else as the newest holder of the number tells. */
function attribution({ received, attributed }: Steps) {
  const whose = attributed ?? received;
  if (whose === undefined) return UNKNOWN;
  return {
    ...arrival(received),
    ...visit(whose),
    ...reckoning(attributed),
    ambiguous: whose.ambiguous ?? false,
    level: whose.level,
    late: whose.late,
    why: whose.why,
  };
}

function arrival(received: Received | undefined) {
  return {
    number: received?.number ?? UNKNOWN.number,
    caller: received?.caller ?? null,
    callerHash: received?.callerHash ?? null,
    diverting: received?.diverting ?? null,
    attestation: received?.attestation ?? UNKNOWN.attestation,
    attestationWhy: received?.attestationWhy ?? null,
    trunk: received?.trunk ?? UNKNOWN.trunk,
    test: received?.test ?? UNKNOWN.test,
  };
}

function visit(whose: Received | Attributed) {
  return {
    endpoint: whose.endpoint ?? null,
    site: whose.site ?? null,
    session: whose.session ?? null,
    visitor: whose.visitor ?? null,
    link: whose.link ?? null,
    touch: whose.touch ?? null,
    bucket: whose.bucket ?? null,
    parameters: whose.parameters ?? null,
    person: whose.person ?? null,
  };
}

function reckoning(attributed: Attributed | undefined) {
  const { probability = null, redial = false, candidates = [] } = attributed ?? {};
  return {
    probability,
    redial,
    candidates: candidates.map(({ link, session, visitor, probability }) => ({
      link,
      session: session ?? null,
      visitor: visitor ?? null,
      probability,
    })),
  };
}

/** When it did what. */
function times({ received, ringing, answered, ended }: Steps, inOrder: readonly CallEvent[]) {
  const startedAt = received?.at ?? Math.min(...inOrder.map(earliest));
  // The node that answered knows it best; its answer took a moment to us, and our clock is another.
  const answeredAt = stamp(ended, 'answeredAt') ?? answered?.at ?? null;
  const heard = ringing?.at ?? stamp(ended, 'ringingAt');
  // Stamps of FreeSWITCH lie on a grid of 20 ms: ringing and an answer at once may have the same one, and both before
  // we had the INVITE in our hands.
  const ringingAt =
    heard !== null && (answeredAt === null || heard <= answeredAt) ? Math.max(heard, startedAt) : null;
  const endedAt = ended[0]?.at ?? null;
  const rungUntil = answeredAt ?? endedAt;
  return {
    startedAt,
    ringingAt,
    answeredAt,
    endedAt,
    ringMs: rungUntil === null ? null : Math.max(0, rungUntil - (ringingAt ?? startedAt)),
    talkMs: answeredAt === null || endedAt === null ? null : Math.max(0, endedAt - answeredAt),
  };
}

/** How it went. The last attempt's plan is the one that was carried out. */
function outcome({ planned, answered, ended }: Steps) {
  const [end] = ended;
  const plan = planned.at(-1);
  const connected = ended.find((event) => event.destination !== undefined) ?? answered;
  return {
    result: end?.result ?? null,
    reason: end?.reason ?? null,
    fault: end?.fault ?? null,
    destination: connected?.destination ?? null,
    route: plan?.route ?? null,
    mediaNode: plan?.mediaNode ?? null,
    media: plan?.media ?? null,
  };
}

function stamp(ended: readonly Ended[], name: 'ringingAt' | 'answeredAt'): number | null {
  return ended.find((event) => event[name] !== undefined)?.[name] ?? null;
}

function earliest(event: CallEvent): number {
  if (event.kind !== 'ended') return event.at;
  return Math.min(
    event.at,
    event.startedAt ?? event.at,
    event.ringingAt ?? event.at,
    event.answeredAt ?? event.at,
  );
}

/** A level of a later version counts as none. */
function rank(event: CallEvent): number {
  if (event.kind === 'received') return CERTAINTY[event.level] ?? 0;
  return event.kind === 'ended' && event.answeredAt !== undefined ? 1 : 0;
}

/** `seq` of the plan for the `attempt`th media node, 0 for the first; there are at most ten. */
export function plannedSeq(attempt: number): number {
  return Seq.planned + Math.min(attempt, Seq.ringing - Seq.planned - 1);
}
