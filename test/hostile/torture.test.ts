/** The standalone SIP server and messages that torture a parser: each is taken, refused or dropped as torture-messages.ts says. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { SipServer } from '../../src/standalone/sip-server/sip-server.js';
import { Control, secret } from '../standalone/support/control.js';
import { until } from '../support/until.js';
import { invalid, valid, type Case } from './torture-messages.js';

/** A server whose application takes everything and says 200. */
async function stage(t: Test) {
  const trouble: string[] = [];
  const server = await SipServer.start({
    sip: { host: '127.0.0.1', port: 0 },
    control: { host: '127.0.0.1', port: 0 },
    secret,
    key: Buffer.alloc(16, 7),
    log: (what, fields) => trouble.push(JSON.stringify([what, fields])),
  });
  const control = await Control.open(server);
  for (const verb of ['invite', 'register', 'options']) await control.ask(`route|${verb}`);
  control.onFrame = (frame) => {
    const [, kind, , , , , , , transaction = ''] = frame.split('\r\n', 1)[0]?.split('|') ?? [];
    if (kind === 'sip') control.send(`sip|${transaction}|\r\nSIP/2.0 200 OK\r\n\r\n`);
  };
  t.teardown(async () => {
    control.close();
    await server.close();
  });
  const { port } = server.sipAddress;
  return { server, control, port, trouble };
}

/** The message as it is sent; `id` is in its Call-ID, `me` in its Via. */
function textOf(one: Case, id: string, transport: string, me: string, host: string): string {
  const [start = '', ...lines] = one.lines;
  const has = (name: string) => one.without?.includes(name as 'Via') === true;
  const isResponse = start.startsWith('SIP/');
  // A response's topmost Via is the server's own, or it would not be looked at.
  const via = isResponse ? host : `${me};rport`;
  const head = [
    start,
    ...(has('Via') ? [] : [`Via: SIP/2.0/${transport} ${via};branch=z9hG4bK${id}`]),
    ...(has('Call-ID') ? [] : [`Call-ID: ${id}`]),
    ...lines,
    ...(transport === 'TCP' && !/^(content-length|l)\s*:/im.test(lines.join('\n'))
      ? ['Content-Length: 0']
      : []),
  ].map((line) => line.replaceAll('{host}', host).replaceAll('{me}', me).replaceAll('{id}', id));
  return `${head.join('\r\n')}\r\n\r\n${one.body ?? ''}`;
}

const probe = (id: string, transport: string, me: string, host: string): string =>
  textOf(
    { name: '', lines: ['OPTIONS sip:{host} SIP/2.0', 'From: <sip:a@b>;tag=1', 'To: <sip:c@d>', 'CSeq: 1 OPTIONS'], expected: 'taken' },
    id, transport, me, host,
  ); // prettier-ignore

/** What became of it, in the words of the cases. */
function outcome(answers: readonly string[], frames: readonly string[], id: string): Case['expected'] {
  const isIts = (text: string) => new RegExp(`^(?:Call-ID|i)\\s*:\\s*${id}\\r?$`, 'im').test(text);
  const status = answers
    .filter(isIts)
    .map((answer) => Number(/^SIP\/2\.0 (\d{3})/.exec(answer)?.[1]))
    .find((one) => one >= 200);
  if (frames.some((frame) => frame.split('|')[1] === 'sip' && isIts(frame)))
    return status === 200 ? 'taken' : (status ?? 0);
  return status ?? 'dropped';
}

t.test('over UDP', async (t) => {
  const { control, port, trouble } = await stage(t);
  const udp = createSocket('udp4');
  t.teardown(() => udp.close());
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const answers: string[] = [];
  udp.on('message', (bytes) => answers.push(bytes.toString('latin1')));
  const me = `127.0.0.1:${String(udp.address().port)}`;
  const host = `127.0.0.1:${String(port)}`;
  for (const [at, one] of [...valid, ...invalid].entries()) {
    const id = `torture-${String(at)}`;
    udp.send(Buffer.from(textOf(one, id, 'UDP', me, host)), port, '127.0.0.1');
    // What comes after it is answered: by then it was dealt with, and the server is well.
    udp.send(probe(`after-${String(at)}`, 'UDP', me, host), port, '127.0.0.1');
    await until(() => outcome(answers, control.frames, `after-${String(at)}`) === 'taken');
    t.equal(outcome(answers, control.frames, id), one.expected, one.name);
    const frame = control.frames.find((text) => text.includes(`: ${id}\r\n`)) ?? '';
    if (one.seen !== undefined)
      t.ok(frame.includes(one.seen), `${one.name}: the application is given it as it came`);
  }
  t.same(trouble, []);
  t.notOk(
    answers.some((answer) => /^X-Tagswitch/im.test(answer)),
    'nothing became a header of ours',
  );
});

t.test('over TCP', async (t) => {
  const { server, control, port, trouble } = await stage(t);
  const host = `127.0.0.1:${String(port)}`;
  for (const [at, one] of [...valid, ...invalid].entries()) {
    // There, the length is what a stream is cut by: without it, or behind one that is wrong, nothing can be read any more.
    if (/3\.1\.1\.8|3\.1\.2\.[23]|3\.3\.9|a head of|more headers/.test(one.name)) continue;
    const id = `stream-${String(at)}`;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const answers: string[] = [];
    socket.on('data', (bytes) => answers.push(...bytes.toString('latin1').split(/(?=SIP\/2\.0 \d{3} )/)));
    const me = `127.0.0.1:${String(socket.localPort)}`;
    socket.write(Buffer.from(textOf(one, id, 'TCP', me, host)));
    socket.write(probe(`then-${String(at)}`, 'TCP', me, host));
    await until(() => outcome(answers, control.frames, `then-${String(at)}`) === 'taken');
    t.equal(outcome(answers, control.frames, id), one.expected, one.name);
    socket.destroy();
  }
  const broken: readonly (readonly [string, string])[] = [
    ['a length that is none', 'Content-Length: -999'],
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 5'],
    ['a length beyond all bounds', 'Content-Length: 99999999'],
    ['no end of the head', `X-Long: ${'a'.repeat(40_000)}`],
  ];
  for (const [what, line] of broken) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.resume();
    const text = probe('broken', 'TCP', '127.0.0.1:9', host).replace('Content-Length: 0', line);
    socket.write(text);
    await once(socket, 'close');
    t.pass(`${what}: the connection is closed`);
  }
  await until(() => server.counts.tcp === 0);
  t.same(trouble, []);
});
