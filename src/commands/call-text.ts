import type { CallView } from '../http/call-view.js';
import { displayNumber } from '../numbers/e164.js';
import type { Step } from '../standalone/test-caller/ladder.js';
import type { TestCallReport } from '../standalone/test-caller/test-caller.js';
import { plain } from './io.js';
import { q850Words } from './q850.js';

const TIME = 8;
const SPAN = 40;

/** The ladder's two heads, with the address of the switch. */
export function ladderHead(switchAddress: string): string {
  return `${'ms'.padStart(TIME)}  ${'caller'.padEnd(SPAN - 6)}switch ${switchAddress}`;
}

/** One message of the ladder: its time, and an arrow between the two ends. Plain ASCII. */
export function ladderLine({ atMs, way, message }: Step): string {
  // A far end's reason phrase may hold anything.
  const label = ` ${message.replace(/[^\x20-\x7e]/g, '?').slice(0, SPAN - 8)} `;
  const arrow = way === 'out' ? `|--${label.padEnd(SPAN - 3, '-')}>|` : `|<-${label.padEnd(SPAN - 3, '-')}-|`;
  return `${String(atMs).padStart(TIME)}  ${arrow}`;
}

/** What was heard, in one line. */
export function heardLine(media: NonNullable<TestCallReport['media']>): string {
  const sent = `${String(media.sent)} packets sent`;
  if (media.packets === 0) return `heard: nothing, no packet came back; ${sent}`;
  const packets = `${String(media.packets)} packets`;
  if (media.levelDb === null) return `heard: silence in ${packets}; ${sent}`;
  const tone = media.frequencyHz === null ? '' : `, mostly ${String(media.frequencyHz)} Hz`;
  return `heard: ${packets} at ${String(media.levelDb)} dB${tone}; ${sent}`;
}

/** How a test call went when nobody talked with us. */
export function outcomeLine(report: TestCallReport): string {
  const status =
    report.status === undefined ? '' : `: ${String(report.status)} ${plain(report.reason ?? '')}`.trimEnd();
  switch (report.outcome) {
    case 'answered':
      return report.hungUpBy === 'far' ? 'answered, the far end hung up' : 'answered, we hung up';
    case 'refused':
      return `refused${status}`;
    case 'cancelled':
      return `cancelled${status}`;
    case 'noAnswer':
      return `nobody answered in time, cancelled${status}`;
    case 'silent':
      return 'nothing came back';
  }
}

/** Milliseconds as people read them: `85 ms`, `3.0 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${String(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`;
}

/** The record of a call as a small table: a name and a value a line, what is not known left out. */
export function recordTable(record: CallView): string[] {
  const { reason } = record;
  const rows: readonly (readonly [string, string | null])[] = [
    ['call', record.id],
    ['number', displayNumber(record.number, 'international')],
    ['caller', record.caller === null ? 'anonymous' : displayNumber(record.caller, 'international')],
    ['test', record.test ? 'yes' : 'no'],
    ['started', record.startedAt],
    ['result', record.result ?? 'still up'],
    [
      'reason',
      reason === null
        ? null
        : `${String(reason.status)}, Q.850 ${String(reason.q850)} (${q850Words(reason.q850)})`,
    ],
    ['fault', record.fault],
    ['rang', record.ringingAt === null || record.ringMs === null ? null : duration(record.ringMs)],
    ['talked', record.talkMs === null ? null : duration(record.talkMs)],
    ['endpoint', record.endpoint === null ? 'none' : `${record.endpoint} (${record.why})`],
    ['destination', record.destination],
    ['link', record.link === null ? null : `${record.link}${record.late ? ' (had ended)' : ''}`],
    ['level', record.level],
    ['media', record.media === null ? null : [record.media, record.mediaNode].filter(Boolean).join(', ')],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(12)}${value}`]));
}
