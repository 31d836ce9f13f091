import { formatHostPort, type HostPort } from '../addresses.js';
import { mintTestToken } from '../calls/test-token.js';
import { Exit } from '../directory/commands.js';
import type { CallView } from '../http/call-view.js';
import { isE164 } from '../numbers/e164.js';
import { NoWayThere } from '../standalone/test-caller/local-address.js';
import type { placeTestCall, TestCallReport } from '../standalone/test-caller/test-caller.js';
import { ApiFault, CallApi } from './api.js';
import { readArguments } from './arguments.js';
import { heardLine, ladderHead, ladderLine, outcomeLine, recordTable } from './call-text.js';
import { DEMO_KEY, isKey, type Lines } from './io.js';

export interface CallIo extends Lines {
  /** Where the switch takes calls, and where its HTTP interface is. */
  readonly sip: HostPort;
  readonly http: HostPort;
  /** The key that test tokens are signed with. */
  readonly testKey: () => Promise<Uint8Array>;
  readonly place: typeof placeTestCall;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** How long the record is waited for, and how often it is asked for. */
  readonly recordMs?: number;
  readonly pollMs?: number;
}

interface Wish {
  readonly number: string;
  readonly from: string;
  readonly talkMs: number;
  readonly key: string;
}

const FROM = '+12025550190';
const LONGEST_TALK_S = 300;
/** The record's start is the INVITE's arrival by the switch's clock, which may not be ours. */
const SAME_CALL_MS = 2000;

/**
 * `tagswitch call NUMBER`: places a test call, shows its messages as they come, what was heard, and the record.
 * @returns 0 when somebody answered, was heard, and the record says the same; 1 when not; 2 for bad arguments
 */
export async function callCommand(argv: readonly string[], io: CallIo): Promise<number> {
  const wish = readWish(argv);
  if ('faults' in wish) {
    for (const fault of wish.faults) io.err(`tagswitch call: ${fault}`);
    return Exit.badInput;
  }
  try {
    const testToken = mintTestToken(wish.number, await io.testKey(), Date.now() / 1000);
    io.out(ladderHead(formatHostPort(io.sip)));
    const report = await io.place({
      switchAddress: io.sip,
      number: wish.number,
      from: wish.from,
      talkMs: wish.talkMs,
      testToken,
      signal: io.signal,
      onStep: (step) => {
        io.out(ladderLine(step));
      },
    });
    io.out('');
    io.out(outcomeLine(report));
    if (report.media !== undefined) io.out(heardLine(report.media));
    if (report.outcome === 'silent') {
      io.err(
        `tagswitch call: nothing answers at ${formatHostPort(io.sip)} (TAGSWITCH_SIP): is tagswitch started?`,
      );
      return Exit.refused;
    }
    return await showRecord(wish, report, io);
  } catch (error) {
    if (!(error instanceof ApiFault || error instanceof NoWayThere)) throw error;
    io.err(`tagswitch call: ${error.message}`);
    return Exit.refused;
  }
}

async function showRecord(wish: Wish, report: TestCallReport, io: CallIo): Promise<number> {
  const { record, other } = await findRecord(wish, report, io);
  if (record === undefined) {
    io.err(`tagswitch call: ${missing(report, other)}`);
    return Exit.refused;
  }
  io.out('');
  io.out('record:');
  for (const line of recordTable(record)) io.out(line);
  io.out('');
  io.out(`next: npx tagswitch explain ${record.id}${wish.key === DEMO_KEY ? '' : ' --key KEY'}`);
  if (record.result === null) {
    io.err('tagswitch call: the record has no end yet, look again later');
    return Exit.refused;
  }
  const heard = report.outcome === 'answered' && (report.media?.packets ?? 0) > 0;
  return heard && record.result === 'answered' ? Exit.done : Exit.refused;
}

/** This call's record as soon as it has a result, or as it is when time is up; `other`: one that is it, but is no test. */
async function findRecord(
  wish: Wish,
  report: TestCallReport,
  io: CallIo,
): Promise<{ record?: CallView; other?: CallView }> {
  const { recordMs = 5000, pollMs = 100 } = io;
  const api = new CallApi(io.http, wish.key);
  const distance = (record: CallView): number => Math.abs(Date.parse(record.startedAt) - report.startedAt);
  const end = performance.now() + recordMs;
  for (;;) {
    const near = (await api.calls(wish.number, report.startedAt - SAME_CALL_MS))
      .filter((record) => record.caller === wish.from && distance(record) <= SAME_CALL_MS)
      .sort((one, two) => distance(one) - distance(two));
    const record = near.find(({ test }) => test);
    const late = performance.now() > end;
    if (record !== undefined && (late || record.result !== null)) return { record };
    if (late) return near[0] === undefined ? {} : { other: near[0] };
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function missing(report: TestCallReport, other: CallView | undefined): string {
  if (other !== undefined) {
    return `${other.id} is the record, but not as a test call: TAGSWITCH_SECRET or TAGSWITCH_DATA is another one here than at the switch`;
  }
  if (report.status === 403) {
    return 'there is no record: the switch refused the call at its door, because it comes from no trunk or too fast';
  }
  return 'no record of this call came in time: the number may belong to another account than the key (--key)';
}

function readWish(argv: readonly string[]): Wish | { faults: readonly string[] } {
  const read = readArguments(argv, {
    words: ['NUMBER'],
    options: { from: 'a number', talk: 'SECONDS', key: 'an API key' },
  });
  if ('faults' in read) return read;
  const faults: string[] = [];
  const phone = (name: string, text: string): string => {
    const number = /^\+[\d ().-]+$/.test(text) ? text.replace(/[ ().-]/g, '') : text;
    if (!isE164(number)) faults.push(`${name}: expected a number in E.164, such as +12025550100`);
    return number;
  };
  const number = phone('NUMBER', read.words[0] ?? '');
  const from = phone('--from', read.options.get('from') ?? FROM);
  const talk = read.options.get('talk') ?? '3';
  const seconds = /^\d{1,3}(\.\d{1,3})?$/.test(talk) ? Number(talk) : 0;
  if (!(seconds > 0 && seconds <= LONGEST_TALK_S)) {
    faults.push(`--talk: expected seconds, more than 0 and at most ${String(LONGEST_TALK_S)}`);
  }
  const key = read.options.get('key') ?? DEMO_KEY;
  if (!isKey(key)) faults.push('--key: expected an API key, printable ASCII characters without blanks');
  return faults.length > 0 ? { faults } : { number, from, talkMs: seconds * 1000, key };
}
