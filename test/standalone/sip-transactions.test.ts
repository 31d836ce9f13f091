import t from 'tap';
import { ClientTransaction, type FailureCause } from '../../src/standalone/sip/client-transaction.js';
import { SipRequest, SipResponse } from '../../src/standalone/sip/message.js';
import { repeatAnswer } from '../../src/standalone/sip/repeat-answer.js';
import { ServerTransaction } from '../../src/standalone/sip/server-transaction.js';
import { standardTimers } from '../../src/standalone/sip/timers.js';
import {
  inviteClient,
  inviteServer,
  otherClient,
  otherServer,
  type TransactionState,
} from '../../src/standalone/sip/transaction-tables.js';
import { ManualClock } from './support/manual-clock.js';

const make = (method: string): SipRequest =>
  SipRequest.create(method, 'sip:b@192.0.2.2', {
    headers: [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport'],
      ['Route', '<sip:192.0.2.9;lr>'],
      ['From', '<sip:a@192.0.2.1>;tag=f'],
      ['To', '<sip:b@192.0.2.2>'],
      ['Call-ID', 'c'],
      ['CSeq', `7 ${method}`],
    ],
  });

const flow = { proto: 'udp', host: '192.0.2.2', port: 5060 } as const;

/** A client transaction with a network that writes down when what was sent. */
function client(method: string, reliable = false) {
  const clock = new ManualClock();
  const sent: [at: number, what: string][] = [];
  const messages: SipRequest[] = [];
  const seen: number[] = [];
  const failures: FailureCause[] = [];
  let ended = 0;
  let refuse = false;
  const tx = new ClientTransaction(
    make(method),
    flow,
    {
      clock,
      timers: standardTimers,
      reliable,
      send: (message) => {
        if (refuse) return Promise.reject(new Error('network down'));
        sent.push([clock.now(), message.method]);
        messages.push(message);
        return Promise.resolve();
      },
      cancel: (cancel) => {
        sent.push([clock.now(), cancel.method]);
        messages.push(cancel);
      },
    },
    {
      onResponse: (response) => seen.push(response.status),
      onFailure: (cause) => failures.push(cause),
      onEnd: () => ended++,
    },
    () => undefined,
  );
  return {
    clock,
    sent,
    messages,
    seen,
    failures,
    tx,
    ended: () => ended,
    breakNetwork: () => (refuse = true),
    hear: (status: number) => tx.receive(SipResponse.to(make(method), status, { toTag: 'r' }), flow),
  };
}

function server(method: string, reliable = false) {
  const clock = new ManualClock();
  const sent: [at: number, status: number][] = [];
  const failures: FailureCause[] = [];
  let ended = 0;
  let refuse = false;
  const tx = new ServerTransaction(
    make(method),
    flow,
    {
      clock,
      timers: standardTimers,
      reliable,
      sendResponse: (response) => {
        if (refuse) return Promise.reject(new Error('network down'));
        sent.push([clock.now(), response.status]);
        return Promise.resolve();
      },
    },
    () => undefined,
  );
  tx.handlers = { onFailure: (cause) => failures.push(cause), onEnd: () => ended++ };
  return { clock, sent, failures, tx, ended: () => ended, breakNetwork: () => (refuse = true) };
}

t.test('INVITE client: timers A and B over UDP', async (t) => {
  const c = client('INVITE');
  c.tx.begin();
  c.clock.pass(31_999);
  t.same(
    c.sent.map(([at]) => at),
    [0, 500, 1500, 3500, 7500, 15_500, 31_500],
    'A doubles without bound',
  );
  t.equal(c.tx.state, 'calling');
  c.clock.pass(1);
  t.same(c.failures, ['timeout'], 'B is 64*T1');
  t.equal(c.tx.state, 'terminated');
  t.equal(c.ended(), 1);
  t.equal(c.clock.running, 0);
});

t.test('INVITE client over TCP: no A, B stays, D is zero', async (t) => {
  const c = client('INVITE', true);
  c.tx.begin();
  c.clock.pass(32_000);
  t.equal(c.sent.length, 1);
  t.same(c.failures, ['timeout']);
  const d = client('INVITE', true);
  d.tx.begin();
  d.hear(486);
  t.same(
    d.sent.map(([, what]) => what),
    ['INVITE', 'ACK'],
  );
  d.clock.pass(0);
  t.equal(d.tx.state, 'terminated');
});

t.test(
  'INVITE client: proceeding has no timer; a failure is acknowledged, D absorbs its repetitions',
  async (t) => {
    const c = client('INVITE');
    c.tx.begin();
    c.hear(100);
    c.hear(180);
    t.equal(c.clock.running, 0);
    c.clock.pass(600_000);
    t.equal(c.sent.length, 1);
    c.hear(486);
    c.clock.pass(1000);
    c.hear(486);
    t.same(c.seen, [100, 180, 486], 'the user hears of it once');
    t.same(c.sent.slice(1), [
      [600_000, 'ACK'],
      [601_000, 'ACK'],
    ]);
    const ack = c.messages.at(-1);
    t.equal(ack?.topVia.branch, 'z9hG4bKx', 'the branch of the INVITE');
    t.equal(ack?.toTag, 'r');
    t.same(ack?.cseq, { number: 7, method: 'ACK' });
    t.equal(ack?.get('Route'), '<sip:192.0.2.9;lr>');
    c.clock.pass(30_999);
    t.equal(c.tx.state, 'completed');
    c.clock.pass(1);
    t.equal(c.tx.state, 'terminated', 'D is 32 s');
    t.same(c.failures, []);
  },
);

t.test('INVITE client: Accepted hands every 2xx over until M (RFC 6026)', async (t) => {
  const c = client('INVITE');
  c.tx.begin();
  c.hear(200);
  c.clock.pass(500);
  c.hear(200);
  c.hear(180);
  c.hear(486);
  t.same(c.seen, [200, 200], 'neither late provisionals nor late failures');
  t.same(c.sent.length, 1, 'the ACK is the user’s');
  c.clock.pass(31_500);
  t.equal(c.tx.state, 'terminated', 'M is 64*T1');
  c.hear(200);
  t.equal(c.seen.length, 2);
});

t.test('CANCEL waits for the first provisional, and does not wait for ever', async (t) => {
  const c = client('INVITE');
  c.tx.begin();
  c.tx.cancel([['Reason', 'SIP;cause=200']]);
  t.same(
    c.sent.map(([, what]) => what),
    ['INVITE'],
  );
  c.hear(180);
  c.tx.cancel();
  t.same(
    c.sent.map(([, what]) => what),
    ['INVITE', 'CANCEL'],
    'once',
  );
  const cancel = c.messages.at(-1);
  t.equal(cancel?.topVia.toString(), 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport');
  t.equal(cancel?.get('Reason'), 'SIP;cause=200');
  t.equal(cancel?.toTag, undefined);
  t.equal(cancel?.get('Route'), '<sip:192.0.2.9;lr>');
  c.clock.pass(32_000);
  t.same(c.failures, ['timeout'], 'a peer that ignores it');
  t.equal(c.tx.state, 'terminated');
  const d = client('INVITE');
  d.tx.begin();
  d.hear(180);
  d.tx.cancel();
  d.hear(487);
  d.clock.pass(64_000);
  t.same(d.seen, [180, 487]);
  t.same(d.failures, []);
  const e = client('INVITE');
  e.tx.begin();
  e.hear(200);
  e.tx.cancel();
  t.same(
    e.sent.map(([, what]) => what),
    ['INVITE'],
    'never after a final response',
  );
});

t.test('other client: timers E, F and K', async (t) => {
  const c = client('OPTIONS');
  c.tx.begin();
  c.clock.pass(32_000);
  t.same(
    c.sent.map(([at]) => at),
    [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
    'E doubles up to T2',
  );
  t.same(c.failures, ['timeout'], 'F is 64*T1');
  const d = client('OPTIONS');
  d.tx.begin();
  d.clock.pass(400);
  d.hear(100);
  d.clock.pass(100 + 4000 + 4000);
  t.same(
    d.sent.map(([at]) => at),
    [0, 500, 4500, 8500],
    'in Proceeding E waits T2',
  );
  d.hear(200);
  d.hear(200);
  t.same(d.seen, [100, 200]);
  d.clock.pass(4999);
  t.equal(d.tx.state, 'completed');
  d.clock.pass(1);
  t.equal(d.tx.state, 'terminated', 'K is T4');
  const f = client('OPTIONS');
  f.tx.begin();
  f.hear(100);
  f.clock.pass(32_000);
  t.same(f.failures, ['timeout'], 'F runs on in Proceeding');
  const g = client('OPTIONS', true);
  g.tx.begin();
  g.clock.pass(31_000);
  t.equal(g.sent.length, 1, 'no E over TCP');
  g.hear(404);
  g.clock.pass(0);
  t.equal(g.tx.state, 'terminated', 'no K over TCP');
});

t.test('a client whose network is down tells so once', async (t) => {
  for (const method of ['INVITE', 'OPTIONS']) {
    const c = client(method);
    c.breakNetwork();
    c.tx.begin();
    await new Promise((done) => setImmediate(done));
    t.same(c.failures, ['transport']);
    t.equal(c.tx.state, 'terminated');
    t.equal(c.clock.running, 0);
  }
  const c = client('INVITE');
  c.tx.begin();
  c.breakNetwork();
  c.hear(486);
  await new Promise((done) => setImmediate(done));
  t.same(c.seen, [486]);
  t.same(c.failures, [], 'the ACK could not be sent, but the answer is known');
  t.equal(c.tx.state, 'terminated');
});

t.test('INVITE server: G repeats a failure until the ACK, H gives up, I absorbs', async (t) => {
  const s = server('INVITE');
  t.ok(s.tx.reply(100));
  t.ok(s.tx.reply(180));
  s.tx.receive('request');
  t.same(
    s.sent.map(([, status]) => status),
    [100, 180, 180],
    'a repeated request gets the last provisional',
  );
  t.ok(s.tx.reply(486));
  t.notOk(s.tx.reply(200), 'one final response');
  s.clock.pass(32_000);
  t.same(
    s.sent.slice(3).map(([at]) => at),
    [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
    'G doubles up to T2',
  );
  t.same(s.failures, ['timeout'], 'H is 64*T1');
  t.equal(s.ended(), 1);

  const a = server('INVITE');
  a.tx.reply(486);
  a.clock.pass(400);
  t.ok(a.tx.receive('ack'));
  t.equal(a.tx.state, 'confirmed');
  a.tx.receive('request');
  t.notOk(a.tx.receive('ack'), 'a second ACK says nothing new');
  a.clock.pass(4999);
  t.equal(a.sent.length, 1, 'silence');
  a.clock.pass(1);
  t.equal(a.tx.state, 'terminated', 'I is T4');
  t.same(a.failures, []);

  const tcp = server('INVITE', true);
  tcp.tx.reply(486);
  tcp.clock.pass(10_000);
  t.equal(tcp.sent.length, 1, 'no G over TCP');
  tcp.tx.receive('ack');
  tcp.clock.pass(0);
  t.equal(tcp.tx.state, 'terminated', 'no I over TCP');
});

t.test('INVITE server: Accepted lets the user repeat a 2xx until L (RFC 6026)', async (t) => {
  const s = server('INVITE');
  s.tx.reply(200);
  s.clock.pass(10_000);
  t.equal(s.sent.length, 1, 'the transaction itself does not repeat it');
  s.tx.receive('request');
  t.equal(s.sent.length, 1, 'nor when the INVITE comes again');
  t.ok(s.tx.reply(200));
  t.equal(s.sent.length, 2);
  s.clock.pass(22_000);
  t.equal(s.tx.state, 'terminated', 'L is 64*T1');
});

t.test('other server: J', async (t) => {
  const s = server('BYE');
  s.tx.receive('request');
  t.equal(s.sent.length, 0, 'Trying: nothing to repeat');
  s.tx.reply(200);
  s.tx.receive('request');
  t.same(
    s.sent.map(([, status]) => status),
    [200, 200],
  );
  s.clock.pass(31_999);
  t.equal(s.tx.state, 'completed');
  s.clock.pass(1);
  t.equal(s.tx.state, 'terminated', 'J is 64*T1');
  const tcp = server('BYE', true);
  tcp.tx.reply(200);
  tcp.clock.pass(0);
  t.equal(tcp.tx.state, 'terminated', 'no J over TCP');
  const broken = server('BYE');
  broken.breakNetwork();
  broken.tx.reply(200);
  await new Promise((done) => setImmediate(done));
  t.same(broken.failures, ['transport']);
});

t.test('a 2xx is repeated until its ACK', async (t) => {
  const clock = new ManualClock();
  const sent: number[] = [];
  let silent = 0;
  repeatAnswer(
    clock,
    standardTimers,
    () => sent.push(clock.now()),
    () => silent++,
  );
  clock.pass(40_000);
  t.same(sent, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  t.equal(silent, 1);
  const stop = repeatAnswer(
    clock,
    standardTimers,
    () => sent.push(clock.now()),
    () => silent++,
  );
  clock.pass(1000);
  stop();
  stop();
  clock.pass(64_000);
  t.equal(sent.length, 11);
  t.equal(silent, 1);
});

t.test('the tables lead somewhere from every state, and name only timers that may run there', async (t) => {
  for (const table of [inviteClient, otherClient, inviteServer, otherServer]) {
    const states = new Map(Object.entries(table.states));
    const reached = new Set<TransactionState>([table.start[0]]);
    for (const { on } of states.values()) for (const [next] of Object.values(on)) reached.add(next);
    t.ok(reached.has('terminated'));
    for (const state of reached) t.ok(state === 'terminated' || states.has(state), state);
    for (const [name, { timers, on }] of states) {
      for (const [event, [next, ...actions]] of Object.entries(on)) {
        for (const action of actions.filter((a) => a.startsWith('start '))) {
          const timer = action.slice(6);
          t.ok(
            table.states[next]?.timers.some((x) => x === timer),
            `${name} on ${event} starts ${timer}`,
          );
        }
      }
      for (const timer of timers) t.ok(timer in on, `${name} has a use for timer ${timer}`);
    }
  }
});

t.test('whoever asked is told when a server transaction is over, whoever has its handlers', async (t) => {
  const accepted = server('INVITE');
  const closed = server('INVITE');
  const told: string[] = [];
  for (const [name, { tx }] of Object.entries({ accepted, closed })) {
    tx.whenOver(() => told.push(name));
    tx.handlers = {};
  }
  accepted.tx.reply(200);
  accepted.clock.pass(31_999);
  t.same(told, []);
  accepted.clock.pass(1);
  t.same(told, ['accepted'], 'after timer L');
  closed.tx.close();
  closed.tx.close();
  t.same(told, ['accepted', 'closed'], 'once');
});
