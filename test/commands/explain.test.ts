import t from 'tap';
import { TURNED_AWAY } from '../../src/calls/termination.js';
import { Seq } from '../../src/calls/events.js';
import { explainCommand } from '../../src/commands/explain.js';
import { explanation } from '../../src/commands/explanation.js';
import type { CallView } from '../../src/http/call-view.js';
import { FakeSwitch, keepLines, view } from './fake-switch.js';

const T0 = Date.parse('2026-03-01T09:00:00.250Z');
const planned = {
  kind: 'planned',
  media: 'bridged',
  mediaNode: 'node-1',
  destinations: ['sip:agent@127.0.0.1:5070', '+441632960100'],
};

t.test('a call that went well, sentence by sentence', async (t) => {
  const touch = {
    source: 'google',
    medium: 'cpc',
    campaign: 'spring',
    landingPage: 'https://www.example.com/\u001b[2J',
    clickIds: { gclid: 'x' },
  };
  t.same(
    explanation(view(T0, { touch }), [
      { kind: 'received' },
      planned,
      { kind: 'ended', seq: Seq.endedByNode },
    ]),
    [
      'This test call came at 2026-03-01 09:00:00.250 UTC over trunk trk_1, from +1 202 555 0190 to +1 202 555 0100.',
      'It was the visit of visitor v-1 in session s-1 on site site_1, by link lnk_1.',
      'The visitor came by source google, medium cpc, campaign spring, landing page https://www.example.com/?[2J, click ids gclid.',
      'How sure that is: certain to the session: the number was shown to this one session alone.',
      'It went to endpoint end_1, because the number was linked to that endpoint.',
      'The plan was to ring sip:agent@127.0.0.1:5070, +441632960100 through media node node-1.',
      'The caller heard ringing 20 ms after the start.',
      'sip:agent@127.0.0.1:5070 answered 720 ms after the start.',
      'They talked for 3.0 s.',
      'The caller hung up at 2026-03-01 09:00:03.970 UTC.',
      'In SIP, the caller was told 200, Q.850 cause 16: normal call clearing (NORMAL_CLEARING).',
      'Nothing about it is odd.',
    ],
  );
});

t.test('the arithmetic of who called', async (t) => {
  const decided = {
    kind: 'attributed',
    candidates: [
      {
        link: 'lnk_1',
        session: 's-1',
        probability: 0.9,
        because: [
          { what: 'delay', factor: 0.001 },
          { what: 'left', factor: 1 },
          { what: 'tapped', factor: 12 },
        ],
      },
      { link: 'lnk_2', bucket: 'b-2', probability: 0.0951, because: [{ what: 'shared', factor: 2.5e-7 }] },
      { link: 'lnk_3', probability: 0, because: [{ what: 'later\u001b', factor: 2 }] },
    ],
  };
  const lines = explanation(view(T0, { probability: 0.9, redial: true }), [decided, planned]);
  t.same(lines.slice(4, 10), [
    "Who may have called, in calls a minute of each (3 in the number's log):",
    '  90.0 % s-1: 0.001 for the time since the page was opened, x 1 as the page had been left, x 12 because the number was tapped = 0.012 <- credited',
    '  9.5 % bucket b-2: 2.50e-7 for the time since one of its visitors was seen = 2.50e-7',
    '  0.0 % lnk_3: 2 later? = 2',
    '  0.5 % somebody else: saved or printed numbers, and visits that the log has forgotten.',
    'This caller had called the number before: a redial goes where it went then.',
  ]);
  t.match(lines[3], /It is 90\.0 % likely/);
  const broken = { kind: 'attributed', candidates: [null, { link: 'x' }, 7] };
  t.match(explanation(view(T0), [broken]).join('\n'), /0 in the number's log.*100\.0 % somebody else/s);
});

t.test('every way a call can go', async (t) => {
  const says = (more: Partial<CallView>, expected: RegExp, events: readonly object[] = []): void => {
    const text = explanation(view(T0, more), events as Record<string, unknown>[]).join('\n');
    t.match(text, expected);
    t.notMatch(text, /undefined|null|\[object/);
  };
  const nobody = { link: null, session: null, visitor: null, site: null, level: 'none' } as const;
  says({ ...nobody, why: 'poolDefault' }, /no visit.*\n.*not known.*\n.*default of its pool/s);
  says({ late: true, why: 'lastHolder' }, /last one that held the number.*Odd: the link had ended/s);
  says({ ...nobody, why: 'storeDown' }, /Redis did not answer.*Odd: Redis was away/s);
  says({ ...nobody, why: 'unknownNumber', endpoint: null }, /to no endpoint, because nobody has this number/);
  says({ ...nobody, why: 'storeDown', endpoint: null }, /to no endpoint, because Redis did not answer/);
  says({ why: 'redial' }, /had reached that endpoint before/);
  says({ ...nobody, why: 'ambiguous', ambiguous: true }, /credited to no visit: two had the number at once/);
  says(
    { ...nobody, link: 'lnk_1', level: 'bucket', parameters: { publisher: 'news', placement: 'top' } },
    /credited to publisher news, placement top, by link lnk_1/,
  );
  says({ ...nobody, link: 'lnk_1', level: 'bucket', bucket: 'b1' }, /of the bucket b1, by link lnk_1/);
  says({ why: 'laterKind' }, /because of laterKind/);
  says({ caller: null, test: false }, /^The call came .* from an anonymous caller/);
  says({ number: '', trunk: '' }, /to an unknown number/);
  says({ visitor: null }, /a visitor without an id in session s-1/);
  says({ level: 'bucket' }, /a class of sessions/);
  says({ level: 'overflow' }, /a guess/);
  says({ level: 'token' }, /a token of the visit/);
  says({ touch: 'raw' }, /told of it: raw/);
  says({ touch: {} }, /told nothing/);
  says(
    { media: 'direct', mediaNode: null },
    /straight, without a media node.*Odd: no media node carried it/s,
    [{ ...planned, media: 'direct' }],
  );
  says({}, /attempt 2/, [planned, { ...planned, mediaNode: 'node-2' }]);
  says({}, /No plan was made/);
  says({}, /the sweep closed the record/, [{ kind: 'ended', seq: Seq.endedBySweep }]);
  says({ fault: 'callee' }, /The callee hung up at/);
  says(
    { fault: 'carrier', reason: { status: 200, q850: 102, text: 'RECOVERY_ON_TIMER_EXPIRE' } },
    /cut off .* the carrier or the network\..*a timer ran out/s,
  );
  says({ talkMs: 125_000 }, /2 min 5 s/);
  const failed = { answeredAt: null, talkMs: null, destination: null } as const;
  const of = (result: CallView['result'], status: number, q850: number, fault: CallView['fault']) =>
    ({ ...failed, result, fault, reason: { status, q850, text: 'X' } }) as const;
  says(
    of('busy', 486, 17, 'callee'),
    /Nobody answered\.\n.*was busy, at .* lies with the callee\.\n.*told 486, Q\.850 cause 17: busy/,
  );
  says(of('noAnswer', 480, 19, 'callee'), /because nobody answered, at/);
  says(of('cancelled', 487, 16, 'caller'), /The caller gave up, at .* lies with the caller/);
  says(of('rejected', 603, 21, 'callee'), /declined, .*told 603/s);
  const turnedAway = (reason: CallView['reason'], result: CallView['result']) =>
    ({ ...failed, result, fault: 'callee', reason }) as const;
  says(turnedAway(TURNED_AWAY.closed.reason, 'rejected'), /turned away because the endpoint was closed, at/);
  says(
    turnedAway(TURNED_AWAY.full.reason, 'busy'),
    /turned away because there were as many calls as there may be, at/,
  );
  says(
    turnedAway(TURNED_AWAY.trunkFull.reason, 'failed'),
    /because its trunk had brought as many calls as it may, at/,
  );
  says(
    { fault: 'ours', reason: { status: 200, q850: 31, text: 'ALLOTTED_TIMEOUT' } },
    /It was ended at .*: it had lasted as long as its endpoint allows\./,
  );
  says(
    {
      route: [
        { endpoint: 'end_1', because: 'number' },
        { endpoint: 'end_2', because: 'area' },
        { endpoint: 'end_3', because: 'full' },
      ],
    },
    /passed on to endpoint end_2, by a rule, for the area.*\n.*to endpoint end_3, as overflow, because the one before had as many/,
  );
  says(of('failed', 503, 41, 'ours'), /It failed, .*the switch itself/);
  says(
    of('failed', 0, 99, null),
    /nobody that we know of.*what the caller was told is not known, Q\.850 cause 99: cause 99/s,
  );
  says(
    { ...failed, result: null, reason: null, endedAt: null, ringingAt: null },
    /no ringing.*has not ended yet/s,
  );
});

t.test('the command: texts, exit codes, bad arguments', async (t) => {
  const api = await FakeSwitch.start();
  t.teardown(() => api.close());
  const run = async (...argv: string[]) => {
    const { lines, ...io } = keepLines();
    return { code: await explainCommand(argv, { ...io, http: api.http }), ...lines };
  };
  api.answer = (path) =>
    path.endsWith('/events') ? { status: 200, body: { items: [planned] } } : { status: 200, body: view(T0) };
  const good = await run('call_0000000000000001', '--key', 'my-key');
  t.equal(good.code, 0);
  t.equal(good.out[0], 'call_0000000000000001');
  t.ok(good.out.some((line) => line.startsWith('The plan was to ring')));
  t.same(api.asked, [
    { path: '/v1/calls/call_0000000000000001', authorization: 'Bearer my-key' },
    { path: '/v1/calls/call_0000000000000001/events', authorization: 'Bearer my-key' },
  ]);

  api.answer = () => ({ status: 404, body: { code: 'callNotFound' } });
  t.same(await run('call_2'), {
    code: 1,
    out: [],
    err: ['tagswitch explain: the account of this key has no call call_2'],
  });
  api.answer = () => ({ status: 401, body: { code: 'keyUnknown' } });
  t.match(await run('call_2'), { code: 1, err: [/not accepted/] });

  const asked = api.asked.length;
  t.match(await run(), { code: 2, out: [], err: [/CALL: expected, but there is none/] });
  t.match(await run('../v1/links'), { code: 2, err: [/CALL: expected the id of a call, call_/] });
  t.match(await run('call_1', '--key', 'a b'), { code: 2, err: [/--key: expected/] });
  t.match(await run('call_1', '--keys', 'a'), { code: 2, err: [/did you mean --key\?/, /"a"/] });
  t.equal(api.asked.length, asked);
});
