import { setTimeout as wait } from 'node:timers/promises';
import { System, type Record_ } from '../../e2e/system.js';
import { freePort } from '../../../src/start/ports.js';
import { allRecords } from '../call-records.js';
import { fictionalNumbers } from '../numbers.js';
import { sipp, type SippCall, type SippResult } from '../sipp.js';
import { Callee, type Seen } from './callee.js';

/** How the load of one run is. */
export interface Measure {
  readonly perSecond: number;
  /** Calls that are up before the fault and end long after it. */
  readonly established: number;
  /** Load before the fault, and after its beginning, ms. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** What became of the calls of one run, once all records have their end. */
export interface Outcome {
  readonly calls: number;
  /** Calls that nobody answered. */
  readonly lost: number;
  /** Calls that were up and whose end did not reach the other side. */
  readonly dropped: number;
  /** Of the calls that were to last through the fault. */
  readonly establishedDropped: number;
  readonly wrongDestination: number;
  /** Calls that reached a destination and have no record, or were answered and have none that says so. */
  readonly recordsLost: number;
  /** Records without an end, a second answered one of a call, an answered one of a call that nobody answered. */
  readonly recordsWrong: number;
  /** Calls to their number's default endpoint, unattributed, because Redis did not answer. */
  readonly unattributed: number;
  /** Calls that went past the media nodes. */
  readonly direct: number;
  /** From the beginning of the fault to the first call after which each one was served as before; 0: none was not. */
  readonly againAfterMs: number;
  /** What was found wrong, a few calls of each kind: for whoever looks for the cause. */
  readonly examples: readonly string[];
}

interface Attempt extends SippCall {
  /** When its INVITE was due, ms after the first one's; undefined for those that were up before. */
  readonly dueMs: number | undefined;
  readonly expected: Callee;
}

/** A call that came later than this after it was due was repeated by its caller. */
const LATE_MS = 450;
const NUMBERS_EACH = 10;
/** The sweep closes what has no successor 64 s after it came, every 5 s, once the way of events was clear for 10 s. */
const RECORDS_MS = 100_000;

/** Two destinations with numbers of their own, each number with a live link, so that a call that goes astray is seen. */
export class FaultLoad {
  readonly #callees: readonly [Callee, Callee];
  readonly #attempts: Attempt[] = [];
  #faultAt = 0;

  private constructor(callees: readonly [Callee, Callee]) {
    this.#callees = callees;
  }

  static async open(): Promise<FaultLoad> {
    return new FaultLoad([await Callee.open(), await Callee.open()]);
  }

  /** The YAML below an account. */
  get declaration(): string {
    const lines = [
      "    sites: [{name: site, origins: [self], printedNumber: '+12125550150', heartbeatMs: 60000, holdMs: 3600000}]",
      '    trunks: [{name: carrier, addresses: [127.0.0.1/32]}]',
      '    endpoints:',
      ...this.#callees.map(
        ({ address }, i) => `      - {name: end${String(i)}, destinations: ['${address}']}`,
      ),
      '    pools:',
    ];
    this.#callees.forEach((_, i) => {
      lines.push(
        `      - {name: pool${String(i)}, numbers: ['${numberOf(i, 0)}-${numberOf(i, NUMBERS_EACH - 1)}'], trunk: carrier, endpoint: end${String(i)}, defaultEndpoint: end${String(i)}}`,
      );
    });
    return `${lines.join('\n')}\n`;
  }

  /** Every number has a live link. */
  async link(system: System): Promise<void> {
    for (const [end] of this.#callees.entries())
      for (let i = 0; i < NUMBERS_EACH; i++)
        await system.allocate(`end${String(end)}`, `session-${end}-${i}`);
  }

  /** Calls, and does `strike` meanwhile. Resolves when the last call is over, with what sipp counted of the new calls. */
  async run(system: System, strike: () => Promise<void>, measure: Measure): Promise<SippResult> {
    const { perSecond, established, beforeMs, afterMs } = measure;
    const count = Math.round(((beforeMs + afterMs) * perSecond) / 1000);
    const callers = fictionalNumbers(10_000 + established + count).slice(10_000);
    const planned = callers.map((caller, i): Attempt => {
      const end = i % 2 === 0 ? 0 : 1;
      const dueMs = i < established ? undefined : ((i - established) * 1000) / perSecond;
      const number = numberOf(end, Math.floor(i / 2) % NUMBERS_EACH);
      return { caller, number, dueMs, expected: this.#callees[end] };
    });
    this.#attempts.push(...planned);
    const [long, short] = [planned.slice(0, established), planned.slice(established)];
    const place = async (list: readonly Attempt[], talkMs: number): Promise<SippResult> =>
      sipp('caller', {
        port: await freePort(),
        to: system.sip,
        calls: list.length,
        list,
        perSecond,
        talkMs,
      });
    const longOnes = place(long, beforeMs + afterMs + 2000);
    await this.#allUp(long);
    const shortOnes = place(short, 1000);
    await wait(beforeMs);
    this.#faultAt = Date.now();
    await strike();
    const [result] = await Promise.all([shortOnes, longOnes]);
    return result;
  }

  /** Resolves once every record has its end, or is not getting one. */
  async outcome(system: System): Promise<Outcome> {
    const deadline = performance.now() + RECORDS_MS;
    for (;;) {
      const outcome = this.#judge(await recordsByCaller(system));
      if (outcome.recordsLost + outcome.recordsWrong === 0 || performance.now() > deadline) return outcome;
      await wait(500);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#callees.map((callee) => callee.close()));
  }

  async #allUp(long: readonly Attempt[]): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!long.every(({ caller, expected }) => expected.seen.get(caller)?.acknowledged === true)) {
      if (performance.now() > deadline) throw new Error('the calls before the fault did not come up');
      await wait(20);
    }
  }

  #judge(records: ReadonlyMap<string, readonly Record_[]>): Outcome {
    const found = { lost: 0, dropped: 0, establishedDropped: 0, wrongDestination: 0, recordsLost: 0 };
    let [recordsWrong, unattributed, direct, againAfterMs] = [0, 0, 0, 0];
    const examples: string[] = [];
    const first = this.#firstDue();
    for (const attempt of this.#attempts) {
      const { caller, expected, dueMs } = attempt;
      const seen = expected.seen.get(caller);
      const own = records.get(caller) ?? [];
      const wrongs = {
        ...cutOff(seen, dueMs === undefined),
        wrongDestination: this.#callees.some((callee) => callee !== expected && callee.seen.has(caller)),
        recordsLost: isLost(seen, own),
      };
      const badRecords = wrongRecords(seen, own);
      recordsWrong += badRecords.length;
      for (const [what, so] of Object.entries(wrongs)) if (so) found[what as keyof typeof found] += 1;
      if (own.some(({ why }) => why === 'storeDown')) unattributed += 1;
      if (own.some(({ media, result }) => media === 'direct' && result === 'answered')) direct += 1;
      const due = dueMs === undefined ? undefined : first + dueMs - this.#faultAt;
      const asBefore =
        seen?.hungUp === true &&
        seen.at - this.#faultAt <= (due ?? Infinity) + LATE_MS &&
        own.some(
          ({ media, why, result }) => media === 'bridged' && why !== 'storeDown' && result === 'answered',
        );
      if (due !== undefined && due >= 0 && !asBefore) againAfterMs = Math.max(againAfterMs, Math.round(due));
      if (examples.length < 12 && (badRecords.length > 0 || wrongs.recordsLost || wrongs.dropped))
        examples.push(
          `due ${String(Math.round(due ?? -1))} ms: ${JSON.stringify({ seen, records: own.map(brief) })}`,
        );
    }
    return {
      calls: this.#attempts.length,
      ...found,
      recordsWrong,
      unattributed,
      direct,
      againAfterMs,
      examples,
    };
  }

  /** When the first of the calls that came one after the other was due, as the destination saw it. */
  #firstDue(): number {
    const starts = this.#attempts.flatMap(({ caller, expected, dueMs }) => {
      const at = expected.seen.get(caller)?.at;
      return dueMs === undefined || at === undefined ? [] : [at - dueMs];
    });
    return Math.min(...starts);
  }
}

/** Whether a call did not come up, and whether it ended before its caller hung up. */
function cutOff(seen: Seen | undefined, established: boolean) {
  const up = seen?.acknowledged === true;
  const dropped = up && !seen.hungUp;
  return { lost: !up, dropped, establishedDropped: established && dropped };
}

function isLost(seen: Seen | undefined, records: readonly Record_[]): boolean {
  if (seen === undefined) return false;
  if (!seen.acknowledged) return records.length === 0;
  // A call that was cut off has failed, and was answered.
  return !records.some(({ result, answeredAt }) =>
    seen.hungUp ? result === 'answered' : answeredAt !== null,
  );
}

function wrongRecords(seen: Seen | undefined, records: readonly Record_[]): readonly Record_[] {
  const answered = records.filter(({ result }) => result === 'answered');
  return [
    ...records.filter(({ endedAt, result }) => endedAt === null || result === null),
    ...answered.slice(seen?.acknowledged === true ? 1 : 0),
  ];
}

const brief = ({ id, result, why, media, reason, startedAt, answeredAt, endedAt }: Record_) => ({
  id,
  result,
  why,
  media,
  reason: reason?.text,
  startedAt,
  answeredAt,
  endedAt,
});

async function recordsByCaller(system: System): Promise<ReadonlyMap<string, readonly Record_[]>> {
  const records = new Map<string, Record_[]>();
  for await (const record of allRecords(system)) {
    const caller = record.caller ?? '';
    records.set(caller, [...(records.get(caller) ?? []), record]);
  }
  return records;
}

const numberOf = (end: number, i: number): string =>
  `+1${end === 0 ? '202' : '203'}55501${String(i).padStart(2, '0')}`;
