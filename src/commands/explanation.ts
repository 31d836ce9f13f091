import {
  Seq,
  type Fault,
  type Level,
  type RankedCandidate,
  type RouteStep,
  type Why,
} from '../calls/events.js';
import { TURNED_AWAY } from '../calls/termination.js';
import type { CallView } from '../http/call-view.js';
import { displayNumber } from '../numbers/e164.js';
import type { EventView } from './api.js';
import { duration } from './call-text.js';
import { percent, plain } from './io.js';
import { q850Words } from './q850.js';

const LEVELS: Readonly<Record<Level, string>> = {
  token: 'certain: the call carried a token of the visit itself',
  session: 'certain to the session: the number was shown to this one session alone',
  bucket: 'certain to a class of sessions: its sessions share the number',
  overflow: 'a guess: the pool was full, and more than one visit had the number',
  none: 'not known at all: nothing led from the number to a visit',
};

const WHYS: Readonly<Record<Why, string>> = {
  linked: 'because the number was linked to that endpoint',
  lastHolder: 'because no link was live, and that endpoint was the last one that held the number',
  redial: 'because this caller had reached that endpoint before when he called the number',
  ambiguous: 'because two held the number at once, and that endpoint answers for both or is the default',
  poolDefault: 'because nobody had held the number lately, and that endpoint is the default of its pool',
  unknownNumber: 'because nobody has this number',
  storeDown: 'because Redis did not answer, and that endpoint is the default of the number',
};

const PASSED_ON: Readonly<Record<Exclude<RouteStep['because'], 'number'>, string>> = {
  area: 'by a rule, for the area of the caller',
  attestation: "by a rule, for the attestation of the caller's number",
  closed: 'as overflow, because the one before was closed',
  full: 'as overflow, because the one before had as many calls as it may',
};

/** By the text of the reason. */
const ENDED_BY_RULE: ReadonlyMap<string, string> = new Map([
  [TURNED_AWAY.closed.reason.text, 'It was turned away because the endpoint was closed,'],
  [TURNED_AWAY.full.reason.text, 'It was turned away because there were as many calls as there may be,'],
  [
    TURNED_AWAY.trunkFull.reason.text,
    'It was turned away because its trunk had brought as many calls as it may,',
  ],
]);

const BLAME: Readonly<Record<Fault, string>> = {
  ours: 'the switch itself',
  caller: 'the caller',
  callee: 'the callee',
  carrier: 'the carrier or the network',
  unknown: 'nobody that we know of',
};

/** Why a call went where it went, and whose visit it was: sentences, one a line. Ids where the record has no names. */
export function explanation(record: CallView, events: readonly EventView[]): string[] {
  return [
    ...arrival(record),
    ...visit(record),
    ...reckoning(record, events),
    ...direction(record, events),
    ...course(record),
    ...ending(record),
    ...oddities(record, events),
  ];
}

function arrival(record: CallView): string[] {
  const caller =
    record.caller === null ? 'an anonymous caller' : displayNumber(record.caller, 'international');
  const number = record.number === '' ? 'an unknown number' : displayNumber(record.number, 'international');
  const trunk = record.trunk === '' ? '' : ` over trunk ${record.trunk}`;
  const what = record.test ? 'This test call' : 'The call';
  return [`${what} came at ${when(record.startedAt)}${trunk}, from ${caller} to ${number}.`];
}

function visit(record: CallView): string[] {
  const likely = record.probability === null ? '' : ` It is ${percent(record.probability)} likely.`;
  const sure = `How sure that is: ${LEVELS[record.level]}.${likely}`;
  if (record.ambiguous)
    return [
      'It is credited to no visit: two had the number at once, after Redis lost what it had promised.',
      sure,
    ];
  if (record.link === null && record.session === null)
    return ['It belongs to no visit: no link of the number led to one.', sure];
  if (record.parameters !== null) {
    const values = Object.entries(record.parameters as Readonly<Record<string, unknown>>);
    const set = values.map(([name, value]) => `${plain(name)} ${plain(String(value))}`).join(', ');
    return [`It is credited to ${set}, by link ${record.link ?? ''}.`, sure];
  }
  if (record.session === null && record.bucket !== null)
    return [
      `It was of the bucket ${plain(record.bucket)}, by link ${record.link ?? ''}.`,
      ...touch(record.touch),
      sure,
    ];
  const visitor = record.visitor === null ? 'a visitor without an id' : `visitor ${plain(record.visitor)}`;
  const session = record.session === null ? '' : ` in session ${plain(record.session)}`;
  const site = record.site === null ? '' : ` on site ${record.site}`;
  const link = record.link === null ? '' : `, by link ${record.link}`;
  return [`It was the visit of ${visitor}${session}${site}${link}.`, ...touch(record.touch), sure];
}

function touch(value: unknown): string[] {
  if (typeof value === 'string') return [`The page told of it: ${plain(value)}.`];
  if (typeof value !== 'object' || value === null)
    return ['The page told nothing about where the visitor came from.'];
  const told = value as Readonly<Record<string, unknown>>;
  const part = (name: string, words: string): string[] =>
    typeof told[name] === 'string' && told[name] !== '' ? [`${words} ${plain(told[name])}`] : [];
  const came = [
    ...part('source', 'source'),
    ...part('medium', 'medium'),
    ...part('campaign', 'campaign'),
    ...part('keyword', 'keyword'),
    ...part('landingPage', 'landing page'),
    ...part('referrer', 'referrer'),
  ];
  const { clickIds } = told;
  if (typeof clickIds === 'object' && clickIds !== null)
    came.push(`click ids ${Object.keys(clickIds).map(plain).join(', ')}`);
  return [
    came.length === 0
      ? 'The page told nothing about where the visitor came from.'
      : `The visitor came by ${came.join(', ')}.`,
  ];
}

/** The arithmetic: each candidate with his rate, what it was multiplied with, and his share in the sum. */
function reckoning(record: CallView, events: readonly EventView[]): string[] {
  const decided = events.find(({ kind }) => kind === 'attributed');
  const candidates = decided?.['candidates'];
  if (!Array.isArray(candidates) || candidates.length === 0) return [];
  const shown = (candidates as readonly unknown[]).filter(isCandidate);
  const nobody = Math.max(0, 1 - shown.reduce((sum, { probability }) => sum + probability, 0));
  const chosen = record.link;
  return [
    `Who may have called, in calls a minute of each (${String(shown.length)} in the number's log):`,
    ...shown.map((one) => {
      const who = one.session ?? (one.bucket === undefined ? one.link : `bucket ${one.bucket}`);
      const weight = one.because.reduce((product, { factor }) => product * factor, 1);
      const sum = one.because.map(
        ({ what, factor }, place) =>
          `${place === 0 ? '' : 'x '}${amount(factor)} ${FACTORS[what] ?? plain(what)}`,
      );
      const mark = one.link === chosen ? ' <- credited' : '';
      return `  ${percent(one.probability)} ${plain(who)}: ${sum.join(', ')} = ${amount(weight)}${mark}`;
    }),
    `  ${percent(nobody)} somebody else: saved or printed numbers, and visits that the log has forgotten.`,
    ...(record.redial ? ['This caller had called the number before: a redial goes where it went then.'] : []),
  ];
}

const FACTORS: Readonly<Record<string, string>> = {
  delay: 'for the time since the page was opened',
  shared: 'for the time since one of its visitors was seen',
  tapped: 'because the number was tapped',
  open: 'because the page was still open',
  left: 'as the page had been left',
  calledBefore: 'because this caller was taken for this visitor before',
  anotherCaller: 'because the caller is known as somebody else',
  sameArea: "because the caller's number is of the visitor's area",
  otherArea: "because the caller's number is of another area than the visitor",
};

function isCandidate(value: unknown): value is RankedCandidate {
  if (typeof value !== 'object' || value === null) return false;
  const { link, probability, because } = value as Readonly<Record<string, unknown>>;
  return typeof link === 'string' && typeof probability === 'number' && Array.isArray(because);
}

/** Four digits, without exponents where people can read it. */
function amount(value: number): string {
  return value >= 0.0001 && value < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

function direction(record: CallView, events: readonly EventView[]): string[] {
  const why = WHYS[record.why as Why] ?? `because of ${record.why}`;
  if (record.endpoint === null)
    return [
      `It went to no endpoint, ${record.why === 'storeDown' ? 'because Redis did not answer and the number has no default' : why}.`,
    ];
  const lines = [`It went to endpoint ${record.endpoint}, ${why}.`];
  for (const { endpoint, because } of record.route ?? [])
    if (because !== 'number') lines.push(`It was passed on to endpoint ${endpoint}, ${PASSED_ON[because]}.`);
  const plans = events.filter(({ kind }) => kind === 'planned');
  const plan = plans.at(-1);
  if (plan === undefined) return [...lines, 'No plan was made: nobody was rung.'];
  const { destinations } = plan;
  const rung = Array.isArray(destinations) ? destinations.map((to) => plain(String(to))).join(', ') : '';
  const way =
    plan['media'] === 'direct'
      ? 'straight, without a media node'
      : `through media node ${typeof plan['mediaNode'] === 'string' ? plan['mediaNode'] : 'unknown'}`;
  lines.push(`The plan was to ring ${rung} ${way}.`);
  if (plans.length > 1)
    lines.push(`That was attempt ${String(plans.length)}: the media nodes before it did not take the call.`);
  return lines;
}

function course(record: CallView): string[] {
  const since = (at: string): string => duration(Date.parse(at) - Date.parse(record.startedAt));
  const lines = [
    record.ringingAt === null
      ? 'The caller heard no ringing.'
      : `The caller heard ringing ${since(record.ringingAt)} after the start.`,
  ];
  if (record.answeredAt === null) return [...lines, 'Nobody answered.'];
  lines.push(`${record.destination ?? 'Somebody'} answered ${since(record.answeredAt)} after the start.`);
  if (record.talkMs !== null) lines.push(`They talked for ${duration(record.talkMs)}.`);
  return lines;
}

function ending(record: CallView): string[] {
  const { result, reason, fault } = record;
  if (result === null || record.endedAt === null) return ['It has not ended yet.'];
  const at = `at ${when(record.endedAt)}`;
  const lines = [
    result === 'answered'
      ? talkEnd(fault, reason, at)
      : `${ENDED_BY_RULE.get(reason?.text ?? '') ?? unanswered(result)} ${at}; the cause lies with ${BLAME[fault ?? 'unknown']}.`,
  ];
  if (reason === null) return lines;
  const status =
    reason.status === 0
      ? 'what the caller was told is not known'
      : `the caller was told ${String(reason.status)}`;
  const cause = reason.q850 === 0 ? '' : `, Q.850 cause ${String(reason.q850)}: ${q850Words(reason.q850)}`;
  lines.push(`In SIP, ${status}${cause} (${plain(reason.text)}).`);
  return lines;
}

/** Of an answered call that ended well, the fault names who hung up. */
function talkEnd(fault: Fault | null, reason: CallView['reason'], at: string): string {
  const q850 = reason?.q850;
  if (reason?.text === 'ALLOTTED_TIMEOUT')
    return `It was ended ${at}: it had lasted as long as its endpoint allows.`;
  if (q850 === 16 && fault === 'caller') return `The caller hung up ${at}.`;
  if (q850 === 16 && fault === 'callee') return `The callee hung up ${at}.`;
  return `It was cut off ${at}; the cause lies with ${BLAME[fault ?? 'unknown']}.`;
}

function unanswered(result: Exclude<NonNullable<CallView['result']>, 'answered'>): string {
  switch (result) {
    case 'busy':
      return 'It ended because the callee was busy,';
    case 'noAnswer':
      return 'It ended because nobody answered,';
    case 'cancelled':
      return 'The caller gave up,';
    case 'rejected':
      return 'It was declined,';
    case 'failed':
      return 'It failed,';
  }
}

function oddities(record: CallView, events: readonly EventView[]): string[] {
  const odd: string[] = [];
  if (record.late)
    odd.push(
      'Odd: the link had ended when the call came; the visit is of somebody who had had the number before.',
    );
  if (record.media === 'direct')
    odd.push('Odd: no media node carried it, the two ends talked directly; no whisper, no recording.');
  if (record.why === 'storeDown')
    odd.push('Odd: Redis was away, so whose visit it was could not be looked up.');
  const end = events.filter(({ kind }) => kind === 'ended').at(0);
  if (end?.['seq'] === Seq.endedBySweep) {
    odd.push('Odd: nobody saw its end; the sweep closed the record, so the time of its end is a guess.');
  }
  return odd.length > 0 ? odd : ['Nothing about it is odd.'];
}

function when(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)} UTC`;
}
