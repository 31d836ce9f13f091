import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { foldCall } from '../../src/calls/fold.js';
import {
  callOf,
  endedByNode,
  legEndFromEvent,
  legEndFromLine,
  SPOOL_COLUMNS,
} from '../../src/calls/leg-end.js';
import { writeCallIds } from '../../src/calls/call-ids.js';
import type { ChannelEvent } from '../../src/calls/leg-end.js';
import { ACCOUNT, callId } from './samples.js';

/** What FreeSWITCH told about three calls: answered and hung up; the same without us; cancelled in early media. */
const trace = JSON.parse(
  readFileSync(new URL('../../../test/calls/traces/bridged-calls.json', import.meta.url), 'utf8'),
) as Record<string, string>[];
const CALL = callId(7);
const IDS = writeCallIds({ call: CALL, account: ACCOUNT });
const HEADER = 'variable_sip_h_X-Tagswitch-Call';
const ours = { [HEADER]: IDS, variable_presence_data: IDS };
const destinationOf = (token: string) => (token === 'TOKEN-1_x' ? 'sip:agent@127.0.0.1:5070' : undefined);

/** What mod_cdr_csv writes for the leg of an event: every column in quotes, empty where there is no such variable. */
function lineOf(event: ChannelEvent): string {
  return SPOOL_COLUMNS.map((column) => {
    const value = column === 'uuid' ? event['Unique-ID'] : event[`variable_${column}`];
    return `"${typeof value === 'string' ? value : ''}"`;
  }).join(',');
}

const ends = trace
  .filter(
    (event) => event['Event-Name'] === 'CHANNEL_HANGUP_COMPLETE' && event['Call-Direction'] === 'inbound',
  )
  .map((event) => ({ ...event, ...ours }));

t.test('three real calls', async (t) => {
  t.equal(ends.length, 3);
  const records = ends.map((end) => {
    const leg = legEndFromEvent(end);
    const told = legEndFromLine(lineOf(end));
    if (leg === undefined || told === undefined) throw new Error('the end was not understood');
    t.equal(
      JSON.stringify(endedByNode(told, destinationOf)),
      JSON.stringify(endedByNode(leg, destinationOf)),
      'the same event, byte for byte, by socket and spool',
    );
    return foldCall([endedByNode(leg, destinationOf)]);
  });
  t.match(records[0], {
    startedAt: 1_795_366_067_115,
    ringingAt: 1_795_366_067_136,
    answeredAt: 1_795_366_067_175,
    endedAt: 1_795_366_068_715,
    ringMs: 39,
    talkMs: 1_540,
    result: 'answered',
    fault: 'caller',
    reason: { status: 200, q850: 16, text: 'NORMAL_CLEARING' },
  });
  t.match(records[1], { result: 'answered', talkMs: 5_020 });
  t.match(records[2], {
    result: 'cancelled',
    fault: 'caller',
    reason: { status: 487, q850: 16 },
    answeredAt: null,
    talkMs: null,
    ringMs: 539,
  });
});

t.test('whose leg', async (t) => {
  const [end] = ends;
  if (end === undefined) throw new Error('no trace');
  const foreign = { [HEADER]: undefined, variable_presence_data: undefined };
  t.equal(legEndFromEvent({ ...end, ...foreign }), undefined, 'not our call');
  t.ok(legEndFromEvent({ ...end, [HEADER]: undefined }), 'by what the dialplan set');
  t.ok(
    legEndFromEvent({ ...end, variable_presence_data: undefined }),
    'by its header: the dialplan did not get that far',
  );
  t.equal(legEndFromEvent({ ...end, 'Call-Direction': 'outbound' }), undefined, 'a callee leg');
  t.equal(legEndFromEvent({ ...end, 'Event-Name': 'CHANNEL_HANGUP' }), undefined);
  for (const bad of ['call_', CALL, `${IDS}\r\nX: y`, ` ${IDS}`, IDS.toUpperCase(), '', '{"a":1}']) {
    t.equal(callOf({ ...foreign, [HEADER]: bad }), undefined, JSON.stringify(bad));
    t.equal(legEndFromLine(lineOf({ ...end, variable_presence_data: bad })), undefined, JSON.stringify(bad));
  }
  t.equal(callOf({ ...foreign, [HEADER]: 7 }), undefined, 'no text');
  t.equal(legEndFromEvent({ ...end, variable_end_uepoch: '0' }), undefined, 'without an end');
});

t.test('whom it was connected to', async (t) => {
  const [end] = ends;
  for (const [channel, destination] of [
    ['sofia/tagswitch/leg.TOKEN-1_x@192.0.2.1:5060', 'sip:agent@127.0.0.1:5070'],
    ['sofia/tagswitch/sip:leg.TOKEN-1_x@192.0.2.1', 'sip:agent@127.0.0.1:5070'],
    ['sofia/tagswitch/leg.OTHER@192.0.2.1', undefined],
    ['sofia/tagswitch/xleg.TOKEN-1_x@192.0.2.1', undefined],
    ['', undefined],
  ] as const) {
    const leg = legEndFromEvent({ ...end, variable_bridge_channel: channel });
    if (leg === undefined) throw new Error('the end was not understood');
    t.equal(endedByNode(leg, destinationOf).destination, destination, channel);
  }
});

t.test('lines of the spool', async (t) => {
  const [end] = ends;
  const line = lineOf(end ?? {});
  const whole = legEndFromLine(line);
  t.ok(whole);
  t.strictSame(legEndFromLine(`${line}\r`), whole);
  t.strictSame(legEndFromLine(line.slice(0, 90) + line), whole, 'behind a torn line stands a whole one');
  for (const bad of [
    '',
    'x',
    line.slice(1),
    `${line},"more"`,
    line.replaceAll('"', ''),
    line.replace('call_', 'clal_'),
    `${'"x",'.repeat(5_000)}"x"`,
    '"'.repeat(4_000),
    line.replace(/"1795366068\d+"/, '"soon"'),
  ]) {
    t.equal(legEndFromLine(bad), undefined, bad.slice(0, 40));
  }
  fc.assert(
    fc.property(fc.nat(line.length - 1), (cut) => legEndFromLine(line.slice(0, cut)) === undefined),
    { numRuns: 200 },
  );
  fc.assert(fc.property(fc.string(), (text) => legEndFromLine(text) === undefined));
});

t.test('the columns are those that the media node writes', async (t) => {
  const conf = readFileSync(
    new URL('../../../freeswitch-conf/autoload_configs/cdr_csv.conf.xml', import.meta.url),
    'utf8',
  );
  const template = /<template name="tagswitch">(.*)<\/template>/.exec(conf)?.[1];
  t.equal(template, SPOOL_COLUMNS.map((column) => `"\${${column}}"`).join(','));
});
