/** The one adapter of drachtio-srf, against a control port of the test's own that misbehaves as a real one may. */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { DrachtioConnection, type DrachtioHandlers } from '../../src/sip/drachtio.js';
import { sipPart } from '../../src/sip/listeners.js';
import { Names, type NameServers } from '../../src/sip/names.js';
import type { DialogEvent, IncomingRequest } from '../../src/sip/requests.js';
import { keepingLogger } from '../support/logger.js';
import { until } from '../support/until.js';
import { ControlPort, INVITE, inviteText } from './control-port.js';

async function connection(
  t: Test,
  handlers: Partial<DrachtioHandlers> = {},
  names: Pick<Names, 'lead'> = new Names(),
) {
  const port = new ControlPort();
  const log = keepingLogger();
  const number = await port.listen();
  const invites: IncomingRequest[] = [];
  const dialogs: DialogEvent[] = [];
  const drachtio = new DrachtioConnection(
    { host: '127.0.0.1', port: number, secret: 'not to be told' },
    {
      invite: (request) => void invites.push(request),
      other: () => undefined,
      dialog: (event) => void dialogs.push(event),
      ...handlers,
    },
    log,
    names,
  );
  t.teardown(async () => {
    drachtio.close();
    await port.close();
  });
  await drachtio.ready(5000);
  await until(() => port.frames.filter((frame) => frame.includes('|route|')).length >= 3);
  return { port, number, drachtio, invites, dialogs, log };
}

t.test('a malformed frame costs the connection, not the process', async (t) => {
  const { port, drachtio, log, invites } = await connection(t);
  const before = port.sockets.length;
  port.sockets.at(-1)?.write('From: <sip:+12025550147@x>#is this');
  await until(() => port.sockets.length > before && drachtio.up);
  t.ok(log.lines.some(({ text }) => text.includes('malformed frame')));
  await until(() => port.frames.filter((frame) => frame.includes('|route|invite')).length >= 2);
  port.invite(inviteText());
  await until(() => invites.length === 1);
  t.notMatch(JSON.stringify(log.lines), /not to be told/, 'the secret is in no line');
  t.notMatch(JSON.stringify(log.lines), /2025550147/, 'nor is what came');
});

t.test('a proxied request is settled when the connection goes, and by its own deadline', async (t) => {
  const { port, invites } = await connection(t);
  port.invite(inviteText());
  await until(() => invites.length === 1);
  const lost = invites[0]?.proxy('sip:a@127.0.0.1:5', { silenceMs: 1500, deadlineMs: 60_000 });
  await until(() => port.frames.some((frame) => frame.includes('|proxy|')));
  port.sockets.at(-1)?.destroy();
  await t.rejects(Promise.resolve(lost), { code: 'connectionLost' });

  await until(() => port.frames.filter((frame) => frame.includes('|route|invite')).length >= 2);
  port.invite(inviteText(), 'txn-2');
  await until(() => invites.length === 2);
  await t.rejects(
    Promise.resolve(invites[1]?.proxy('sip:a@127.0.0.1:5', { silenceMs: 1500, deadlineMs: 50 })),
    { code: 'deadline' },
  );
});

t.test('calls can be taken where the server listens on what the trunks speak', async (t) => {
  const addresses = ['tls/192.0.2.1:5061', 'udp/192.0.2.1:5060'];
  t.strictSame(sipPart({ up: true, addresses }, 'tls'), { ok: true });
  t.strictSame(sipPart({ up: false, addresses }, 'tls'), { ok: false });
  t.match(sipPart({ up: true, addresses }, 'tcp'), { ok: false, detail: /not listen on tcp/ });
  t.strictSame(
    sipPart({ up: true, addresses: [] }, 'tcp'),
    { ok: true },
    'one that tells nothing is believed',
  );
});

t.test('drachtio-server is told of no name that DNS does not know', async (t) => {
  const known = {
    resolve4: async () => Promise.resolve(['192.0.2.1']),
    resolve6: async () => Promise.resolve([]),
  };
  const unknown = { ...known, resolve4: async () => Promise.reject(new Error('ENOTFOUND')) };
  const silent = { ...known, resolve4: async () => new Promise<string[]>(() => undefined) };
  const leads = async (servers: NameServers, uri: string, ipv6 = false) => new Names(ipv6, servers).lead(uri);
  for (const uri of ['sip:a@192.0.2.1:5060', 'sip:a@[2001:db8::1]:5060;transport=tcp', 'sip:192.0.2.1'])
    t.equal(await leads(unknown, uri), true, `${uri} is an address`);
  t.equal(await leads(known, 'sip:a@sip.example.com:5060;transport=tls'), true);
  t.equal(await leads(known, 'sip:a@sip.example.com', true), false, 'no address of the kind that is spoken');
  t.equal(await leads(unknown, 'sip:a@sip.example.com:5060'), false);
  t.equal(await leads(silent, 'sip:a@sip.example.com:5060'), false, 'DNS that stays silent');

  const { port, invites, log } = await connection(t, {}, new Names(false, unknown));
  port.invite(inviteText());
  await until(() => invites.length === 1);
  const [request] = invites;
  if (request === undefined) throw new Error('no request');
  const proxied = request.proxy('sip:a@no.such.name:5060', { silenceMs: 1500, deadlineMs: 5000 });
  await t.rejects(proxied, { code: 'refused' });
  t.notOk(port.frames.some((frame) => frame.includes('|proxy|')));
  t.notMatch(JSON.stringify(log.lines), /no\.such\.name/);
  request.respond(503);
  await until(() => port.frames.some((frame) => frame.includes('SIP/2.0 503')));
});

t.test('what is proxied: one target, added headers, and nothing that breaks out of them', async (t) => {
  const { port, invites } = await connection(t);
  port.invite(inviteText());
  await until(() => invites.length === 1);
  const [request] = invites;
  if (request === undefined) throw new Error('no request');
  await t.rejects(request.proxy('sip:a@127.0.0.1\r\nX-Evil: 1', { silenceMs: 1, deadlineMs: 50 }), {
    code: 'unsafeValue',
  });
  await t.rejects(
    request.proxy('sip:a@127.0.0.1', { silenceMs: 1, deadlineMs: 50, headers: { A: 'b\r\nX-Evil: 1' } }),
    { code: 'unsafeValue' },
  );
  const result = request.proxy('sip:a@127.0.0.1:5180', {
    silenceMs: 1500,
    deadlineMs: 5000,
    headers: { 'X-Tagswitch-Call': 'call_x' },
  });
  await until(() => port.frames.some((frame) => frame.includes('|proxy|')));
  const frame = port.frames.find((each) => each.includes('|proxy|')) ?? '';
  t.match(
    frame,
    /\|proxy\|txn-1\|remainInDialog\|fullResponse\|\|serial\|1500ms\|\|sip:a@127\.0\.0\.1:5180\r\n/,
  );
  t.match(frame, /X-Tagswitch-Call: call_x/);
  t.notMatch(frame, /Evil/);
  const id = frame.split('|')[0] ?? '';
  const busy =
    'SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 127.0.0.1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: call-1\r\nCSeq: 1 INVITE\r\nReason: Q.850;cause=17;text="USER_BUSY"\r\nContent-Length: 0\r\n\r\n';
  port.push(`r|response|${id}|OK|network|10|udp|127.0.0.1|5180|10:00:00|||continue\r\n${busy}`);
  port.push(`r|response|${id}|OK|done`);
  t.same(await result, { status: 486, reason: 'Q.850;cause=17;text="USER_BUSY"' });
});

t.test('one odd request costs itself alone', async (t) => {
  let threw = 0;
  const { port, invites } = await connection(t, {
    invite: (request) => {
      if (request.callId === 'bad') {
        threw += 1;
        throw new Error('odd');
      }
      invites.push(request);
    },
  });
  port.invite(inviteText(INVITE.map((line) => line.replace('call-1', 'bad'))));
  await until(() => threw === 1);
  await until(() => port.frames.some((frame) => frame.includes('SIP/2.0 400')));
  port.invite(inviteText(INVITE.filter((line) => !/^(To|From|Contact|Via|CSeq)/.test(line))), 'txn-2');
  port.invite(inviteText(), 'txn-3');
  await until(() => invites.length >= 1);
  t.equal(invites.at(-1)?.callId, 'call-1');
});

t.test('CANCEL is seen whenever it comes, and nothing is answered after it', async (t) => {
  const { port, invites } = await connection(t);
  port.invite(inviteText());
  await until(() => invites.length === 1);
  const [request] = invites;
  let heard = 0;
  request?.onCancel(() => (heard += 1));
  port.invite(
    inviteText([
      'CANCEL sip:+12025550100@127.0.0.1:5060 SIP/2.0',
      ...INVITE.slice(1).map((line) => line.replace('INVITE', 'CANCEL')),
    ]),
  );
  await until(() => heard === 1);
  t.equal(request?.cancelled, true);
  request?.onCancel(() => (heard += 1));
  t.equal(heard, 2, 'a late listener is called at once');
  request?.respond(404);
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(port.frames.some((frame) => frame.includes('SIP/2.0 404')));
});

t.test('a CANCEL that crosses our order is heard, and none is ordered after a CANCEL', async (t) => {
  const { port, invites } = await connection(t);
  const cancel = inviteText([
    'CANCEL sip:+12025550100@127.0.0.1:5060 SIP/2.0',
    ...INVITE.slice(1).map((line) => line.replace('INVITE', 'CANCEL')),
  ]);
  port.invite(inviteText(), 'crossed');
  await until(() => invites.length === 1);
  let heard = 0;
  invites[0]?.onCancel(() => (heard += 1));
  const proxied = invites[0]?.proxy('sip:a@127.0.0.1:5', { silenceMs: 1500, deadlineMs: 300 });
  await until(() => port.frames.some((frame) => frame.includes('|proxy|')));
  port.invite(cancel, 'of another');
  port.invite(cancel, 'crossed');
  port.invite(cancel, 'crossed');
  await until(() => heard > 0);
  t.equal(invites[0]?.cancelled, true);
  await t.rejects(Promise.resolve(proxied), { code: 'deadline' });
  t.equal(heard, 1, 'once');

  port.invite(inviteText(), 'withdrawn');
  await until(() => invites.length === 2);
  port.invite(cancel, 'withdrawn');
  await until(() => invites[1]?.cancelled === true);
  const late = invites[1]?.proxy('sip:a@127.0.0.1:5', { silenceMs: 1500, deadlineMs: 300 });
  await t.rejects(Promise.resolve(late), { code: 'gone' });
  t.equal(port.frames.filter((frame) => frame.includes('|proxy|')).length, 1);
});

t.test('it comes back within a second or so, however long the server was away', async (t) => {
  const { port, number, drachtio } = await connection(t);
  await port.close();
  await until(() => !drachtio.up);
  // Without a limit the waits would be 4 s long by now.
  await new Promise((resolve) => setTimeout(resolve, 5200));
  const again = new ControlPort();
  await again.listen(number);
  t.teardown(() => again.close());
  const back = Date.now();
  await until(() => drachtio.up, 5000);
  t.ok(Date.now() - back < 1500, `after ${String(Date.now() - back)} ms`);
});

t.test('closed while the server is away: it gives up connecting', async (t) => {
  const { port, number, drachtio } = await connection(t);
  await port.close();
  await until(() => !drachtio.up);
  t.doesNotThrow(() => {
    drachtio.close();
  });
  const again = new ControlPort();
  await again.listen(number);
  t.teardown(() => again.close());
  // Its waits are a second at most.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  t.same(again.frames, [], 'it says nothing any more');
  t.ok(again.sockets.every((socket) => socket.destroyed));
});

t.test('every connection is without delay', async (t) => {
  const { port, drachtio } = await connection(t);
  const settings: boolean[] = [];
  // The second one is made by the library's own reconnection.
  const { Socket: Plain } = await import('node:net');
  const original = Object.getOwnPropertyDescriptor(Plain.prototype, 'setNoDelay');
  Plain.prototype.setNoDelay = function (this: Socket, on?: boolean) {
    settings.push(on ?? true);
    return this;
  };
  t.teardown(() => {
    if (original) Object.defineProperty(Plain.prototype, 'setNoDelay', original);
  });
  const before = port.sockets.length;
  port.sockets.at(-1)?.destroy();
  await until(() => port.sockets.length > before && drachtio.up);
  t.ok(settings.includes(true));
});

t.test('records of dialogs are told, and one that is torn costs nothing', async (t) => {
  const { port, dialogs, invites, drachtio } = await connection(t);
  const asked = (): string[] =>
    port.frames.flatMap((frame) => /\|route\|(cdr:[a-z]+)/.exec(frame)?.[1] ?? []);
  t.same(asked(), [], 'no record is asked for before there is a direct call');
  drachtio.followDialogs();
  drachtio.followDialogs();
  await until(() => asked().length >= 2);
  t.same(asked(), ['cdr:start', 'cdr:stop'], 'once');
  const sockets = port.sockets.length;
  port.sockets.at(-1)?.destroy();
  await until(() => port.sockets.length > sockets && drachtio.up && asked().length >= 4);
  t.same(asked().slice(2), ['cdr:start', 'cdr:stop'], 'again on the next connection');
  const bye = 'BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\n';
  port.push(
    'a|cdr:start|network|10:00:00.000001|proxy-uac\r\nSIP/2.0 200 OK\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n\r\nCall-ID: body\r\n',
  );
  port.push(`b|cdr:stop|network|10:00:01.000001|normal-release\r\n${bye}i : two\r\n\r\n`);
  port.push(
    'c|cdr:stop|network|10:00:01.000002|call-rejected\r\nSIP/2.0 486 Busy Here\r\ncall-id:three\r\n\r\n',
  );
  port.push('d|cdr:attempt|network|10:00:01.000002\r\nINVITE sip:a@b SIP/2.0\r\nCall-ID: four\r\n\r\n');
  port.push('e|cdr:stop|network|10:00:01.000002|call-rejected\r\nSIP/2.0 486 Busy Here\r\n\r\n');
  port.push('f|cdr:stop|network|10:00:01.000002|x');
  port.invite(inviteText());
  await until(() => invites.length === 1);
  t.same(dialogs, [
    { kind: 'start', callId: 'one', reason: undefined, status: 200 },
    { kind: 'stop', callId: 'two', reason: 'normal-release', status: undefined },
    { kind: 'stop', callId: 'three', reason: 'call-rejected', status: 486 },
  ]);
});

t.test('a message that the library cannot read is refused, and printed nowhere', async (t) => {
  // What the library has to say goes to standard error; standard output is the test's own.
  const printed: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text: string | Uint8Array) => printed.push(text.toString()) > 0;
  t.teardown(() => {
    process.stderr.write = write;
  });
  const { port, invites, log } = await connection(t);
  const odd: readonly (readonly [string, readonly string[]])[] = [
    ['a line without a colon', [...INVITE.slice(0, 3), 'not a header', ...INVITE.slice(3)]],
    ['a broken start line', ['INVITE +12025550199', ...INVITE.slice(1)]],
    ['no start line', INVITE.slice(1)],
    ['a blank start line', ['', ...INVITE]],
    ['bytes of another protocol', ['\u0000\u0001\u0002', '\u00ff']],
    [
      'an escape in a name, which the library undoes',
      [...INVITE, '%50-Asserted-Identity: <sip:+12025550198@x>'],
    ],
    ['a type that the library is slow on', [...INVITE, `Content-Type: multipart/${'a'.repeat(600)}`]],
    [
      'the same in pieces',
      [...INVITE, ...Array.from({ length: 9 }, () => `c: multipart/${'a'.repeat(100)}`)],
    ],
  ];
  for (const [what, lines] of odd) {
    const before = port.frames.length;
    port.invite(inviteText(lines), `txn-odd-${String(before)}`);
    await until(() => port.frames.slice(before).some((frame) => frame.includes('SIP/2.0 400')));
    t.ok(port.frames.at(-1)?.includes(`|sip|txn-odd-${String(before)}|`), what);
  }
  // Nobody waits for an answer to these.
  const before = port.frames.length;
  port.push('x|sip|network|9|udp|192.0.2.1|5060|10:00:00|txn-r|d|\r\nSIP/2.0 200 OK\r\nno colon\r\n\r\n');
  port.push(
    'x|sip|network|9|udp|192.0.2.1|5060|10:00:00|txn-a|d|\r\nACK sip:a@b SIP/2.0\r\nno colon\r\n\r\n',
  );
  port.push('x|sip|network|9\r\nINVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n');
  port.invite(inviteText(), 'txn-good');
  await until(() => invites.length === 1);
  t.equal(port.frames.slice(before).filter((frame) => frame.includes('SIP/2.0 400')).length, 0);
  const rest = JSON.stringify([printed, log.lines]);
  t.notMatch(rest, /2025550/, 'no number is in any log');
  t.equal(log.lines.filter(({ text }) => text === 'a message that cannot be read was refused').length, 11);
});

t.test('a response that the library cannot read counts by its status, and costs no connection', async (t) => {
  const { port, invites, log, drachtio } = await connection(t);
  const sockets = port.sockets.length;
  const odd: readonly (readonly [string, string, number])[] = [
    ['a line without a colon', 'SIP/2.0 486 Busy Here\r\nVia: x\r\nnot a header 2025550199\r\n\r\n', 486],
    ['a status line that is slow to read', `SIP/2.0 603 x${' '.repeat(9000)}\nb\r\nVia: x\r\n\r\n`, 603],
    ['a status line and nothing else', 'SIP/2.0 480', 480],
    ['nothing that is a status', '\u0000\u0001 +12025550199\r\n\r\n', 500],
  ];
  for (const [at, [what, response, status]] of odd.entries()) {
    port.invite(inviteText(), `txn-${String(at)}`);
    await until(() => invites.length === at + 1);
    const result = invites[at]?.proxy('sip:a@127.0.0.1:5180', { silenceMs: 1500, deadlineMs: 5000 });
    await until(() => port.frames.filter((frame) => frame.includes('|proxy|')).length === at + 1);
    const id = port.frames.at(-1)?.split('|')[0] ?? '';
    port.push(`r|response|${id}|OK|network|10|udp|127.0.0.1|5180|10:00:00|||continue\r\n${response}`);
    port.push(`r|response|${id}|OK|done`);
    t.same(await result, { status, reason: undefined }, what);
  }
  port.invite(inviteText(), 'txn-reasons');
  await until(() => invites.length === odd.length + 1);
  const result = invites.at(-1)?.proxy('sip:a@127.0.0.1:5180', { silenceMs: 1500, deadlineMs: 5000 });
  await until(() => port.frames.filter((frame) => frame.includes('|proxy|')).length === odd.length + 1);
  const id = port.frames.at(-1)?.split('|')[0] ?? '';
  const head =
    'SIP/2.0 486 Busy Here\r\nVia: x\r\nReason: Q.850\r\n\t;cause=17\r\nreason : SIP;cause=486\r\n';
  const body = '\r\nReason: Q.850;cause=1\r\n';
  port.push(`r|response|${id}|OK|network|10|udp|127.0.0.1|5180|10:00:00|||continue\r\n${head}${body}`);
  port.push(`r|response|${id}|OK|done`);
  t.same(await result, { status: 486, reason: 'Q.850 ;cause=17,SIP;cause=486' }, 'and by its reasons');
  t.equal(port.sockets.length, sockets);
  t.ok(drachtio.up);
  t.notMatch(JSON.stringify(log.lines), /2025550/);
});
