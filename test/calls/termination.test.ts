import { readFileSync } from 'node:fs';
import t from 'tap';
import { causeOf, HANGUP_CAUSES } from '../../src/calls/hangup-causes.js';
import type { EndKind } from '../../src/calls/hangup-causes.js';
import {
  CALLER_RESPONSES,
  DIALOG_REASONS,
  endByDialog,
  endByNode,
  endByStatus,
} from '../../src/calls/termination.js';

const EXPECTED: Readonly<Record<EndKind, readonly [string, string, number]>> = {
  cleared: ['failed', 'callee', 480],
  busy: ['busy', 'callee', 486],
  silent: ['noAnswer', 'callee', 480],
  declined: ['rejected', 'callee', 603],
  gaveUp: ['cancelled', 'caller', 487],
  number: ['failed', 'callee', 480],
  media: ['failed', 'callee', 488],
  network: ['failed', 'carrier', 480],
  ours: ['failed', 'ours', 503],
  unknown: ['failed', 'unknown', 480],
};

t.test('every cause of FreeSWITCH', async (t) => {
  const names = Object.keys(HANGUP_CAUSES);
  t.equal(names.length, 82);
  for (const name of [...names, 'A_CAUSE_OF_TOMORROW', 'constructor']) {
    const [kind, q850] = causeOf(name);
    t.ok(Number.isInteger(q850) && q850 >= 0 && q850 <= 127, `${name} has a number of Q.850`);
    const [result, fault, status] = EXPECTED[kind];
    if (name === 'SUCCESS' || name === 'ORIGINATOR_CANCEL') {
      t.match(
        endByNode({ answered: false, cause: 'USER_BUSY', attempt: name }),
        { result: 'busy' },
        `${name} of the attempt says nothing`,
      );
    } else {
      t.strictSame(
        endByNode({ answered: false, cause: 'NORMAL_CLEARING', attempt: name }),
        { result, fault, reason: { status, q850, text: name } },
        `${name}, unanswered`,
      );
    }
    const up = endByNode({ answered: true, cause: name, disposition: 'recv_bye' });
    const whose =
      kind === 'network' || kind === 'media'
        ? 'carrier'
        : kind === 'ours' || name === 'ALLOTTED_TIMEOUT'
          ? 'ours'
          : 'caller';
    t.match(
      up,
      { result: 'answered', fault: whose, reason: { status: 200, q850, text: name } },
      `${name}, answered`,
    );
  }
  t.strictSame(causeOf('A_CAUSE_OF_TOMORROW'), ['unknown', 31]);
});

t.test('which of the words of FreeSWITCH counts', async (t) => {
  const told = { answered: false, cause: 'NO_USER_RESPONSE' };
  t.match(
    endByNode({ ...told, attempt: 'NORMAL_TEMPORARY_FAILURE' }),
    { result: 'failed', fault: 'carrier' },
    'the attempt, not the mirror of our 480',
  );
  t.match(endByNode({ ...told, attempt: 'NO_ANSWER' }), { result: 'noAnswer', reason: { q850: 19 } });
  t.match(
    endByNode({ ...told, attempt: 'NO_ANSWER', status: 404 }),
    { reason: { status: 404 } },
    'the status that the caller got, when it is told',
  );
  t.match(endByNode({ ...told, attempt: 'NO_ANSWER', disposition: 'recv_cancel' }), {
    result: 'cancelled',
    reason: { status: 487 },
  });
  t.match(endByNode({ answered: false, cause: 'ORIGINATOR_CANCEL', attempt: 'SUCCESS' }), {
    result: 'cancelled',
    fault: 'caller',
  });
  t.match(
    endByNode({ answered: false, cause: 'NO_ANSWER', attempt: 'ORIGINATOR_CANCEL' }),
    { result: 'noAnswer', reason: { status: 480, q850: 19 } },
    'it rang for too long in all, and was ended from outside',
  );
  t.match(
    endByNode({ answered: false, cause: 'SYSTEM_SHUTDOWN', attempt: 'ORIGINATOR_CANCEL' }),
    { result: 'failed', fault: 'ours' },
    'the media node stopped',
  );
  t.match(
    endByNode({ answered: false, cause: 'NORMAL_CLEARING', attempt: 'SUCCESS', bridged: 'sip:486' }),
    { result: 'busy' },
    'refused after early media',
  );
  t.match(endByNode({ answered: false, cause: 'NETWORK_OUT_OF_ORDER', attempt: 'failure' }), {
    result: 'failed',
    fault: 'carrier',
  });
  t.match(
    endByNode({ answered: false, cause: 'CALL_REJECTED', status: 403 }),
    { result: 'failed', fault: 'ours', reason: { status: 403 } },
    'the dialplan refused the plan',
  );
  t.strictSame(
    endByNode({ answered: false, cause: 'UNALLOCATED_NUMBER' }),
    endByStatus(404, 'us'),
    'refused after an announcement, as without one',
  );
  t.match(endByNode({ answered: false, cause: 'SYSTEM_SHUTDOWN', attempt: '' }), {
    fault: 'ours',
    reason: { text: 'SYSTEM_SHUTDOWN', status: 503 },
  });
  t.match(endByNode({ answered: true, cause: 'NORMAL_CLEARING', disposition: 'send_bye' }), {
    fault: 'callee',
  });
  t.match(endByNode({ answered: true, cause: 'NORMAL_CLEARING' }), { fault: 'unknown' });
});

t.test('the dialplan tells the caller the same', async (t) => {
  const dialplan = readFileSync(
    new URL('../../../freeswitch-conf/dialplan/tagswitch.xml', import.meta.url),
    'utf8',
  );
  const ends = dialplan.slice(dialplan.indexOf('<context name="tagswitch_end">'));
  const rules = [...ends.matchAll(/expression="([^"]+)">([\s\S]*?)<\/condition>/g)].map(
    ([, expression = '', actions = '']) => ({
      expression: new RegExp(expression),
      status: Number(/application="respond" data="(\d+)/.exec(actions)?.[1] ?? 487),
    }),
  );
  t.ok(rules.length >= 6, 'the rules were found');
  const statusOf = (cause: string) => rules.find(({ expression }) => expression.test(cause))?.status;
  for (const kind of ['busy', 'silent', 'declined', 'gaveUp', 'network', 'number'] as const) {
    const [first] = Object.entries(HANGUP_CAUSES).filter(([, [of]]) => of === kind);
    t.equal(CALLER_RESPONSES[kind].status, EXPECTED[kind][2]);
    if (first !== undefined && kind !== 'number') t.ok(statusOf(first[0]), `${kind} has a rule`);
  }
  for (const cause of [
    'USER_BUSY',
    'CALL_REJECTED',
    'NO_ANSWER',
    'NO_USER_RESPONSE',
    'ALLOTTED_TIMEOUT',
    'PROGRESS_TIMEOUT',
    'INCOMPATIBLE_DESTINATION',
    'ORIGINATOR_CANCEL',
    'NORMAL_TEMPORARY_FAILURE',
    'NETWORK_OUT_OF_ORDER',
    'UNALLOCATED_NUMBER',
    'GATEWAY_DOWN',
    'RECOVERY_ON_TIMER_EXPIRE',
    'NO_ROUTE_DESTINATION',
    'NUMBER_CHANGED',
    'MEDIA_TIMEOUT',
  ]) {
    t.equal(statusOf(cause), CALLER_RESPONSES[causeOf(cause)[0]].status, cause);
  }
});

t.test('every final status', async (t) => {
  const known: Readonly<Record<number, readonly [string, string]>> = {
    403: ['rejected', 'callee'],
    404: ['failed', 'callee'],
    408: ['noAnswer', 'callee'],
    410: ['failed', 'callee'],
    415: ['failed', 'callee'],
    480: ['noAnswer', 'callee'],
    484: ['failed', 'callee'],
    485: ['failed', 'callee'],
    486: ['busy', 'callee'],
    487: ['cancelled', 'caller'],
    488: ['failed', 'callee'],
    600: ['busy', 'callee'],
    604: ['failed', 'callee'],
    606: ['failed', 'callee'],
  };
  for (let status = 300; status <= 699; status += 1) {
    const byClass =
      status < 400 ? ['failed', 'callee'] : status >= 600 ? ['rejected', 'callee'] : ['failed', 'carrier'];
    const [result, fault] = known[status] ?? byClass;
    const far = endByStatus(status, 'far');
    t.match(far, { result, fault, reason: { status } }, `${status} from the far side`);
    t.ok(far.reason.text !== '' && far.reason.q850 > 0 && far.reason.q850 <= 127);
    const us = endByStatus(status, 'us');
    t.equal(us.fault, status === 487 ? 'caller' : 'ours', `${status} from us`);
    t.not(us.result, 'noAnswer', 'what we refuse was not left unanswered');
  }
  for (const status of [0, 100, 200, 299, 700, 1.5, NaN])
    t.throws(() => endByStatus(status, 'far'), RangeError, String(status));
});

t.test('every reason of a dialog', async (t) => {
  const rows: Readonly<Record<(typeof DIALOG_REASONS)[number], readonly [string, string, string]>> = {
    // unanswered result, unanswered fault, answered fault
    'call-rejected': ['busy', 'callee', 'unknown'],
    'call-canceled': ['cancelled', 'caller', 'unknown'],
    'normal-release': ['failed', 'unknown', 'unknown'],
    'session-expired': ['failed', 'carrier', 'carrier'],
    'system-initiated-termination': ['failed', 'ours', 'ours'],
    'system-error-initiated-termination': ['failed', 'ours', 'ours'],
  };
  for (const reason of DIALOG_REASONS) {
    const [result, fault, answeredFault] = rows[reason];
    t.match(endByDialog(reason, false, 486), { result, fault }, reason);
    t.match(
      endByDialog(reason, true, 200),
      { result: 'answered', fault: answeredFault, reason: { status: 200 } },
      `${reason}, answered`,
    );
  }
  t.match(
    endByDialog('call-rejected', false),
    { result: 'noAnswer', reason: { status: 480 } },
    'no status beside it',
  );
  t.match(endByDialog('of-tomorrow', false), {
    result: 'failed',
    fault: 'unknown',
    reason: { text: 'of-tomorrow' },
  });
});
