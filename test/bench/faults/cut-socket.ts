import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { legEndFromLine, type CallerLegEnd } from '../../../src/calls/leg-end.js';
import { Random } from '../../../src/simulation/random.js';
import { OwnNode } from '../../e2e/own-node.js';
import { onRealServers, type Record_, type System } from '../../e2e/system.js';
import { CutLine } from '../../support/cut-line.js';
import { allRecords } from '../call-records.js';
import type { Stage } from './kinds.js';

/** Cuts of one run. */
const CUTS = 6;
/** A call's events are a few kilobytes each here, ten on FreeSWITCH: a cut falls anywhere in one. */
const MOST_BYTES = 20_000;
const LONGEST_AWAY_MS = 400;
/** Between two cuts: long enough for the node to get calls again. */
const LEAST_BETWEEN_MS = 600;
const MORE_BETWEEN_MS = 600;

/** The event socket of the one media node leads through a line that is cut at moments that `seed` decides. */
export async function socketCut(seed: number): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'tagswitch-cut-'));
  const node = onRealServers ? undefined : await OwnNode.start(folder);
  const [host = '', port = ''] = (process.env['TAGSWITCH_FREESWITCH'] ?? '').split(':');
  const line = await CutLine.open(
    node === undefined ? { host, port: Number(port) } : { host: '127.0.0.1', port: node.port },
  );
  const spool = join(node?.spool ?? process.env['TAGSWITCH_SPOOL'] ?? '', 'cdr-csv', 'Master.csv');
  // A real node writes one file on and on: what other stages' calls left in it is not of these.
  const before = existsSync(spool) ? statSync(spool).size : 0;
  const random = new Random(seed);
  return {
    environment: node?.environment(line.port) ?? { TAGSWITCH_FREESWITCH: `127.0.0.1:${String(line.port)}` },
    strike: async () => {
      for (let i = 0; i < CUTS; i += 1) {
        await line.cut(Math.floor(random.share() * MOST_BYTES), random.share() * LONGEST_AWAY_MS);
        await wait(LEAST_BETWEEN_MS + random.share() * MORE_BETWEEN_MS);
      }
    },
    checked: async (system) => [
      ...(await gapsNotTold(system, line.cuts)),
      ...differing(await endsIn(spool, before), await recordsOf(system)).map(
        (what) => `seed ${String(seed)}: ${what}`,
      ),
    ],
    close: async () => {
      await line.close();
      await node?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** No gap is silent: each one is counted and logged, and what the spool told instead is counted too. */
async function gapsNotTold(system: System, cuts: number): Promise<string[]> {
  const text = await system.metrics();
  const metric = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
  const gaps = metric('tagswitch_event_gaps_total');
  const logged = system.log().split('events of a media node were missed').length - 1;
  const bySpool = metric('tagswitch_ends_by_spool_total');
  return [
    // A second cut before the events flow again prolongs the gap.
    ...(gaps >= CUTS / 2 && gaps <= cuts ? [] : [`${String(gaps)} gaps counted, of ${String(cuts)} cuts`]),
    ...(logged === gaps ? [] : [`${String(logged)} gaps logged, of ${String(gaps)}`]),
    ...(bySpool > 0 ? [] : ['no end fell into a gap']),
  ];
}

/** The second source: what the node itself wrote of the calls that ended, by call. */
async function endsIn(spool: string, from: number): Promise<ReadonlyMap<string, CallerLegEnd>> {
  const lines = (await readFile(spool)).subarray(from).toString().split('\n');
  return new Map(lines.flatMap((line) => legEndFromLine(line) ?? []).map((end) => [end.call, end]));
}

async function recordsOf(system: System): Promise<readonly Record_[]> {
  const records: Record_[] = [];
  for await (const record of allRecords(system)) records.push(record);
  return records;
}

/** How the records and the node's list differ; also where a record lacks what only an event or the spool could tell. */
function differing(ends: ReadonlyMap<string, CallerLegEnd>, records: readonly Record_[]): string[] {
  const byCall = new Map(records.map((record) => [record.id, record]));
  const missing = [...ends.keys()].filter((call) => !byCall.has(call));
  const bridged = records.filter(({ media }) => media === 'bridged');
  const untold = bridged.filter(({ id }) => !ends.has(id));
  const other = bridged.filter((record) => {
    const end = ends.get(record.id);
    if (end === undefined) return false;
    const stamps = [end.answeredAt, end.endedAt].map((at) =>
      at === undefined ? null : new Date(at).toISOString(),
    );
    return (
      record.answeredAt !== stamps[0] ||
      record.endedAt !== stamps[1] ||
      (record.answeredAt !== null && (record.destination === null || record.talkMs === null))
    );
  });
  const count = (what: readonly unknown[], said: string): string[] =>
    what.length === 0 ? [] : [`${String(what.length)} ${said}: ${JSON.stringify(what[0])}`];
  return [
    ...count(missing, 'calls of the node have no record'),
    ...count(untold, 'records have an end that the node did not write'),
    ...count(other, 'records differ from what the node wrote'),
    ...(ends.size === 0 ? ['the node wrote no ends'] : []),
  ];
}
