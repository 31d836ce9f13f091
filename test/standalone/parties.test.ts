import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DemoAgent, type AgentOptions } from '../../src/standalone/demo-agent/agent.js';
import type { CallEnd } from '../../src/standalone/demo-agent/incoming-call.js';
import { MAIN_NOTE_HZ } from '../../src/standalone/demo-agent/tune.js';
import type { Heard } from '../../src/standalone/party/hearing.js';
import { SipEndpoint } from '../../src/standalone/sip/endpoint.js';
import { SipRequest, type HeaderPairs, type SipResponse } from '../../src/standalone/sip/message.js';
import type { ServerTransaction } from '../../src/standalone/sip/server-transaction.js';
import {
  CALLER_TONE_HZ,
  placeTestCall,
  type TestCall,
  type TestCallReport,
} from '../../src/standalone/test-caller/test-caller.js';
import { Agent } from './support/agent.js';
import { until } from '../support/until.js';

interface Ended {
  readonly end: CallEnd;
  readonly heard: Heard | undefined;
}

async function startAgent(
  options: Partial<AgentOptions> = {},
): Promise<{ agent: DemoAgent; ended: Ended[] }> {
  const ended: Ended[] = [];
  const agent = await DemoAgent.start({
    host: '127.0.0.1',
    port: 0,
    ringMs: 100,
    log: () => undefined,
    onCallEnd: (end, heard) => ended.push({ end, heard: heard?.() }),
    ...options,
  });
  return { agent, ended };
}

function dial(port: number, options: Partial<TestCall> = {}): Promise<TestCallReport> {
  return placeTestCall({
    switchAddress: { host: '127.0.0.1', port },
    number: '+12025550100',
    from: '+12025550190',
    talkMs: 500,
    ...options,
  });
}

const story = (report: TestCallReport): string[] =>
  report.ladder.map(({ way, message }) => `${way === 'out' ? '->' : '<-'} ${message}`);

const sockets = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind.startsWith('UDP')).length;

const sdp = (types = '0 8', more = ''): string =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP ${types}\r\n${more}`;
const withSdp = (text: string) => ({ body: text, contentType: 'application/sdp' });

t.test('they ring, talk and hear each other', async (t) => {
  const { agent, ended } = await startAgent();
  const before = sockets();
  const steps: string[] = [];
  const report = await dial(agent.sip.port, { onStep: ({ message }) => steps.push(message), talkMs: 1600 });
  t.equal(report.outcome, 'answered');
  t.equal(report.status, 200);
  t.equal(report.hungUpBy, 'us');
  t.same(story(report), [
    '-> INVITE',
    '<- 100 Trying',
    '<- 180 Ringing',
    '<- 200 OK',
    '-> ACK',
    '-> BYE',
    '<- 200 OK (BYE)',
  ]);
  t.same(
    steps,
    report.ladder.map(({ message }) => message),
  );
  const times = report.ladder.map(({ atMs }) => atMs);
  t.same(
    times,
    [...times].sort((a, b) => a - b),
  );
  t.ok((times[3] ?? 0) >= 100, 'it rang first');
  t.equal(report.media?.frequencyHz, MAIN_NOTE_HZ, 'the caller heard the tune');
  t.ok((report.media?.levelDb ?? -99) > -30 && (report.media?.levelDb ?? 0) < -10);
  t.ok((report.media?.packets ?? 0) > 60 && (report.media?.packets ?? 0) <= 90, 'a packet every 20 ms');
  t.ok((report.media?.sent ?? 0) > 60);
  t.equal(ended.length, 1);
  t.equal(ended[0]?.end, 'farHungUp');
  t.equal(ended[0]?.heard?.frequencyHz, CALLER_TONE_HZ, 'the agent heard the tone');
  t.equal(agent.calls, 0);
  await until(() => sockets() === before); // a closed one is gone a turn of the event loop later
  await agent.close();
  t.same(agent.sip.transactions, { client: 0, server: 0 });
  await agent.close();
});

t.test('20 calls at once, and nothing is left', async (t) => {
  const { agent, ended } = await startAgent();
  const before = sockets();
  let most = 0;
  const reports = await Promise.all(
    Array.from({ length: 20 }, () =>
      dial(agent.sip.port, { talkMs: 1000, onStep: () => (most = Math.max(most, agent.calls)) }),
    ),
  );
  t.equal(most, 20, 'they were there together');
  t.same(
    reports.filter(({ outcome, media }) => outcome !== 'answered' || media?.frequencyHz !== MAIN_NOTE_HZ),
    [],
  );
  t.equal(ended.filter(({ heard }) => heard?.frequencyHz === CALLER_TONE_HZ).length, 20);
  t.equal(agent.calls, 0);
  await until(() => sockets() === before);
  await agent.close();
});

t.test('the agent hangs up: after its longest time, and when it is stopped', async (t) => {
  const { agent, ended } = await startAgent({ longestMs: 300 });
  const report = await dial(agent.sip.port, { talkMs: 10_000 });
  t.equal(report.hungUpBy, 'far');
  t.same(story(report).slice(-2), ['<- BYE', '-> 200 OK (BYE)']);
  t.same(
    ended.map(({ end }) => end),
    ['hungUp'],
  );
  await agent.close();

  const other = await startAgent();
  const talking = dial(other.agent.sip.port, { talkMs: 10_000 });
  const ringing = dial(other.agent.sip.port, {
    onStep: ({ message }) => {
      if (message === '180 Ringing') void other.agent.close();
    },
  });
  t.equal((await ringing).status, 480);
  t.ok(['far', undefined].includes((await talking).hungUpBy));
  t.equal(other.agent.calls, 0);
});

t.test('the caller gives up: by signal, by time, at an address where nobody is', async (t) => {
  const { agent, ended } = await startAgent({ ringMs: 5000 });
  const { port } = agent.sip;
  const given = new AbortController();
  const report = await dial(port, {
    signal: given.signal,
    onStep: ({ message }) => {
      if (message === '180 Ringing') given.abort();
    },
  });
  t.equal(report.outcome, 'cancelled');
  t.equal(report.status, 487);
  t.same(story(report), [
    '-> INVITE',
    '<- 100 Trying',
    '<- 180 Ringing',
    '-> CANCEL',
    '<- 487 Request Terminated',
    '-> ACK',
  ]);
  t.equal(report.media, undefined);
  const late = await dial(port, { ringTimeoutMs: 200 });
  t.equal(late.outcome, 'noAnswer');
  t.same(
    ended.map(({ end }) => end),
    ['cancelled', 'cancelled'],
  );
  t.equal(agent.calls, 0);
  await agent.close();

  const silent = await dial(port, { ringTimeoutMs: 300 });
  t.equal(silent.outcome, 'silent');
  t.equal(silent.status, undefined);
  const aborted = await dial(port, { signal: AbortSignal.abort() });
  t.equal(aborted.outcome, 'cancelled');

  const quick = await startAgent();
  const hangUp = new AbortController();
  const short = await dial(quick.agent.sip.port, {
    talkMs: 10_000,
    signal: hangUp.signal,
    onStep: ({ message }) => {
      if (message === 'ACK') setTimeout(() => hangUp.abort(), 100);
    },
  });
  t.equal(short.outcome, 'answered');
  t.equal(short.hungUpBy, 'us');
  await quick.agent.close();
});

t.test('what the caller is told: busy, and an address that it cannot have', async (t) => {
  const busy = await Agent.listen('udp');
  busy.onInvite = (tx) => void tx.reply(486);
  const report = await dial(busy.endpoint.port, { testToken: 'abc-0123' });
  t.equal(report.outcome, 'refused');
  t.equal(report.status, 486);
  t.equal(report.reason, 'Busy Here');
  t.same(story(report), ['-> INVITE', '<- 100 Trying', '<- 486 Busy Here', '-> ACK']);
  const [invite] = busy.requests;
  t.equal(invite?.uri, `sip:+12025550100@127.0.0.1:${busy.endpoint.port};tagswitch-test=abc-0123`);
  t.equal(invite?.from.sipUri().user, '+12025550190');
  t.notMatch(invite?.get('To'), /tagswitch-test/);
  await busy.close();
  await t.rejects(dial(5060, { switchAddress: { host: 'no-such-host.invalid', port: 5060 } }), {
    code: 'noWayThere',
  });
});

/** A caller of the agent, message by message. */
class RawCaller {
  readonly sip: SipEndpoint;
  readonly requests: SipRequest[] = [];
  #sequence = 1;
  readonly #to: string;
  readonly #name: string;
  tag = '';
  contact = '';

  private constructor(sip: SipEndpoint, requests: SipRequest[], to: string, name: string) {
    this.sip = sip;
    this.requests = requests;
    this.#to = to;
    this.#name = name;
  }

  static async start(to: string, name: string): Promise<RawCaller> {
    const requests: SipRequest[] = [];
    const sip = await SipEndpoint.listen(
      { host: '127.0.0.1', port: 0 },
      {
        onRequest: (tx: ServerTransaction) => {
          requests.push(tx.request);
          tx.reply(200);
        },
      },
    );
    return new RawCaller(sip, requests, to, name);
  }

  build(method: string, sequence: number, headers: HeaderPairs, content: object): SipRequest {
    const tag = this.tag === '' ? '' : `;tag=${this.tag}`;
    return SipRequest.create(method, this.#to, {
      headers: [
        ['Max-Forwards', '70'],
        ['From', `<sip:+12025550190@127.0.0.1>;tag=${this.#name}`],
        ['To', `<${this.#to}>${tag}`],
        ['Call-ID', this.#name],
        ['CSeq', `${sequence} ${method}`],
        ...(headers.some(([name]) => name === 'Contact')
          ? []
          : [['Contact', `<${this.sip.uri('udp')}>`] as const]),
        ...headers,
      ].filter(([, value]) => value !== '') as HeaderPairs,
      ...content,
    });
  }

  /** Sends a request. @returns the first response that `wanted` likes, a final one when left out */
  ask(
    method: string,
    headers: HeaderPairs = [],
    content: object = {},
    sequence = (this.#sequence += 1),
    wanted = (response: SipResponse): boolean => response.status >= 200,
  ): Promise<SipResponse> {
    this.#sequence = Math.max(this.#sequence, sequence);
    return new Promise((resolve, reject) => {
      this.sip.request(this.build(method, sequence, headers, content), {
        onResponse: (response) => {
          if (response.toTag !== undefined && method === 'INVITE') this.tag = response.toTag;
          if (wanted(response)) resolve(response);
        },
        onFailure: (cause) => reject(new Error(cause)),
      });
    });
  }

  async ack(sequence = this.#sequence, content: object = {}): Promise<void> {
    await this.sip.sendRequest(this.build('ACK', sequence, [], content));
  }

  close(): Promise<void> {
    return this.sip.close();
  }
}

t.test('the agent by the book', async (t) => {
  const { agent, ended } = await startAgent({ ringMs: 20 });
  const to = agent.sip.uri('udp', 'agent');
  let count = 0;
  const callers: RawCaller[] = [];
  const caller = async (): Promise<RawCaller> => {
    const made = await RawCaller.start(to, `raw-${(count += 1)}`);
    callers.push(made);
    return made;
  };
  t.teardown(async () => {
    await Promise.all(callers.map((one) => one.close()));
    await agent.close();
  });

  await t.test('refusals', async (t) => {
    const one = await caller();
    const refused = async (headers: HeaderPairs, content: object): Promise<SipResponse> =>
      (await caller()).ask('INVITE', headers, content);
    t.equal((await refused([], withSdp(sdp('9 18')))).status, 488, 'no codec in common');
    t.equal((await refused([], withSdp('nonsense'))).status, 488);
    t.equal((await refused([['Require', '100rel']], withSdp(sdp()))).get('Unsupported'), '100rel');
    t.equal((await refused([], { body: 'x', contentType: 'text/plain' })).status, 415);
    t.equal((await refused([['Contact', '']], withSdp(sdp()))).status, 400, 'no Contact');
    t.equal((await one.ask('REGISTER')).status, 405);
    t.equal((await one.ask('FROBNICATE')).status, 501);
    const options = await one.ask('OPTIONS');
    t.equal(options.status, 200);
    t.match(options.get('Allow'), /INVITE/);
    t.equal((await one.ask('BYE')).status, 481);
    one.tag = 'unknown';
    t.equal((await one.ask('BYE')).status, 481);
    t.equal((await one.ask('INVITE', [], withSdp(sdp()))).status, 481);
    t.equal(agent.calls, 0);
  });

  await t.test('a dialog: route set, re-INVITE, hold, order, and a BYE of its own', async (t) => {
    const one = await caller();
    const proxy = await caller();
    const route = `<sip:127.0.0.1:${proxy.sip.port};lr>`;
    const answer = await one.ask('INVITE', [['Record-Route', route]], withSdp(sdp('8 0')));
    t.equal(answer.status, 200);
    t.equal(answer.get('Record-Route'), route);
    t.match(answer.contactUri, new RegExp(`^sip:agent@127.0.0.1:${agent.sip.port}$`));
    t.match(answer.body.toString(), /RTP\/AVP 8\r/, 'the first codec that both have');
    t.notMatch(answer.body.toString(), /FreeSWITCH/);
    t.equal((await one.ask('INVITE', [], withSdp(sdp()))).status, 491, 'before the ACK');
    await one.ack(2);
    t.equal((await one.ask('OPTIONS')).status, 200);
    t.equal((await one.ask('INFO')).status, 405);
    t.equal((await one.ask('OPTIONS', [], {}, 1)).status, 500, 'an old CSeq');
    const same = await one.ask('INVITE', [], withSdp(sdp('8 0')));
    await one.ack();
    t.equal(same.status, 200);
    t.equal(same.body.toString(), answer.body.toString(), 'the same answer, its version too');
    const hold = await one.ask('INVITE', [], withSdp(sdp('8', 'a=sendonly\r\n')));
    await one.ack();
    t.match(hold.body.toString(), /a=recvonly/);
    const version = (text: string): string => /o=\S+ \S+ (\d+)/.exec(text)?.[1] ?? '';
    t.not(version(hold.body.toString()), version(answer.body.toString()));
    t.equal((await one.ask('INVITE', [], withSdp(sdp('18')))).status, 488, 'and the call goes on');
    const offer = await one.ask('INVITE');
    t.match(offer.body.toString(), /RTP\/AVP 0 8\r/, 'without an offer it makes one');
    await one.ack(undefined, withSdp(sdp('0')));
    t.equal(agent.calls, 1);
    const closing = agent.close();
    await until(() => proxy.requests.length > 0);
    const [bye] = proxy.requests;
    t.equal(bye?.method, 'BYE');
    t.equal(bye?.uri, one.sip.uri('udp'), 'the Request-URI is the Contact');
    t.equal(bye?.get('Route'), route);
    t.equal(bye?.toTag, one.build('OPTIONS', 1, [], {}).fromTag);
    t.equal(bye?.fromTag, one.tag);
    t.same(one.requests, [], 'nothing went past the proxy');
    await closing;
    t.equal(ended.at(-1)?.end, 'hungUp');
  });
});

t.test('no offer, no ACK, no answer to the offer, BYE while it rings, the same INVITE twice', async (t) => {
  const timers = { t1: 20, t2: 80, t4: 100 };
  const { agent, ended } = await startAgent({ ringMs: 50, timers });
  const to = agent.sip.uri('udp', 'agent');
  const made = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => RawCaller.start(to, name)));
  const [a, b, c, d, e] = made as [RawCaller, RawCaller, RawCaller, RawCaller, RawCaller];

  const offered = await a.ask('INVITE');
  t.match(offered.body.toString(), /m=audio \d+ RTP\/AVP 0 8\r/);
  await a.ack(undefined, withSdp(sdp('0')));
  t.equal((await a.ask('BYE')).status, 200);

  let answers = 0;
  await b.ask('INVITE', [], withSdp(sdp()), 2, (response) => response.status === 200 && (answers += 1) > 2);
  await until(() => b.requests.some(({ method }) => method === 'BYE'));

  await c.ask('INVITE');
  await c.ack(undefined, withSdp('nonsense'));
  await until(() => c.requests.some(({ method }) => method === 'BYE'));

  const early = d.ask('INVITE', [], withSdp(sdp()), 2);
  await until(() => d.tag !== '');
  t.equal((await d.ask('INVITE', [], withSdp(sdp()))).status, 500);
  t.equal((await d.ask('BYE')).status, 200);
  t.equal((await early).status, 487);

  const first = e.ask('INVITE', [], withSdp(sdp()), 2);
  await until(() => e.tag !== '');
  e.tag = '';
  t.equal((await e.ask('INVITE', [], withSdp(sdp()), 2)).status, 482);
  t.equal((await first).status, 200);
  e.tag = (await first).toTag ?? '';
  await e.ack(2);
  await e.ask('BYE');

  await until(() => agent.calls === 0);
  t.same(
    ended.map(({ end }) => end).sort(),
    ['callerLeft', 'farHungUp', 'farHungUp', 'noAck', 'noMedia'].sort(),
  );
  await until(() => agent.sip.transactions.client + agent.sip.transactions.server === 0, 8000);
  await Promise.all(made.map((one) => one.close()));
  await agent.close();
});

t.test('over TCP', async (t) => {
  const { agent, ended } = await startAgent({ ringMs: 20 });
  const phone = await Agent.listen('tcp');
  const target = { proto: 'tcp', host: '127.0.0.1', port: agent.sip.port } as const;
  const uri = agent.sip.uri('tcp', 'agent');
  const invite = SipRequest.create('INVITE', uri, {
    headers: [
      ['Max-Forwards', '70'],
      ['From', '<sip:+12025550190@127.0.0.1>;tag=t1'],
      ['To', `<${uri}>`],
      ['Call-ID', 'over-tcp'],
      ['CSeq', '1 INVITE'],
      ['Contact', phone.contact],
    ],
    ...withSdp(sdp()),
  });
  const answer = await new Promise<SipResponse>((resolve) => {
    phone.endpoint.request(
      invite,
      {
        onResponse: (response) => {
          if (response.status >= 200) resolve(response);
        },
      },
      target,
    );
  });
  t.equal(answer.status, 200);
  t.match(answer.contactUri, /;transport=tcp$/);
  const dialog = phone.callerDialog(answer);
  await phone.ack(dialog);
  t.equal((await phone.inDialog(dialog, 'BYE')).status, 200);
  t.same(
    ended.map(({ end }) => end),
    ['farHungUp'],
  );
  await phone.close();
  await agent.close();
});

t.test('the program: ready line, bad settings, the end of its parent and SIGTERM', async (t) => {
  const program = fileURLToPath(new URL('../../src/standalone/demo-agent/main.js', import.meta.url));
  const start = (argv: readonly string[]) =>
    spawn(process.execPath, [program, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] });
  for (const end of ['parent', 'SIGTERM'] as const) {
    const child = start(['--sip', '127.0.0.1:0']);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { ready, sip } = JSON.parse(line.toString()) as { ready: boolean; sip: string };
    t.equal(ready, true);
    const report = await dial(Number(sip.split(':')[1]), { talkMs: 60 });
    t.equal(report.outcome, 'answered');
    t.ok(
      (report.ladder.find(({ message }) => message === '200 OK')?.atMs ?? 0) >= 700,
      'it rings for 700 ms',
    );
    const exit = once(child, 'exit');
    if (end === 'parent') child.stdin.end();
    else child.kill('SIGTERM');
    t.same(await exit, [0, null]);
  }
  for (const argv of [['--sip', '0.0.0.0:5070'], ['--sip'], ['--port', '1'], ['--sip', '127.0.0.1:70000']]) {
    const child = start(argv);
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    t.same(await once(child, 'close'), [2, null]);
    t.match(said, /expected/);
  }
});
