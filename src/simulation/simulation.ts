import type { Pool, Site } from '../directory/model.js';
import { MARGIN_MS } from '../numbers/allocate-command.js';
import type { Allocator } from '../numbers/allocator.js';
import type { Resolver } from '../numbers/resolver.js';
import type { Holding } from '../numbers/holder-log.js';
import type { Allocation, ResolutionRequest } from '../numbers/types.js';
import { Agenda } from './agenda.js';
import { Tally, type Outcome } from './outcome.js';
import { visits, type Behaviour, type Visit } from './visits.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long a caller's earlier call is remembered. */
const REDIAL_MS = 7 * DAY_MS;

/** The switch under simulation: the real thing, whose clock is `SimulatedClock`, on a Redis that keeps the order of scripts. */
export interface SimulatedSwitch {
  readonly allocator: Pick<Allocator, 'allocate' | 'renew' | 'end' | 'tap'>;
  readonly resolver: Pick<Resolver, 'resolve' | 'remember'>;
  /** The holder log of a number, newest first. */
  holderLog(number: string): Promise<readonly Holding[]>;
}

export interface SimulatedClock {
  /** ms since the epoch */
  now: number;
}

/** One page of one site, and the numbers that it shows. */
export interface Scene {
  readonly account: string;
  readonly endpoint: string;
  readonly site: Site;
  readonly pool: Pool;
  readonly numbers: number;
  /** How long a link lives on when its page says that it is left, ms. */
  readonly graceMs: number;
}

export interface Plan {
  readonly seed: number;
  /** How many hours are counted. Before them the pool is used until it is as it will be. */
  readonly hours: number;
  readonly behaviour: Behaviour;
}

/** A visit under way. */
interface Guest {
  readonly visit: Visit;
  /** undefined until the switch answered. */
  shown?: Allocation;
  /** When the link ends, as far as the page was told. */
  until: number;
}

type Step = { readonly kind: 'arrive' | 'beat' | 'leave' | 'tap' | 'call'; readonly guest: Guest };

/** How many commands may be under way. They do not wait for each other; Redis carries them out in their order. */
const UNDER_WAY = 256;

/**
 * Visitors and callers on a clock, with the real allocator behind the page: who was stated to have called, against who did.
 * The same plan gives the same outcome.
 */
export class Simulation {
  readonly #switch: SimulatedSwitch;
  readonly #clock: SimulatedClock;
  readonly #scene: Scene;
  readonly #plan: Plan;
  readonly #begin: number;
  readonly #from: number;
  readonly #to: number;
  readonly #agenda = new Agenda<Step>();
  readonly #tally = new Tally();
  readonly #asked = new Set<Step['kind']>();
  #underWay: Promise<void>[] = [];

  /** `clock` is the one that the allocator reads; its time is the beginning. */
  constructor(real: SimulatedSwitch, clock: SimulatedClock, scene: Scene, plan: Plan) {
    this.#switch = real;
    this.#clock = clock;
    this.#scene = scene;
    this.#plan = plan;
    this.#begin = clock.now;
    this.#from = warmUpMs(scene.numbers, plan.behaviour);
    this.#to = this.#from + plan.hours * HOUR_MS;
  }

  async run(): Promise<Outcome> {
    const arrivals = visits(this.#plan.seed, this.#to, this.#plan.behaviour);
    this.#invite(arrivals);
    for (
      let item = this.#agenda.next();
      item !== undefined && item.at < this.#to;
      item = this.#agenda.next()
    ) {
      const { kind, guest } = item.what;
      if (kind === 'arrive') this.#invite(arrivals);
      // Who is called is read beside the scripts: they have to be done.
      if (kind === 'call' || (guest.shown === undefined && kind !== 'arrive')) await this.#settle();
      this.#clock.now = this.#begin + Math.floor(item.at);
      const first = !this.#asked.has(kind);
      this.#asked.add(kind);
      const step = this.#step(kind, guest, item.at);
      if (step !== undefined) this.#underWay.push(step);
      // A script that Redis does not know yet is sent twice, and the second time would come after those behind it.
      if (first || this.#underWay.length >= UNDER_WAY) await this.#settle();
    }
    await this.#settle();
    return this.#tally.outcome(this.#scene.numbers, this.#to - this.#from);
  }

  /** Puts the next visitor on the agenda. */
  #invite(arrivals: Iterator<Visit>): void {
    const { done, value: visit } = arrivals.next() as IteratorResult<Visit, undefined>;
    if (done === true) return;
    const guest = { visit, until: 0 };
    this.#agenda.add(visit.at, { kind: 'arrive', guest });
  }

  async #settle(): Promise<void> {
    const all = this.#underWay;
    this.#underWay = [];
    await Promise.all(all);
  }

  /** Sends what the step needs at once; what is left to do when the answer comes is in the promise. */
  #step(kind: Step['kind'], guest: Guest, at: number): Promise<void> | undefined {
    if (kind === 'arrive') return this.#arrive(guest);
    const link = guest.shown?.link ?? undefined;
    if (link === undefined) return undefined;
    switch (kind) {
      case 'beat':
        return this.#beat(guest, link, at);
      case 'leave':
        return this.#leave(guest, link);
      case 'tap':
        return this.#switch.allocator.tap(this.#scene.account, link).then(() => undefined);
      case 'call':
        return this.#call(guest);
    }
  }

  async #arrive(guest: Guest): Promise<void> {
    const { account, endpoint, site, pool } = this.#scene;
    const { visit } = guest;
    const { session, at } = visit;
    if (at + site.heartbeatMs < visit.leavesAt)
      this.#agenda.add(at + site.heartbeatMs, { kind: 'beat', guest });
    this.#agenda.add(visit.leavesAt, { kind: 'leave', guest });
    if (visit.tapsAt !== undefined) this.#agenda.add(visit.tapsAt, { kind: 'tap', guest });
    if (visit.call !== undefined) this.#agenda.add(visit.call.at, { kind: 'call', guest });

    const area = areaName(visit.area);
    const request = { account, site: site.id, endpoint, session, visitor: session, area };
    const shown = await this.#switch.allocator.allocate(request, { pools: [pool], site });
    guest.shown = shown;
    guest.until = shown.until ?? 0;
    if (at >= this.#from) this.#tally.visit(shown.link !== null);
  }

  async #beat(guest: Guest, link: string, at: number): Promise<void> {
    const { account, site } = this.#scene;
    const next = at + site.heartbeatMs;
    if (next < guest.visit.leavesAt) this.#agenda.add(next, { kind: 'beat', guest });
    const renewal = await this.#switch.allocator.renew(account, link);
    if (renewal.state === 'renewed') guest.until = renewal.until;
  }

  async #leave(guest: Guest, link: string): Promise<void> {
    const { account, graceMs } = this.#scene;
    const now = this.#clock.now;
    await this.#switch.allocator.end(account, link, [], graceMs);
    guest.until = Math.min(guest.until, now + graceMs);
    if (guest.visit.at >= this.#from)
      this.#tally.held(guest.until + MARGIN_MS - this.#begin - guest.visit.at);
  }

  /** The number is called: what the switch says whose it is, against whose it is. */
  async #call({ visit, shown }: Guest): Promise<void> {
    const { account, pool } = this.#scene;
    const { session, call } = visit;
    if (shown === undefined || call === undefined) return;
    const { resolver } = this.#switch;
    const request: ResolutionRequest = {
      account,
      pool: pool.id,
      number: shown.number,
      call: `call_${session}`,
      at: this.#clock.now,
      trunk: 'trk_simulated',
      callerHash: session,
      callerNumber: `${areaName(call.area)}5550100`,
      redialMs: REDIAL_MS,
      test: false,
    };
    const [log, stated] = await Promise.all([
      this.#switch.holderLog(shown.number),
      call.known ? this.#callAgain(request, session) : resolver.resolve(request),
    ]);
    if (call.at < this.#from) return;
    this.#tally.call(log[0]?.session === session, stated.session === session, stated.probability ?? 0);
  }

  /** The caller called another number the day before, when he was the same visitor. */
  async #callAgain(request: ResolutionRequest, session: string) {
    const { endpoint, site } = this.#scene;
    const { now } = this.#clock;
    const number = site.printedNumber;
    const note = {
      number,
      endpoint,
      level: 'session',
      site: site.id,
      link: 'lnk_before',
      visitor: session,
    } as const;
    this.#clock.now = now - DAY_MS;
    const remembered = this.#switch.resolver.remember(
      { ...request, number },
      { level: 'session', late: false, why: 'linked', note },
    );
    this.#clock.now = now;
    const [stated] = await Promise.all([this.#switch.resolver.resolve(request), remembered]);
    return stated;
  }
}

/** Until every number was shown, and those who call late have begun to. */
function warmUpMs(numbers: number, { visitsPerHour }: Behaviour): number {
  return (numbers / visitsPerHour + 8) * HOUR_MS;
}

/** Fictional: an E.164 prefix for each area. */
function areaName(area: number): string {
  return `+1${String(201 + area)}`;
}
