/** What carriers and PBXs do, one scenario a behaviour: what the carrier's end does, what the callee's does, what is recorded. */
import { onRealServers } from '../system.js';
import type { Weather } from '../../support/lossy-link.js';
import {
  audio,
  callee,
  CarrierSteps,
  fax,
  heldOldStyle,
  pause,
  reply,
  request,
  response,
  type Step,
} from './steps.js';

export interface Ends {
  readonly carrier: (c: CarrierSteps) => readonly Step[];
  /** Absent: nobody is to be called. */
  readonly callee?: readonly Step[];
  /** What the record of each call says; null: there is to be none. */
  readonly record: Outcome | null;
}

interface Outcome {
  readonly result?: string;
  readonly fault?: string;
  readonly reason?: { readonly status: number };
}

export interface Scenario extends Ends {
  /** Of the behaviour. The files that sipp reads are named after it. */
  readonly name: string;
  /** What the standalone servers do instead, as their lists say; `none`: it is not tried on them. */
  readonly standalone?: Ends | 'none';
  /** A bad line at either end, or before the callee alone. */
  readonly line?: Weather;
  readonly lineAt?: 'callee';
  /** `none`: not on the real servers, for a fault of theirs that the list in the reference names. */
  readonly real?: 'none';
  /** Only where packets can be lost. */
  readonly udpOnly?: boolean;
  /** The callee may get the call or not: what he sees is not looked at. */
  readonly calleeMayMiss?: boolean;
  /** It waits so long for something, s. */
  readonly seconds?: number;
}

const answered = (fault: 'caller' | 'callee' = 'caller'): Outcome => ({ result: 'answered', fault });
const cancelled: Outcome = { result: 'cancelled', fault: 'caller', reason: { status: 487 } };

/** The CANCEL, and what comes to it. */
const gaveUp = (c: CarrierSteps): Step[] => [c.cancel(), response(200), response(487), c.ackRefusal()];
/** A callee who rings until the call is withdrawn. */
const ringsInVain = [callee.invited(), callee.rings(), ...callee.cancelled(487, 'Request Terminated')];
/** A callee who rings, answers and is hung up on. */
const plain = [callee.invited(), callee.rings(), ...callee.answers(), ...callee.hungUpOn()];
const REFER_TO = 'Refer-To: <sip:elsewhere@127.0.0.1:9>';
const optional = { optional: true } as const;
/** A request in a dialog, and what comes to it. */
const settled = (step: Step, status: number, check?: readonly [string, string]): Step[] => [
  step,
  response(100, optional),
  response(status, check === undefined ? {} : { check }),
];

/** A provisional response that is to be acknowledged with PRACK (RFC 3262): its number is kept. */
const reliable = (status: number): Step =>
  `<recv response="${String(status)}" rrs="true"><action><ereg regexp="[0-9]+" search_in="hdr" case_indep="true" header="RSeq:" check_it="true" assign_to="rseq"/></action></recv>`;

/** drachtio-server says nothing to some requests of no dialog; that it is still there is seen by what comes next. */
const unanswered = (c: CarrierSteps, method: string, ...headers: readonly string[]): Step[] => [
  c.outside(method, true, { headers, once: true }),
  pause(500),
  c.outside('OPTIONS'),
  response(200),
];

/** After a BYE of one's own: the other end's may come before the answer, which is 481 where that end was gone already. */
const crossing = [
  '<recv request="BYE" optional="true" next="1"/>',
  '<recv response="481" optional="true" next="2"/>',
  '<recv response="200" next="2"/>',
  '<label id="1"/>',
  reply(200, 'OK'),
  '<recv response="481" optional="true" next="2"/>',
  '<recv response="200"/>',
  '<label id="2"/>',
  pause(100),
];

const EARLY: Scenario[] = [
  {
    name: 'early-media-in-183',
    carrier: (c) => [...c.answered({}, response(183, { check: ['body', 'm=audio'] })), ...c.bye()],
    callee: [
      callee.invited(),
      callee.says(183, 'Session Progress', { sdp: audio() }),
      pause(200),
      ...callee.answers(),
      ...callee.hungUpOn(),
    ],
    record: answered(),
  },
  {
    name: 'several-18x',
    carrier: (c) => [...c.answered({}, response(183), response(180, optional)), ...c.bye()],
    callee: [
      callee.invited(),
      callee.rings(),
      callee.says(181, 'Call Is Being Forwarded'),
      callee.rings(),
      callee.says(183, 'Session Progress', { sdp: audio() }),
      pause(100),
      callee.says(183, 'Session Progress', { sdp: audio() }),
      callee.rings(),
      pause(100),
      ...callee.answers(),
      ...callee.hungUpOn(),
    ],
    record: answered(),
  },
  {
    name: '180-after-183',
    carrier: (c) => [...c.answered({}, response(183), response(180, optional)), ...c.bye()],
    callee: [
      callee.invited(),
      callee.says(183, 'Session Progress', { sdp: audio() }),
      pause(100),
      callee.rings(),
      pause(100),
      ...callee.answers(),
      ...callee.hungUpOn(),
    ],
    record: answered(),
  },
  {
    name: '100rel-supported-by-the-caller',
    carrier: (c) => [...c.answered({ headers: ['Supported: 100rel, timer'] }), ...c.bye()],
    callee: plain,
    record: answered(),
  },
  {
    name: '100rel-required-by-the-caller',
    carrier: (c) => [
      c.invite({ sdp: audio(), headers: ['Require: 100rel'] }),
      response(100, optional),
      reliable(180),
      ...settled(c.send('PRACK', 2, { headers: ['RAck: [$rseq] 1 INVITE'] }), 200),
      response(200),
      c.ack(),
      ...c.bye(3),
    ],
    callee: plain,
    record: answered(),
    standalone: {
      carrier: (c) => c.refused(420, { headers: ['Require: 100rel'] }, ['Unsupported:', '100rel']),
      record: { result: 'failed', reason: { status: 420 } },
    },
  },
  {
    name: 'prack-at-both-ends',
    carrier: (c) => [
      c.invite({ sdp: audio(), headers: ['Supported: 100rel'] }),
      response(100, optional),
      response(180),
      reliable(183),
      ...settled(c.send('PRACK', 2, { headers: ['RAck: [$rseq] 1 INVITE'] }), 200),
      response(200),
      c.ack(),
      ...c.bye(3),
    ],
    callee: [
      callee.invited(['Supported:', '100rel']),
      callee.says(183, 'Session Progress', { sdp: audio(), headers: ['Require: 100rel', 'RSeq: 77'] }),
      request('PRACK', { check: ['RAck:', '77'] }),
      reply(200, 'OK'),
      pause(200),
      callee.saysLater(200, 'OK', { sdp: audio() }),
      request('ACK'),
      ...callee.hungUpOn(),
    ],
    record: answered(),
    standalone: 'none',
  },
  {
    name: 'prack-of-no-call',
    carrier: (c) => unanswered(c, 'PRACK', 'RAck: 1 1 INVITE'),
    record: null,
    standalone: {
      carrier: (c) => [c.outside('PRACK', true, { headers: ['RAck: 1 1 INVITE'] }), response(481)],
      record: null,
    },
  },
];

const OFFERS: Scenario[] = [
  {
    name: 'late-offer',
    carrier: (c) => [
      c.invite(),
      response(100, optional),
      response(180),
      response(200, { check: ['body', 'm=audio [1-9]'] }),
      c.ack({ sdp: audio() }),
      pause(200),
      ...c.bye(),
    ],
    callee: plain,
    record: answered(),
    standalone: {
      carrier: (c) => [
        c.invite(),
        response(100, optional),
        response(180, optional),
        response(480),
        c.ackRefusal(),
      ],
      record: { result: 'failed' },
    },
  },
  {
    name: 'hold-and-resume-by-the-caller',
    carrier: (c) => [
      ...c.answered(),
      ...settled(c.send('INVITE', 2, { sdp: audio('0', 'sendonly') }), 200, ['body', 'recvonly']),
      c.ack({}, 2),
      pause(200),
      ...settled(c.send('INVITE', 3, { sdp: audio('0', 'sendrecv') }), 200, ['body', 'm=audio [1-9]']),
      c.ack({}, 3),
      ...c.bye(4),
    ],
    callee: plain,
    record: answered(),
  },
  {
    name: 'hold-and-resume-in-the-old-style',
    carrier: (c) => [
      ...c.answered(),
      ...settled(c.send('INVITE', 2, { sdp: heldOldStyle }), 200),
      c.ack({}, 2),
      pause(200),
      ...settled(c.send('INVITE', 3, { sdp: audio() }), 200),
      c.ack({}, 3),
      ...c.bye(4),
    ],
    callee: plain,
    record: answered(),
  },
  {
    name: 'hold-and-resume-by-the-callee',
    carrier: (c) => [...c.answered(), ...c.hungUpOn()],
    callee: [
      callee.invited(),
      callee.rings(),
      ...callee.answers(),
      pause(200),
      ...settled(callee.send('INVITE', 1, { sdp: audio('0', 'sendonly') }), 200, ['body', 'recvonly']),
      callee.send('ACK', 1),
      pause(200),
      ...settled(callee.send('INVITE', 2, { sdp: audio('0', 'sendrecv') }), 200),
      callee.send('ACK', 2),
      ...callee.bye(3),
    ],
    record: answered('callee'),
  },
  {
    name: 'glare-of-two-re-invites',
    carrier: (c) => [
      ...c.answered(),
      pause(300),
      ...settled(c.send('INVITE', 2, { sdp: audio('0', 'sendonly') }), 200),
      c.ack({}, 2),
      pause(600),
      ...c.bye(3),
    ],
    callee: [
      callee.invited(),
      callee.rings(),
      ...callee.answers(),
      pause(300),
      ...settled(callee.send('INVITE', 1, { sdp: audio('0', 'sendonly') }), 200),
      callee.send('ACK', 1),
      ...callee.hungUpOn(),
    ],
    record: answered(),
  },
  {
    name: 're-invite-without-an-offer',
    carrier: (c) => [
      ...c.answered(),
      ...settled(c.send('INVITE', 2), 200, ['body', 'm=audio']),
      c.ack({ sdp: audio() }, 2),
      ...c.bye(3),
    ],
    callee: plain,
    record: answered(),
    standalone: {
      carrier: (c) => [
        ...c.answered(),
        ...settled(c.send('INVITE', 2, {}, 'z9hG4bK-[pid]-[call_number]-no-offer'), 488),
        c.ackRefusalOf(2, 'z9hG4bK-[pid]-[call_number]-no-offer'),
        ...c.bye(3),
      ],
      callee: plain,
      record: answered(),
    },
  },
  {
    name: 'update',
    carrier: (c) => [...c.answered(), ...settled(c.send('UPDATE', 2, { sdp: audio() }), 200), ...c.bye(3)],
    callee: plain,
    record: answered(),
    standalone: {
      carrier: (c) => [...c.answered(), ...settled(c.send('UPDATE', 2), 501), ...c.bye(3)],
      callee: plain,
      record: answered(),
    },
  },
  {
    name: 'fax-offered-by-the-caller',
    carrier: (c) => [
      ...c.answered(),
      ...settled(c.send('INVITE', 2, { sdp: fax }, 'z9hG4bK-[pid]-[call_number]-fax'), 488),
      c.ackRefusalOf(2, 'z9hG4bK-[pid]-[call_number]-fax'),
      pause(200),
      ...c.bye(3),
    ],
    callee: plain,
    record: answered(),
  },
  {
    name: 'codec-refused-by-the-callee',
    carrier: (c) => c.refused(488),
    callee: [callee.invited(), ...callee.refuses(488, 'Not Acceptable Here')],
    record: { result: 'failed', reason: { status: 488 } },
  },
  {
    // FreeSWITCH negotiates late: it has called the callee before it knows that the caller's codec is none of its own.
    name: 'codec-that-nobody-has',
    carrier: (c) => c.refused(488, { sdp: audio('18') }),
    callee: plain,
    record: { result: 'failed', reason: { status: 488 } },
    standalone: {
      carrier: (c) => c.refused(488, { sdp: audio('18') }),
      record: { result: 'failed', reason: { status: 488 }, fault: 'caller' },
    },
  },
];

/** Timers of RFC 4028: the real media node keeps them, the standalone one lets them pass. */
const TIMERS: Scenario[] = [
  {
    name: 'session-timer-refreshed-by-the-caller',
    carrier: (c) => [
      c.invite({ sdp: audio(), headers: ['Supported: timer', 'Session-Expires: 1800;refresher=uac'] }),
      response(100, optional),
      response(180),
      response(200, { check: ['Session-Expires:', '1800'] }),
      c.ack(),
      ...settled(
        c.send('UPDATE', 2, { headers: ['Supported: timer', 'Session-Expires: 1800;refresher=uac'] }),
        200,
        ['Session-Expires:', '1800'],
      ),
      ...settled(
        c.send('INVITE', 3, {
          sdp: audio(),
          headers: ['Supported: timer', 'Session-Expires: 1800;refresher=uac'],
        }),
        200,
        ['Session-Expires:', '1800'],
      ),
      c.ack({}, 3),
      ...c.bye(4),
    ],
    callee: plain,
    record: answered(),
    standalone: {
      carrier: (c) => [
        ...c.answered({ headers: ['Supported: timer', 'Session-Expires: 1800;refresher=uac'] }),
        ...settled(
          c.send('INVITE', 2, {
            sdp: audio(),
            headers: ['Supported: timer', 'Session-Expires: 1800;refresher=uac'],
          }),
          200,
        ),
        c.ack({}, 2),
        ...c.bye(3),
      ],
      callee: plain,
      record: answered(),
    },
  },
  {
    name: 'session-timer-too-short',
    carrier: (c) =>
      c.refused(422, { headers: ['Supported: timer', 'Session-Expires: 30'] }, ['Min-SE:', '[0-9]']),
    record: { result: 'failed', reason: { status: 422 } },
    standalone: {
      carrier: (c) => [...c.answered({ headers: ['Supported: timer', 'Session-Expires: 30'] }), ...c.bye()],
      callee: plain,
      record: answered(),
    },
  },
  {
    name: 'session-timer-refreshed-by-the-switch',
    carrier: (c) => [
      c.invite({ sdp: audio(), headers: ['Supported: timer', 'Session-Expires: 120;refresher=uas'] }),
      response(100, optional),
      response(180),
      response(200, { check: ['Session-Expires:', '120;refresher=uas'] }),
      c.ack(),
      request('INVITE', { seconds: 90, check: ['Session-Expires:', '120'] }),
      reply(200, 'OK', {
        sdp: audio(),
        user: 'caller',
        headers: ['Require: timer', 'Session-Expires: 120;refresher=uac'],
      }),
      request('ACK'),
      ...c.bye(),
    ],
    callee: [
      callee.invited(),
      callee.rings(),
      ...callee.answers(),
      request('BYE', { seconds: 120 }),
      reply(200, 'OK'),
    ],
    record: answered(),
    standalone: 'none',
    seconds: 130,
  },
  {
    name: 'session-timer-refreshed-by-the-callee',
    carrier: (c) => [...c.answered(), ...c.hungUpOn()],
    callee: [
      callee.invited(['Supported:', 'timer']),
      callee.rings(),
      ...callee.answers({ headers: ['Require: timer', 'Session-Expires: 1800;refresher=uas'] }),
      ...settled(
        callee.send('UPDATE', 1, { headers: ['Supported: timer', 'Session-Expires: 1800;refresher=uac'] }),
        200,
      ),
      pause(300),
      ...callee.bye(2),
    ],
    record: answered('callee'),
    standalone: 'none',
  },
];

const ENDS: Scenario[] = [
  {
    name: 'cancel-before-anything-was-said',
    carrier: (c) => [
      c.invite({ sdp: audio(), once: true }),
      c.cancel(),
      response(100, optional),
      response(180, optional),
      response(200),
      response(487),
      c.ackRefusal(),
    ],
    callee: ringsInVain,
    calleeMayMiss: true,
    record: cancelled,
  },
  {
    name: 'cancel-while-it-rings',
    carrier: (c) => [
      c.invite({ sdp: audio() }),
      response(100, optional),
      response(180),
      // The switch rings at once: the callee is to have his INVITE before it is withdrawn.
      pause(400),
      ...gaveUp(c),
    ],
    callee: ringsInVain,
    record: cancelled,
  },
  {
    name: 'cancel-in-early-media',
    carrier: (c) => [
      c.invite({ sdp: audio() }),
      response(100, optional),
      response(180),
      response(183),
      ...gaveUp(c),
    ],
    callee: [
      callee.invited(),
      callee.says(183, 'Session Progress', { sdp: audio() }),
      ...callee.cancelled(487, 'Request Terminated'),
    ],
    record: cancelled,
  },
  {
    name: 'cancel-crosses-the-200-of-the-callee',
    carrier: (c) => [
      c.invite({ sdp: audio() }),
      response(100, optional),
      response(180),
      pause(400),
      ...gaveUp(c),
    ],
    callee: [
      callee.invited(),
      callee.rings(),
      ...callee.cancelled(200, 'OK', { sdp: audio() }),
      ...callee.hungUpOn(),
    ],
    record: cancelled,
  },
  {
    name: 'bye-right-after-the-ack',
    carrier: (c) => [...c.answered(), ...c.bye()],
    callee: plain,
    record: answered(),
  },
  {
    name: 'bye-of-the-callee-right-after-the-ack',
    // The callee may be gone before FreeSWITCH has told the caller that he was there: then nobody could be reached.
    carrier: (c) => [
      c.invite({ sdp: audio() }),
      response(100, optional),
      response(180),
      '<recv response="480" optional="true" next="1"/>',
      response(200),
      c.ack(),
      request('BYE', { seconds: 20 }),
      `${reply(200, 'OK').replace('<send', '<send next="2"')}`,
      '<label id="1"/>',
      c.ackRefusal(),
      '<label id="2"/>',
      pause(10),
    ],
    callee: [callee.invited(), callee.rings(), ...callee.answers(), ...callee.bye()],
    record: { fault: 'callee' },
  },
  {
    name: 'bye-twice',
    carrier: (c) => [...c.answered(), ...c.bye(), c.send('BYE', 3), response(481)],
    callee: plain,
    record: answered(),
  },
  {
    name: 'byes-cross',
    carrier: (c) => [...c.answered(), pause(300), c.send('BYE', 2, { once: true }), ...crossing],
    callee: [
      callee.invited(),
      callee.rings(),
      ...callee.answers(),
      pause(300),
      callee.send('BYE', 1, { once: true }),
      ...crossing,
    ],
    record: { result: 'answered' },
  },
  ...(['BYE', 'INFO', 'UPDATE'] as const).map((method): Scenario => ({
    name: `${method.toLowerCase()}-of-no-call`,
    carrier: (c) => [c.outside(method, true), response(481)],
    record: null,
  })),
  {
    name: 'refer-of-no-call',
    carrier: (c) => unanswered(c, 'REFER', REFER_TO),
    record: null,
    standalone: {
      carrier: (c) => [c.outside('REFER', true, { headers: [REFER_TO] }), response(481)],
      record: null,
    },
  },
  {
    name: 'cancel-of-no-call',
    carrier: (c) => [c.cancel(), response(481)],
    record: null,
  },
  {
    name: 're-invite-of-no-call',
    carrier: (c) => [c.outside('INVITE', true, { sdp: audio() }), response(100, optional), response(481)],
    record: null,
  },
];

/** Calls over a bad line at either end: every message but the last one's repetition is lost, or comes twice. */
const LINES: Scenario[] = (['loses each first copy', 'doubles everything'] as const).flatMap((line) => {
  const what = line === 'doubles everything' ? 'repeated' : 'lost';
  const ended = (name: string, ends: Ends): Scenario => ({
    ...ends,
    name: `${name}-with-every-message-${what}-once`,
    line,
    udpOnly: true,
  });
  const invited = (c: CarrierSteps): Step[] => [
    c.invite({ sdp: audio() }),
    response(100, optional),
    response(180, optional),
    response(183, optional),
  ];
  return [
    ended('call', {
      carrier: (c) => [...invited(c), response(200), c.ack(), pause(1500), ...c.bye()],
      callee: plain,
      record: answered(),
    }),
    ended('hang-up-of-the-callee', {
      carrier: (c) => [...invited(c), response(200), c.ack(), ...c.hungUpOn()],
      callee: [callee.invited(), callee.rings(), ...callee.answers(), pause(1500), ...callee.bye()],
      record: answered('callee'),
    }),
    {
      ...ended('cancel', {
        carrier: (c) => [
          c.invite({ sdp: audio() }),
          response(100, optional),
          response(180),
          // Both the INVITE and the 180 have to get through first.
          pause(2500),
          ...gaveUp(c),
        ],
        callee: ringsInVain,
        record: cancelled,
      }),
      lineAt: 'callee',
      // drachtio-server sends a CANCEL once, and never again.
      ...(what === 'lost' ? { real: 'none' as const } : {}),
    },
    {
      ...ended('refusal', {
        carrier: (c) => [...invited(c), response(486), c.ackRefusal()],
        callee: [callee.invited(), ...callee.refuses(486, 'Busy Here')],
        record: { result: 'busy', fault: 'callee', reason: { status: 486 } },
      }),
      // drachtio-server never repeats a refusal of a call that it proxied.
      ...(what === 'lost' ? { lineAt: 'callee' as const } : {}),
    },
  ];
});

const LARGE: Scenario = {
  name: 'invite-over-the-mtu',
  carrier: (c) => [
    ...c.answered({
      headers: Array.from({ length: 4 }, (_, at) => `X-Long-${String(at)}: ${'long '.repeat(180)}end`),
    }),
    ...c.bye(),
  ],
  callee: plain,
  record: answered(),
  udpOnly: true,
};

/** A REFER in a call gets `status`, and the call goes on. */
const callersTransfer = (status: number): Ends => ({
  carrier: (c) => [
    ...c.answered(),
    ...settled(c.send('REFER', 2, { headers: [REFER_TO] }), status),
    ...c.bye(3),
  ],
  callee: plain,
  record: answered(),
});
const calleesTransfer = (status: number): Ends => ({
  carrier: (c) => [...c.answered(), ...c.hungUpOn()],
  callee: [
    callee.invited(),
    callee.rings(),
    ...callee.answers(),
    pause(300),
    ...settled(callee.send('REFER', 1, { headers: [REFER_TO] }), status),
    ...callee.bye(2),
  ],
  record: answered('callee'),
});

const OTHERS: Scenario[] = [
  {
    name: 'redirection-is-not-followed',
    carrier: (c) => c.refused(480, {}, ['Reason:', 'Q.850;cause=38']),
    callee: [
      callee.invited(),
      ...callee.refuses(302, 'Moved Temporarily', { headers: ['Contact: <sip:elsewhere@127.0.0.1:9>'] }),
    ],
    record: { result: 'failed' },
  },
  { name: 'transfer-by-the-caller-is-refused', ...callersTransfer(405), standalone: callersTransfer(603) },
  { name: 'transfer-by-the-callee-is-refused', ...calleesTransfer(405), standalone: calleesTransfer(603) },
  {
    name: 'options',
    carrier: (c) => [c.outside('OPTIONS'), response(200, { check: ['Allow:', 'INVITE'] })],
    record: null,
  },
  {
    name: 'options-in-a-call',
    carrier: (c) => [...c.answered(), ...settled(c.send('OPTIONS', 2), 200), ...c.bye(3)],
    callee: plain,
    record: answered(),
  },
  ...(['MESSAGE', 'SUBSCRIBE', 'REGISTER', 'PUBLISH'] as const).map((method): Scenario => ({
    name: `${method.toLowerCase()}-is-not-served`,
    carrier: (c) => [
      c.outside(method, false, { headers: ['Event: presence'] }),
      response(405, { check: ['Allow:', 'INVITE'] }),
    ],
    record: null,
  })),
  {
    name: 'refer-is-not-served',
    carrier: (c) => unanswered(c, 'REFER', REFER_TO),
    record: null,
    standalone: {
      carrier: (c) => [
        c.outside('REFER', false, { headers: [REFER_TO] }),
        response(405, { check: ['Allow:', 'INVITE'] }),
      ],
      record: null,
    },
  },
  {
    name: 'max-forwards-used-up',
    carrier: (c) => c.refused(483, { maxForwards: 0 }),
    record: null,
  },
  {
    name: 'max-forwards-of-a-few',
    carrier: (c) => [
      c.invite({ sdp: audio(), maxForwards: 9 }),
      response(100, optional),
      response(180),
      response(200),
      c.ack(),
      ...c.bye(),
    ],
    callee: [
      callee.invited(['Max-Forwards:', '^ *[0-8]$']),
      callee.rings(),
      ...callee.answers(),
      ...callee.hungUpOn(),
    ],
    record: answered(),
  },
];

/** For a switch whose orders reach drachtio-server late: the CANCEL comes when the order is on its way. */
export const CROSSING: Scenario = {
  name: 'cancel-that-crosses-our-order',
  carrier: (c) => [
    c.invite({ sdp: audio(), once: true }),
    response(100),
    pause(40),
    c.cancel(),
    response(200),
    response(487),
    c.ackRefusal(),
  ],
  callee: ringsInVain,
  record: cancelled,
};

export const SCENARIOS: readonly Scenario[] = [
  ...EARLY,
  ...OFFERS,
  ...TIMERS,
  ...ENDS,
  ...LINES,
  LARGE,
  ...OTHERS,
];

/** What is run of a scenario on these servers. */
export function endsOf(scenario: Scenario): Ends | undefined {
  if (onRealServers) return scenario.real === 'none' ? undefined : scenario;
  if (scenario.standalone === undefined) return scenario;
  return scenario.standalone === 'none' ? undefined : scenario.standalone;
}
