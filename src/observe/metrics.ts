import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { measureEventLoopDelay } from './event-loop-delay.js';

/** How a page's request for a number ended. */
export const allocationOutcomes = [
  'new',
  'kept',
  'bucket',
  'overflow',
  'none',
  'bot',
  'busyAddress',
  'busyBlock',
  'busySite',
  'storeDown',
] as const;
export type AllocationOutcome = (typeof allocationOutcomes)[number];

export const linkSteps = ['renewed', 'confirmed', 'tapped', 'ended', 'gone', 'storeDown'] as const;
export type LinkStep = (typeof linkSteps)[number];

/** What visitors showed of who they are. */
export const visitorProofs = ['proof', 'badProof', 'pass', 'badPass'] as const;
export type VisitorProof = (typeof visitorProofs)[number];

/** A number that only grows, one of a fixed set of labels. */
export interface Tally<L extends string> {
  count(label: L): void;
}

/** A number that only grows, and stands at 0 before. */
export interface Count {
  count(): void;
}

/** A distribution; values in the unit of its name. */
export interface Spread {
  observe(value: number): void;
}

/** A number that goes up and down, read when somebody asks for the metrics; 0 until it is said where. */
export interface Reading {
  from(read: () => number): void;
}

/** A number that goes up and down, one for each pool (by its id). */
export interface PoolReading {
  set(pool: string, value: number): void;
  /** The pool is gone. */
  remove(pool: string): void;
}

/**
 * All metrics of the program. Labels are few and from fixed sets: never a number, a caller or a name, which would make a
 * time series each and tell secrets to whoever may read metrics. The one exception are ids of pools, which an operator has
 * few of, and which tell nothing.
 */
export interface Metrics {
  readonly allocations: Tally<AllocationOutcome>;
  readonly links: Tally<LinkStep>;
  readonly visitorProofs: Tally<VisitorProof>;
  /** seconds */
  readonly allocationSeconds: Spread;
  readonly problems: Tally<string>;
  /** Calls that passed screening, by what their number led to. */
  readonly callsReceived: Tally<string>;
  /** Requests that screening turned away, by the rule that did. */
  readonly callsScreened: Tally<string>;
  /** Calls that are over. */
  readonly callsEnded: { count(result: string, fault: string): void };
  /** seconds from the INVITE to its leaving us */
  readonly decisionSeconds: Spread;
  /** seconds from the INVITE to ringing (RFC 6076, session request delay) */
  readonly ringSeconds: Spread;
  /** seconds */
  readonly talkSeconds: Spread;
  readonly mediaNodesUp: Reading;
  readonly directoryVersion: Reading;
  /** Times when the event socket of a media node that this process reads was lost: what it told meanwhile was missed. */
  readonly eventGaps: Count;
  /** Ends of calls that the spool of a media node told and its event socket had not. */
  readonly endsBySpool: Count;
  /** Events that wait on disk for Redis. */
  readonly eventsSpooled: Reading;
  /** Events in memory that neither Redis nor the disk takes. */
  readonly eventsHeld: Reading;
  /** Share of a pool's numbers that is held on average in its busiest hour. */
  readonly poolUtilisation: PoolReading;
  /** erlangs, in that hour */
  readonly poolOffered: PoolReading;
  /** Share of the visitors who got no number in that hour. */
  readonly poolBlocked: PoolReading;
  /** The text that Prometheus reads, and its media type. */
  text(): Promise<{ body: string; type: string }>;
}

/** What an operation of ours takes: from a cached answer to a timeout of Redis and beyond. */
const OPERATION_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];
/** What a person waits for ringing: E.721 speaks of 3 to 11 s. */
const RINGING_SECONDS = [0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 8, 11, 20, 60, 185];
/** From a wrong number to a long talk. */
const TALK_SECONDS = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** @param processMetrics also the process's own: CPU, memory, delay of its event loop (a timer, until the process ends) */
export function createMetrics(processMetrics = true): Metrics {
  const registry = new Registry();
  if (processMetrics) {
    // Its looks at the event loop cannot be turned off, but made rare: ours are better.
    collectDefaultMetrics({
      register: registry,
      prefix: 'tagswitch_',
      eventLoopMonitoringPrecision: 3_600_000,
    });
    for (const { name } of registry.getMetricsAsArray())
      if (name.includes('eventloop')) registry.removeSingleMetric(name);
    measureEventLoopDelay(registry);
  }
  const registers = [registry];

  const tally = <L extends string>(
    name: string,
    help: string,
    label: string,
    all: readonly L[] = [],
  ): Tally<L> => {
    const counter = new Counter({ name, help, labelNames: [label], registers });
    // A label's counter is looked up once, and stands at 0 before it first happens.
    const children = new Map<string, Counter.Internal>(all.map((value) => [value, counter.labels(value)]));
    for (const child of children.values()) child.inc(0);
    return {
      count: (value) => {
        let child = children.get(value);
        if (child === undefined) children.set(value, (child = counter.labels(value)));
        child.inc();
      },
    };
  };
  const count = (name: string, help: string): Count => {
    const counter = new Counter({ name, help, registers });
    return {
      count: () => {
        counter.inc();
      },
    };
  };
  const spread = (name: string, help: string, buckets: number[]): Spread =>
    new Histogram({ name, help, buckets, registers });
  const level = (name: string, help: string): Reading => {
    let read = (): number => 0;
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
    return {
      from: (source) => {
        read = source;
      },
    };
  };
  const poolLevel = (name: string, help: string): PoolReading => {
    const gauge = new Gauge({ name, help, labelNames: ['pool'], registers });
    return {
      set: (pool, value) => {
        gauge.set({ pool }, value);
      },
      remove: (pool) => {
        gauge.remove({ pool });
      },
    };
  };
  const ended = new Counter({
    name: 'tagswitch_calls_ended_total',
    help: 'Calls that are over, by result and by whose fault it was',
    labelNames: ['result', 'fault'],
    registers,
  });

  return {
    allocations: tally(
      'tagswitch_allocations_total',
      'Requests of pages for a number: a new link of a session, a kept one, the number of a bucket, the overflow number; the printed number for want of a free one, for a bot, for an address, a block of addresses or a site that asks too often, for want of Redis',
      'outcome',
      allocationOutcomes,
    ),
    links: tally('tagswitch_links_total', 'What pages did with their links', 'step', linkSteps),
    visitorProofs: tally(
      'tagswitch_visitor_proofs_total',
      'Tokens and passes that requests for a number showed, good ones and bad ones',
      'what',
      visitorProofs,
    ),
    allocationSeconds: spread(
      'tagswitch_allocation_seconds',
      'From the checked request for a number to the answer of the store',
      OPERATION_SECONDS,
    ),
    problems: tally(
      'tagswitch_http_problems_total',
      'HTTP requests answered with an error, by its code',
      'code',
    ),
    callsReceived: tally(
      'tagswitch_calls_received_total',
      'Calls that passed screening, by what the number led to',
      'why',
    ),
    callsScreened: tally(
      'tagswitch_calls_screened_total',
      'SIP requests turned away before any lookup',
      'rule',
    ),
    callsEnded: { count: (result, fault) => ended.inc({ result, fault }) },
    decisionSeconds: spread(
      'tagswitch_call_decision_seconds',
      'From the INVITE to its leaving for the media node: what we add to a call',
      OPERATION_SECONDS,
    ),
    ringSeconds: spread('tagswitch_call_pdd_seconds', 'From the INVITE to ringing', RINGING_SECONDS),
    talkSeconds: spread('tagswitch_call_talk_seconds', 'From the answer to the end', TALK_SECONDS),
    mediaNodesUp: level('tagswitch_media_nodes_up', 'Media nodes that may get calls'),
    directoryVersion: level(
      'tagswitch_directory_version',
      'The version of the directory that this process follows',
    ),
    eventGaps: count(
      'tagswitch_event_gaps_total',
      'Times when the event socket of a media node that this process reads was lost: its spool tells what was missed',
    ),
    endsBySpool: count(
      'tagswitch_ends_by_spool_total',
      'Ends of calls that the spool of a media node told and its event socket had not',
    ),
    eventsSpooled: level('tagswitch_events_spooled', 'Events on disk that wait for Redis'),
    eventsHeld: level(
      'tagswitch_events_held',
      'Events in memory, because neither Redis nor the disk takes them: lost if the process ends',
    ),
    poolUtilisation: poolLevel(
      'tagswitch_pool_utilisation',
      'Share of the numbers of a pool that is held on average in the busiest hour of the last day',
    ),
    poolOffered: poolLevel(
      'tagswitch_pool_offered_erlangs',
      'What visitors ask of a pool in that hour, whether they get it or not',
    ),
    poolBlocked: poolLevel(
      'tagswitch_pool_blocked_share',
      'Share of the visitors who got no number in that hour',
    ),
    text: async () => ({ body: await registry.metrics(), type: registry.contentType }),
  };
}
