import t from 'tap';
import { isTestToken } from '../../src/calls/test-token.js';
import { callCommand, type CallIo } from '../../src/commands/call.js';
import type { CallView } from '../../src/http/call-view.js';
import { DemoAgent } from '../../src/standalone/demo-agent/agent.js';
import { placeTestCall } from '../../src/standalone/test-caller/test-caller.js';
import { Agent } from '../standalone/support/agent.js';
import { FakeSwitch, keepLines, view } from './fake-switch.js';

const key = Buffer.alloc(32, 7);
const NUMBER = '+12025550100';

t.test('tagswitch call', async (t) => {
  const agent = await DemoAgent.start({ host: '127.0.0.1', port: 0, ringMs: 30, log: () => undefined });
  const api = await FakeSwitch.start();
  t.teardown(() => Promise.all([agent.close(), api.close()]));
  let items: CallView[] = [];
  api.answer = () => ({ status: 200, body: { items, next: null } });

  const run = async (argv: readonly string[], more: Partial<CallIo> = {}) => {
    const { lines, ...io } = keepLines();
    const code = await callCommand(argv, {
      ...io,
      sip: { host: '127.0.0.1', port: agent.sip.port },
      http: api.http,
      testKey: async () => key,
      place: placeTestCall,
      signal: new AbortController().signal,
      recordMs: 300,
      pollMs: 20,
      ...more,
    });
    return { code, ...lines };
  };

  await t.test('places the call, shows its ladder, what was heard, and its own record', async (t) => {
    const now = Date.now();
    const later = view(now + 1900, { id: 'call_later' });
    const others = [
      view(now, { id: 'call_real', test: false }),
      view(now, { id: 'call_other', caller: '+12025550191' }),
      view(now - 60_000, { id: 'call_old' }),
    ];
    items = [later, ...others];
    let asks = 0;
    // It is up first, and has a result only when it is asked for the third time.
    api.answer = () => {
      const { result } = view(now);
      const own = view(now, { id: 'call_own', result: (asks += 1) > 2 ? result : null });
      return { status: 200, body: { items: [later, ...others, own], next: null } };
    };
    const { code, out, err } = await run(['+1 (202) 555-0100', '--talk', '0.4']);
    t.same(err, []);
    t.equal(code, 0);
    t.match(out[0], /^ +ms  caller +switch 127\.0\.0\.1:\d+$/);
    const ladder = out.slice(1, out.indexOf(''));
    t.same(
      ladder.map((line) => line.slice(10).replace(/-{2,}/g, '-')),
      [
        '|- INVITE ->|',
        '|<- 100 Trying -|',
        '|<- 180 Ringing -|',
        '|<- 200 OK -|',
        '|- ACK ->|',
        '|- BYE ->|',
        '|<- 200 OK (BYE) -|',
      ],
    );
    t.equal(new Set(ladder.map((line) => line.length)).size, 1, 'aligned');
    t.notOk(
      ladder.some((line) => /[^\x20-\x7e]/.test(line)),
      'plain ASCII',
    );
    t.ok(out.some((line) => /^heard: \d+ packets at -\d+ dB, mostly \d+ Hz; \d+ packets sent$/.test(line)));
    t.ok(out.includes('  call        call_own'));
    t.ok(out.includes('  number      +1 202 555 0100'));
    t.ok(out.includes('  reason      200, Q.850 16 (normal call clearing)'));
    t.equal(out.at(-1), 'next: npx tagswitch explain call_own');
    t.equal(asks, 3);
    const { path, authorization } = api.asked[0] ?? { path: '', authorization: '' };
    t.equal(authorization, 'Bearer demo-key');
    const query = new URL(path, 'http://x').searchParams;
    t.equal(query.get('number'), NUMBER);
    t.ok(Math.abs(Date.parse(query.get('from') ?? '') - now) < 3000);
  });

  await t.test('says the test token, the caller and the number to the switch', async (t) => {
    const switchEnd = await Agent.listen('udp');
    switchEnd.onInvite = (tx) => void tx.reply(486, { reason: 'Busy\u001b[2J' });
    items = [
      view(Date.now(), {
        result: 'busy',
        caller: '+441632960100',
        reason: { status: 486, q850: 17, text: 'USER_BUSY' },
      }),
    ];
    api.answer = () => ({ status: 200, body: { items, next: null } });
    const { code, out } = await run([NUMBER, '--from', '+441632960100', '--key', 'other'], {
      sip: { host: '127.0.0.1', port: switchEnd.endpoint.port },
    });
    t.equal(code, 1);
    const invite = switchEnd.requests[0];
    const token = /;tagswitch-test=(.+)$/.exec(invite?.uri ?? '')?.[1] ?? '';
    t.ok(isTestToken(token, NUMBER, key, Date.now() / 1000));
    t.equal(invite?.from.sipUri().user, '+441632960100');
    t.ok(out.includes('refused: 486 Busy?[2J'), 'a far end cannot move the cursor');
    t.notOk(out.some((line) => /[^\x20-\x7e]/.test(line)));
    t.equal(api.asked.at(-1)?.authorization, 'Bearer other');
    await switchEnd.close();
  });

  await t.test('one line for what goes wrong', async (t) => {
    const fails = async (name: string, expected: RegExp, more: Partial<CallIo> = {}): Promise<void> => {
      const { code, err } = await run([NUMBER, '--talk', '0.1'], more);
      t.equal(code, 1, name);
      t.equal(err.length, 1);
      t.match(err[0], expected);
    };
    api.answer = () => ({ status: 200, body: { items: [], next: null } });
    await fails('no record', /no record of this call came in time/);
    api.answer = () => ({ status: 200, body: { items: [view(Date.now(), { test: false })], next: null } });
    await fails(
      'not as a test',
      /call_0000000000000001 is the record, but not as a test call: TAGSWITCH_SECRET/,
    );
    api.answer = () => ({ status: 200, body: { items: [view(Date.now(), { result: null })], next: null } });
    await fails('still up', /no end yet/);
    api.answer = () => ({ status: 401, body: { code: 'keyUnknown' } });
    await fails('key', /the API key was not accepted \(keyUnknown\): give one with --key/);
    api.answer = () => ({ status: 503, body: { code: 'storeDown' } });
    await fails('503', /answered 503 \(storeDown\)/);
    api.answer = () => ({ status: 200, body: '<html>' });
    await fails('something else', /is not tagswitch/);
    await fails('no HTTP', /nothing answers at http:\/\/127\.0\.0\.1:1 /, {
      http: { host: '0.0.0.0', port: 1 },
    });
    await fails('no SIP', /nothing answers at 127\.0\.0\.1:9 \(TAGSWITCH_SIP\)/, {
      sip: { host: '127.0.0.1', port: 9 },
      place: (call) => placeTestCall({ ...call, ringTimeoutMs: 100 }),
    });
    await fails('no way', /no way to no-such-host\.invalid/, {
      sip: { host: 'no-such-host.invalid', port: 5060 },
    });
    const strict = await Agent.listen('udp');
    strict.onInvite = (tx) => void tx.reply(403);
    api.answer = () => ({ status: 200, body: { items: [], next: null } });
    await fails('403', /refused the call at its door/, {
      sip: { host: '127.0.0.1', port: strict.endpoint.port },
    });
    await strict.close();
    t.equal(agent.calls, 0);
  });

  await t.test('Ctrl-C gives the call up; its record is shown all the same', async (t) => {
    const leave = new AbortController();
    leave.abort();
    api.answer = () => ({
      status: 200,
      body: { items: [view(Date.now(), { result: 'cancelled', reason: null, talkMs: null })], next: null },
    });
    const { code, out } = await run([NUMBER], { signal: leave.signal });
    t.equal(code, 1);
    t.ok(out.some((line) => line.startsWith('cancelled')));
    t.ok(out.includes('  result      cancelled'));
  });

  await t.test('bad arguments', async (t) => {
    const bad: readonly (readonly [readonly string[], readonly RegExp[]])[] = [
      [[], [/NUMBER: expected, but there is none/]],
      [['2025550100'], [/NUMBER: expected a number in E\.164/]],
      [['+1202555010x'], [/NUMBER/]],
      [
        [NUMBER, '--from', 'me', '--talk', '0'],
        [/--from: expected/, /--talk: expected seconds/],
      ],
      [[NUMBER, '--talk', '301'], [/--talk: expected seconds, more than 0 and at most 300/]],
      [[NUMBER, '--talk'], [/--talk: expected SECONDS after it/]],
      [[NUMBER, '--key', 'a b'], [/--key: expected/]],
      [
        [NUMBER, '--fro', '+12025550101'],
        [/--fro: there is no such option, did you mean --from\?/, /"\+12025550101": expected nothing more/],
      ],
      [[NUMBER, '--talk', '1', '--talk', '2'], [/--talk: expected once/]],
    ];
    const before = api.asked.length;
    for (const [argv, expected] of bad) {
      const { code, out, err } = await run(argv);
      t.equal(code, 2, argv.join(' '));
      t.same(out, []);
      t.match(err, expected);
      t.equal(err.length, expected.length);
    }
    t.equal(api.asked.length, before);
  });
});
