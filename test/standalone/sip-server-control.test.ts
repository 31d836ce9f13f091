import fc from 'fast-check';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { Target } from '../../src/standalone/sip/flow.js';
import { standardTimers } from '../../src/standalone/sip/timers.js';
import { encodeFrame, FrameDecoder, wireTime } from '../../src/standalone/sip-server/control-frame.js';
import { readSettings, SettingsError } from '../../src/standalone/sip-server/settings.js';
import { SipServer } from '../../src/standalone/sip-server/sip-server.js';
import { bestResponse } from '../../src/standalone/sip-server/best-response.js';
import { SipResponse } from '../../src/standalone/sip/message.js';
import { parseMessage } from '../../src/standalone/sip/parse.js';
import { SipTransport } from '../../src/standalone/sip/transport.js';
import { Agent } from './support/agent.js';
import { Control, secret } from './support/control.js';
import { ManualClock } from './support/manual-clock.js';
import { until } from '../support/until.js';

async function start(options: { clock?: ManualClock; timerCMs?: number } = {}): Promise<SipServer> {
  return SipServer.start({
    sip: { host: '127.0.0.1', port: 0 },
    control: { host: '127.0.0.1', port: 0 },
    secret,
    key: Buffer.alloc(16, 7),
    log: () => undefined,
    ...options,
  });
}

/** A server, an application that takes INVITEs, and two far ends; all of it ends with the test. */
async function stage(
  t: Test,
  options: { clock?: ManualClock; callee?: 'udp' | 'tcp' } = {},
): Promise<{ server: SipServer; caller: Agent; callee: Agent; control: Control; number: string }> {
  const server = await start(options.clock === undefined ? {} : { clock: options.clock });
  const caller = await Agent.listen('udp');
  const callee = await Agent.listen(options.callee ?? 'udp');
  const control = await Control.open(server);
  t.teardown(async () => {
    control.close();
    await Promise.all([caller.close(), callee.close()]);
    await server.close();
  });
  await control.ask('route|invite');
  const number = `sip:+12025550100@127.0.0.1:${server.sipAddress.port}`;
  return { server, caller, callee, control, number };
}

const at = (server: SipServer): Target => ({ proto: 'udp', ...server.sipAddress });

t.test('frames', async (t) => {
  const stream = Buffer.concat([
    encodeFrame(Buffer.from('a|ping')),
    encodeFrame(Buffer.from('b|x|é\r\nSIP')),
    encodeFrame(Buffer.alloc(0)),
  ]);
  const expected = ['a|ping', 'b|x|é\r\nSIP', ''];
  for (let cut = 0; cut <= stream.length; cut++) {
    const decoder = new FrameDecoder();
    const seen = [...decoder.push(stream.subarray(0, cut)), ...decoder.push(stream.subarray(cut))].map(
      String,
    );
    if (seen.join('\u0001') !== expected.join('\u0001')) t.same(seen, expected, `cut at ${cut}`);
  }
  const slow = new FrameDecoder();
  t.same(
    Array.from(stream).flatMap((byte) => [...slow.push(Buffer.from([byte]))].map(String)),
    expected,
  );
  for (const bad of ['x', '#', '12a#', '123456', '-1#', ' 1#', '1 #']) {
    t.throws(() => [...new FrameDecoder().push(Buffer.from(bad))], /bad length/, bad);
  }
  t.throws(() => [...new FrameDecoder().push(Buffer.from('9999#'))], /too long/);
  t.equal(wireTime(Date.UTC(2026, 0, 2, 3, 4, 5, 6) + 0.25), '03:04:05.006250');
});

t.test('the control port: secret, verbs, order of tokens', async (t) => {
  const server = await start();
  const caller = await Agent.listen('udp');
  const opened: Control[] = [];
  const open = async (said?: string): Promise<Control> => {
    const control = await Control.open(server, said);
    opened.push(control);
    return control;
  };
  t.teardown(async () => {
    for (const control of opened) control.close();
    await caller.close();
    await server.close();
  });
  const { port } = server.sipAddress;
  const number = `sip:+12025550100@127.0.0.1:${port}`;

  const stranger = await Control.open(server, 'wrong');
  opened.push(stranger);
  await until(() => stranger.closed);
  t.match(stranger.frames[0], /\|NO\|incorrect secret$/);
  for (const rest of ['ping', 'route|invite', 'sip||\r\nOPTIONS sip:x@192.0.2.1 SIP/2.0\r\n\r\n']) {
    const silent = await Control.open(server, '');
    opened.push(silent);
    silent.send(rest);
    await until(() => silent.closed);
  }

  const one = await open();
  const hosts = `tcp/127.0.0.1:${port},udp/127.0.0.1:${port}`;
  t.same((await one.reply('id-1')).slice(0, 2), ['OK', hosts]);
  t.match((await one.reply('id-1'))[2], /^v0\.9\.\d+/);
  t.same(await one.ask('ping'), ['OK', 'pong']);
  t.same(await one.ask('route|invite'), ['OK']);
  t.same(await one.ask('route|invite'), ['OK'], 'again');
  t.same(await one.ask('route|options'), ['OK']);
  const two = await open();
  t.same(await two.ask('route|invite'), ['OK']);

  // Round robin: doubled routes do not count double.
  const placed = [];
  for (let i = 0; i < 4; i++) {
    placed.push(caller.place(at(server), number));
    await until(
      () => [one, two].flatMap((c) => c.frames).filter((f) => f.includes('|sip|')).length === i + 1,
    );
  }
  t.equal(one.frames.filter((f) => f.includes('\r\nINVITE')).length, 2);
  t.equal(two.frames.filter((f) => f.includes('\r\nINVITE')).length, 2);
  for (const control of [one, two]) {
    for (const frame of control.frames.filter((f) => f.includes('\r\nINVITE'))) {
      t.same(
        await control
          .ask(`sip|${frame.split('|')[8]}|\r\nSIP/2.0 404 Nobody\r\nX-Why: x\r\n\r\n`)
          .then((r) => r[0]),
        'OK',
      );
    }
  }
  for (const { final } of placed) {
    const response = await final;
    t.equal(response.status, 404);
    t.equal(response.reason, 'Nobody');
    t.equal(response.get('X-Why'), 'x');
  }

  // remove_route takes away what is named, and nothing else.
  t.same(await one.ask('remove_route|invite'), ['OK']);
  t.equal((await Promise.all([caller.place(at(server), number, [], 'MESSAGE').final]))[0]?.status, 503);
  const probe = caller.place(at(server), number, [], 'OPTIONS');
  const { head, text } = await one.sip('OPTIONS');
  t.equal(head.length, 13);
  t.same(head.slice(1, 3), ['sip', 'network']);
  t.same(head.slice(4, 7), ['udp', '127.0.0.1', String(caller.endpoint.port)]);
  t.match(head[7], /^\d\d:\d\d:\d\d\.\d{6}$/);
  t.same(head.slice(9), ['', '127.0.0.1', String(port), '']);
  t.match(text, /^Via: SIP\/2.0\/UDP .*;rport=\d+;received=127\.0\.0\.1\r$/m);
  const reply = await one.ask(`sip|${head[8]}|\r\nSIP/2.0 200 OK\r\nTo: x;tag=mine\r\n\r\n`);
  t.equal(reply[0], 'NOK', 'a To that cannot be read');
  const sent = await one.ask(
    `sip|${head[8]}|\r\nSIP/2.0 200 OK\r\nTo: <sip:x@localhost>;tag=mine\r\nAllow: INVITE\r\n\r\n`,
  );
  t.same(sent.slice(0, 2), ['OK', 'application']);
  t.same(sent.slice(7), [head[8], '', '', 'Msg sent:', '']);
  const answer = await probe.final;
  t.equal(answer.toTag, 'mine');
  t.equal(answer.get('To'), `<${number}>;tag=mine`, 'only the tag is taken');
  t.same(await one.ask(`sip|${head[8]}|\r\nSIP/2.0 200 OK\r\n\r\n`), [
    'NOK',
    'Response not sent due to unknown transaction',
  ]);

  // What belongs to dialogs, and what makes no sense.
  const refusals: [string, RegExp][] = [
    [
      `sip||abc;from-tag=x\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`,
      /unable to find dialog for dialog id provided/,
    ],
    [`sip||abc;from-tag=x\r\nACK sip:placeholder SIP/2.0\r\n\r\n`, /ACK for non-success/],
    [
      `sip|nothing|\r\nCANCEL sip:x@192.0.2.1 SIP/2.0\r\n\r\n`,
      /unable to cancel unknown transaction id: nothing/,
    ],
    [`sip||\r\nOPTIONS nonsense SIP/2.0\r\n\r\n`, /invalid request-uri: nonsense/],
    [`sip||\r\nMESSAGE sip:x@127.0.0.1:9 SIP/2.0\r\n\r\nhello`, /missing content-type/],
    [`sip||\r\nhello\r\n\r\n`, /malformed start line/],
    [`proxy|nothing|||||||sip:x@127.0.0.1:9\r\nINVITE sip:x SIP/2.0\r\n\r\n`, /unable to find transaction/],
    [`proxy|nothing|||||||\r\nINVITE sip:x SIP/2.0\r\n\r\n`, /no destination/],
  ];
  for (const [rest, why] of refusals) {
    const refused = await one.ask(rest);
    t.equal(refused[0], 'NOK');
    t.match(refused[1], why);
  }
  // A request of the application: the echo, then the response under the same id.
  const asked = await one.ask(
    `sip||\r\nOPTIONS ${caller.uri('probe')} SIP/2.0\r\nCall-ID: mine\r\nFrom: <sip:t@localhost>;tag=ft\r\nCSeq: 77 OPTIONS\r\n\r\n`,
  );
  t.same(asked.slice(0, 2), ['OK', 'application']);
  t.same(asked.slice(4, 6), ['127.0.0.1', String(port)]);
  t.equal(asked[8], 'Msg sent:');
  const back = await one.sip('SIP/2.0 200');
  t.equal(back.head[8], asked[7]);
  t.equal(back.head[9], '');
  const probeSeen = caller.requests.at(-1);
  t.same(probeSeen?.cseq, { number: 77, method: 'OPTIONS' });
  t.equal(probeSeen?.get('From'), `<sip:t@127.0.0.1:${port}>;tag=ft`);

  // A new frame in the same connection after an unknown kind: the connection is over.
  one.send('nonsense|x');
  await until(() => one.closed);
  two.write('1234567#');
  await until(() => two.closed);
  t.equal((await caller.place(at(server), number).final).status, 503, 'its verbs are gone with it');
  await server.close();
  t.same(server.counts, { client: 0, server: 0, pending: 0, tcp: 0 });
});

t.test('time: timer C, requests that nobody answers, and made-up answers', async (t) => {
  const clock = new ManualClock();
  const { server, caller, callee, control, number } = await stage(t, { clock });
  for (const verb of ['cdr:attempt', 'cdr:start', 'cdr:stop']) await control.ask(`route|${verb}`);
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await once(silent, 'listening');
  callee.onInvite = (tx) => tx.reply(180);

  const ringing = caller.place(at(server), number);
  const { head } = await control.sip('INVITE');
  const id = control.send(
    `proxy|${head[8]}|remainInDialog|fullResponse||serial|1s||${callee.uri('x')}|${callee.uri('never')}\r\nINVITE x SIP/2.0\r\n\r\n`,
  );
  await until(() => ringing.responses.some((r) => r.status === 180));
  clock.pass(184_000);
  t.equal(callee.cancels.length, 0);
  clock.pass(1001);
  t.equal((await ringing.final).status, 408);
  await until(() => callee.cancels.length === 1);
  t.same(await control.reply(id, 'done'), ['OK', 'done']);
  t.equal(callee.requests.length, 1, 'nobody else is called');
  t.equal(
    control.frames.filter((f) => f.includes('cdr:stop|application') && f.includes('call-rejected')).length,
    1,
  );

  control.frames.length = 0;
  const forgotten = caller.place(at(server), number);
  await control.sip('INVITE');
  t.equal(server.counts.pending, 1);
  clock.pass(64_000);
  t.equal(server.counts.pending, 0);
  t.same(
    forgotten.responses.map((r) => r.status),
    [100],
    'as silent as the real one',
  );

  control.frames.length = 0;
  const [, , , , , , , transaction] = await control.ask(
    `sip||\r\nOPTIONS sip:x@127.0.0.1:${silent.address().port} SIP/2.0\r\n\r\n`,
  );
  clock.pass(64 * standardTimers.t1);
  const made = await control.sip('SIP/2.0 408');
  t.equal(made.head[8], transaction);
  t.same(made.head.slice(3, 7), ['0', 'udp', '', '0']);
  const asked = await control.ask('sip||\r\nOPTIONS sip:x@127.0.0.1:1;transport=tcp SIP/2.0\r\n\r\n');
  t.equal((await control.sip('SIP/2.0 503')).head[8], asked[7], 'a connection that is refused');
});

t.test('transports that differ: one Record-Route, of the outgoing side', async (t) => {
  const { server, caller, callee, control, number } = await stage(t, { callee: 'tcp' });
  const placed = caller.place(at(server), number);
  const { head } = await control.sip('INVITE');
  control.send(
    `proxy|${head[8]}|remainInDialog|fullResponse||serial|||${callee.uri('x')}\r\nINVITE x SIP/2.0\r\n\r\n`,
  );
  const answer = await placed.final;
  t.equal(answer.getAll('Record-Route').length, 1);
  t.match(answer.get('Record-Route'), /;transport=tcp;dlg=[0-9a-f]{24};lr>$/);
  await t.rejects(
    caller.ack(caller.callerDialog(answer)),
    /not reachable over udp/,
    'as with the real one: do not mix',
  );
  const invite = callee.requests.at(-1);
  t.ok(invite);
});

t.test('the application goes away in a call: the call stays', async (t) => {
  const { server, caller, callee, control, number } = await stage(t);
  const watcher = await Control.open(server);
  t.teardown(() => watcher.close());
  await watcher.ask('route|cdr:stop');
  callee.onInvite = (tx) => {
    tx.reply(180);
    control.close();
    setTimeout(() => callee.answer(tx), 50);
  };
  const placed = caller.place(at(server), number);
  const { head } = await control.sip('INVITE');
  control.send(
    `proxy|${head[8]}|remainInDialog|fullResponse||serial|||${callee.uri('x')}\r\nINVITE x SIP/2.0\r\n\r\n`,
  );
  const answer = await placed.final;
  t.equal(answer.status, 200);
  const invite = callee.requests.at(-1);
  if (invite === undefined) throw new Error('no INVITE');
  const mine = caller.callerDialog(answer);
  await caller.ack(mine);
  t.equal(
    (await callee.inDialog(callee.calleeDialog(invite, answer), 'INVITE', 2)).status,
    200,
    'a re-INVITE',
  );
  t.equal((await caller.inDialog(mine, 'BYE', 2)).status, 200);
  t.equal((await caller.inDialog(mine, 'BYE', 2)).status, 200);
  t.same(
    callee.requests.slice(-2).map((r) => r.method),
    ['BYE', 'BYE'],
  );
  await watcher.ask('ping');
  const stops = watcher.frames.filter((f) => f.includes('|cdr:stop|'));
  t.same(
    stops.map((f) => f.split('|')[2]),
    ['network', 'application'],
    'a repeated BYE is recorded once',
  );
});

t.test('answers that are repeated, late, or cross a CANCEL; nothing is left behind', async (t) => {
  const clock = new ManualClock();
  const { server, caller, callee, control, number } = await stage(t, { clock });
  const order = async (): Promise<string> => {
    const { head } = await control.sip('INVITE');
    control.frames.length = 0;
    return control.send(
      `proxy|${head[8]}|remainInDialog|fullResponse||serial|1s||${callee.uri('x')}\r\nINVITE x SIP/2.0\r\n\r\n`,
    );
  };

  callee.onInvite = (tx) => {
    callee.answer(tx);
    callee.answer(tx);
  };
  const repeated = caller.place(at(server), number);
  const first = await order();
  await until(() => repeated.responses.filter((r) => r.status === 200).length === 2);
  t.same(await control.reply(first, 'done'), ['OK', 'done']);
  t.equal(control.frames.filter((f) => f.includes('continue')).length, 1, 'told once');

  // The callee answers just as it is cancelled: the caller has his 487, the application hears of the 200.
  callee.onInvite = (tx) => {
    tx.handlers = { onCancel: () => callee.answer(tx) };
    tx.reply(180);
  };
  const crossed = caller.place(at(server), number);
  const second = await order();
  await until(() => crossed.responses.some((r) => r.status === 180));
  crossed.cancel();
  t.equal((await crossed.final).status, 487);
  t.match((await control.reply(second, 'continue')).slice(-1), ['continue']);
  t.same(await control.reply(second, 'done'), ['OK', 'done']);

  // A target wakes up after the provisional timeout: nobody is interested, and nobody cancels it.
  const sleeper = createSocket('udp4').bind(0, '127.0.0.1');
  t.teardown(() => sleeper.close());
  await once(sleeper, 'listening');
  const heard: string[] = [];
  let invite: Buffer | undefined;
  sleeper.on('message', (bytes) => {
    heard.push(bytes.toString().split(' ')[0] ?? '');
    invite ??= bytes;
  });
  const slow = caller.place(at(server), number);
  const { head } = await control.sip('INVITE');
  const third = control.send(
    `proxy|${head[8]}||fullResponse||serial|1s||sip:x@127.0.0.1:${sleeper.address().port}\r\nINVITE x SIP/2.0\r\n\r\n`,
  );
  await until(() => invite !== undefined);
  clock.pass(1000);
  t.equal((await slow.final).status, 408);
  t.same(await control.reply(third), ['OK', 'done'], 'no branch answered');
  const asked = parseMessage(invite ?? Buffer.alloc(0));
  if (asked?.kind !== 'request') throw new Error('no INVITE');
  for (const status of [180, 200]) {
    sleeper.send(
      SipResponse.to(asked, status, { toTag: 'late' }).toBuffer(),
      server.sipAddress.port,
      '127.0.0.1',
    );
  }
  await control.ask('ping');
  clock.pass(64_000);
  await control.ask('ping');
  t.same(
    [...new Set(heard)],
    ['INVITE', 'CANCEL'],
    'whoever wakes up too late is told so, as by the real server',
  );
  t.same(
    slow.responses.map((r) => r.status),
    [100, 408],
  );

  control.frames.length = 0;
  const reliable = caller.place(at(server), number);
  const pending = await control.sip('INVITE');
  const refused = await control.ask(`sip|${pending.head[8]}|\r\nSIP/2.0 183 x\r\nRequire: 100rel\r\n\r\n`);
  t.same(refused, ['NOK', 'Remote endpoint does not support 100rel']);
  await control.ask(`sip|${pending.head[8]}|\r\nSIP/2.0 480 x\r\n\r\n`);
  t.equal((await reliable.final).status, 480);

  clock.pass(200_000);
  t.same(server.counts, { client: 0, server: 0, pending: 0, tcp: 0 }, 'every transaction ends');
});

t.test('TCP: limits on connections, silence and half messages', async (t) => {
  const transport = await SipTransport.listen(
    { host: '127.0.0.1', port: 0, tcp: { connections: 2, idleMs: 200, halfMessageMs: 60 } },
    { onMessage: () => undefined, onMalformed: () => undefined },
  );
  t.teardown(() => transport.close());
  const open = async (): Promise<{ socket: Socket; gone: Promise<number> }> => {
    const socket = connect(transport.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const began = performance.now();
    const gone = once(socket, 'close').then(() => performance.now() - began);
    await once(socket, 'connect');
    return { socket, gone };
  };
  const half = await open();
  half.socket.write('INVITE sip:x SIP/2.0\r\n');
  const idle = await open();
  await until(() => transport.connections === 2);
  const tooMany = await open();
  t.ok((await tooMany.gone) < 150, 'one too many');
  const halfGone = await half.gone;
  t.ok(halfGone >= 55 && halfGone < 180, `half a message: ${halfGone} ms`);
  t.ok((await idle.gone) >= 190, 'silence');
  const ping = await open();
  ping.socket.write('\r\n\r\n');
  const [pong] = (await once(ping.socket, 'data')) as [Buffer];
  t.equal(pong.toString(), '\r\n');
  await transport.close();
  await transport.close();
  await ping.gone;
  await t.rejects(transport.send(Buffer.from('x'), { proto: 'udp', host: '127.0.0.1', port: 9 }), /closed/);
});

t.test('the same request by two ways is one request', async (t) => {
  const { server, caller, control, number } = await stage(t);
  const first = caller.place(at(server), number, [
    ['Call-ID', 'same'],
    ['From', '<sip:a@127.0.0.1>;tag=same'],
  ]);
  await control.sip('INVITE');
  const second = caller.place(at(server), number, [
    ['Call-ID', 'same'],
    ['From', '<sip:a@127.0.0.1>;tag=same'],
  ]);
  t.equal((await second.final).status, 482);
  first.cancel();
  t.equal((await first.final).status, 487);
  const cancel = await control.sip('CANCEL');
  t.equal(cancel.head[8], (await control.sip('INVITE')).head[8], 'the CANCEL has the INVITE’s id');
  t.equal(cancel.head.length, 11);
});

t.test('garbage, floods and half messages leave it alive', async (t) => {
  const { server, caller, control } = await stage(t);
  const udp = createSocket('udp4');
  t.teardown(() => udp.close());
  await control.ask('route|options');
  const { port } = server.sipAddress;
  const seed = Buffer.from(
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKfuzz\r\nFrom: <sip:a@127.0.0.1>;tag=f\r\nTo: <sip:b@127.0.0.1>\r\nCall-ID: fuzz\r\nCSeq: 1 OPTIONS\r\nRoute: <sip:127.0.0.1:${port};lr>\r\nContent-Length: 0\r\n\r\n`,
  );
  const mutation = fc.record({
    at: fc.nat(seed.length),
    put: fc.uint8Array({ maxLength: 6 }),
    gone: fc.nat(8),
  });
  const messages = fc.sample(fc.array(mutation, { maxLength: 4 }), { numRuns: 400, seed: 20_260 });
  const fuzzed = messages.map((changes) =>
    changes.reduce(
      (bytes, { at, put, gone }) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]),
      seed,
    ),
  );
  for (const bytes of fuzzed) udp.send(bytes, port, '127.0.0.1');
  udp.send(Buffer.alloc(65_000, 'A'), port, '127.0.0.1');
  udp.send(Buffer.concat([seed, Buffer.alloc(60_000, 'B')]), port, '127.0.0.1');
  const sockets = [];
  for (let i = 0; i < 20; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    for (const bytes of fuzzed.slice(i * 20, i * 20 + 20)) socket.write(bytes);
    sockets.push(socket);
  }
  const endless = connect(port, '127.0.0.1');
  endless.on('error', () => undefined);
  await once(endless, 'connect');
  endless.write(Buffer.alloc(200_000, 'X-Long: '));
  await once(endless, 'close');
  const half = connect(port, '127.0.0.1');
  await once(half, 'connect');
  half.write(seed.subarray(0, 40));
  const answers: string[] = [];
  udp.on('message', (bytes) => answers.push(bytes.toString()));
  // Two versions, one malformed: both are answered with what could be read of them.
  for (const [from, to, status] of [
    ['SIP/2.0\r\nVia', 'SIP/3.0\r\nVia', 505],
    ['CSeq: 1 OPTIONS', 'CSeq: 1 BYE', 400],
  ] as const) {
    const here = `127.0.0.1:${udp.address().port}`;
    udp.send(seed.toString().replace(from, to).replace('127.0.0.1:1;', `${here};`), port, '127.0.0.1');
    await until(() => answers.some((a) => a.startsWith(`SIP/2.0 ${status}`)));
  }
  // Somebody's response with our Via on top and a victim's below is not passed on.
  const reflected = `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK-guess\r\nVia: SIP/2.0/UDP 127.0.0.1:${udp.address().port};branch=z9hG4bKv\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: refl\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n`;
  udp.send(reflected, port, '127.0.0.1');
  // Still there, for SIP and for the application.
  const probe = caller.place(at(server), `sip:127.0.0.1:${port}`, [['Call-ID', 'after-all']], 'OPTIONS');
  await until(() => control.frames.some((f) => f.includes('Call-ID: after-all')));
  const frame = control.frames.find((f) => f.includes('Call-ID: after-all')) ?? '';
  control.send(`sip|${frame.split('|')[8]}|\r\nSIP/2.0 200 OK\r\n\r\n`);
  t.equal((await probe.final).status, 200);
  t.equal(answers.filter((a) => a.includes('refl')).length, 0);
  for (const socket of [...sockets, half]) socket.destroy();
  await until(() => server.counts.tcp === 0);
});

t.test('the best of several failures (RFC 3261 16.7)', async (t) => {
  const response = (status: number): SipResponse =>
    new SipResponse(status, '', { headers: [], body: Buffer.alloc(0) });
  const best = (...statuses: number[]): number | undefined => bestResponse(statuses.map(response))?.status;
  t.equal(best(), undefined);
  t.equal(best(486, 404), 486, 'the first of its class');
  t.equal(best(503, 486), 486);
  t.equal(best(486, 603), 603);
  t.equal(best(486, 407), 407);
  t.equal(best(302, 486), 302);
});

t.test('settings: every fault at once, and no secret in it', async (t) => {
  const good = {
    SIP_SERVER_SIP: '127.0.0.1:5060',
    SIP_SERVER_CONTROL: '[::1]:0',
    SIP_SERVER_SECRET: 's',
    SIP_SERVER_KEY: '00'.repeat(16),
  };
  t.same(readSettings(good, ['--sip', '127.0.0.1:5070']), {
    sip: { host: '127.0.0.1', port: 5070 },
    control: { host: '::1', port: 0 },
    secret: 's',
    key: Buffer.alloc(16),
  });
  try {
    readSettings({ SIP_SERVER_SIP: 'x', SIP_SERVER_SECRET: 'a|b', SIP_SERVER_KEY: 'k-not-hex' }, []);
    t.fail('taken');
  } catch (error) {
    t.ok(error instanceof SettingsError);
    t.equal((error as SettingsError).faults.length, 4);
    t.notMatch((error as SettingsError).message, /k-not-hex|a\|b/);
  }
});
